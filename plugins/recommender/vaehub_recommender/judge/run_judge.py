"""What the plugin has to say of a trained model, to `vaehub evaluate`, the report and the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from vaehub import Data, Judge, Model, TrainedModel
from vaehub_recommender.interactions import InteractionFacts
from vaehub_recommender.mixing import mean_ndcg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
class RecommendationJudge(Judge):
    """Judges models by items that are kept from them."""

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """NDCG@100 on what is held out of validation users, for `train.monitor: val_ndcg`."""
        facts = data.facts
        if not isinstance(facts, InteractionFacts) or facts.held is None:
            return {}
        return {"ndcg": mean_ndcg(vae, data, facts.held)}

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Recall, NDCG and more of the model, popularity and EASE on what is held out; nothing is of the users that it was trained on."""
        if split == "train":
            return {}
        from vaehub_recommender.judge import judged_run

        return judged_run(run, split).figures()

    def figures(self, run: TrainedModel) -> Mapping[str, Figure]:
        """Lists of the model beside those of popularity and EASE, by how active users are and how popular items."""
        from vaehub_recommender.figures import by_segment

        return by_segment(run)
