"""What the plugin has to say of a trained model, to `vaehub evaluate`, the report and the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from vaehub import Data, Judge, Model, TrainedModel, report
from vaehub_recommender.interactions import InteractionFacts
from vaehub_recommender.validation import mean_ndcg

if TYPE_CHECKING:
    pass


@final
class RecommendationJudge(Judge):
    """Judges models by items that are kept from them.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> run = film_recommender().fitted.run
        >>> sorted(RecommendationJudge(run.domain, run.codec).validate(run.vae, run.domain.data("val")))
        ['ndcg']
    """

    headline: ClassVar[Mapping[str, str]] = {
        "ndcg@100": "how much of what test users were found to like is on their lists, and how far up",
    }

    def validate(self, vae: Model, data: Data) -> Mapping[str, float]:
        """NDCG@100 on what is held out of validation users, for `train.monitor: val_ndcg`."""
        facts = data.facts
        if not isinstance(facts, InteractionFacts) or facts.targets is None:
            return {}
        return {"ndcg": mean_ndcg(vae, data, facts.targets)}

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Recall, NDCG and more of the model, popularity and EASE on what is held out; nothing is of the users that it was trained on."""
        if split == "train":
            return {}
        from vaehub_recommender.judge import evaluate_run

        return evaluate_run(run, split).figures()

    def sections(self, run: TrainedModel) -> Sequence[report.Section]:
        """How good the lists are beside those of popularity and EASE, for whom, why they are made, and where users and items lie."""
        from vaehub_recommender.report.run_sections import run_sections

        return run_sections(run)
