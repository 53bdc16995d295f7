"""The same models on several random splits: what is left of a difference when other users are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import pandas as pd

from vaehub import Described, Json, UsageError
from vaehub_recommender.judge import text
from vaehub_recommender.judge.judged import Judged
from vaehub_recommender.judge.uncertainty import difference_frame, over_splits


def compare(judged: Sequence[Judged]) -> SplitsTogether:
    """The same models over two or more random splits.

    Arguments:
        judged: what each split gave.

    Raises:
        UsageError: fewer than two splits, or different models.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.judge.protocols import evaluate
        >>> from vaehub_recommender.splits import strong
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> matrix = training_log(film_ratings(), Columns()).matrix
        >>> together = compare([evaluate({}, strong(matrix, held_out=10, seed=seed), names=["ndcg@10"]) for seed in (1, 2, 3)])
        >>> together.table()["ndcg@10"].columns.tolist()
        ['mean', 'sd']
    """
    if len(judged) < 2:
        raise UsageError(f"compare: {len(judged)} split; give the results of two or more, or take those of one as they are")
    for place, other in enumerate(judged[1:], start=1):
        if other.models != judged[0].models:
            raise UsageError(f"compare: split {place} judged {other.models}, the first {judged[0].models}; judge the same models")
    return SplitsTogether(tuple(judged))


@final
@dataclass(frozen=True, repr=False)
class SplitsTogether(Described):
    """One result for each split."""

    splits: tuple[Judged, ...]

    def facts(self) -> dict[str, object]:
        """How many splits there are, and every model's mean figures, as `repr` and a notebook show them."""
        means = self._means().groupby(level="model", sort=False).mean()
        shown = {str(model): ", ".join(f"{name} {value:.4f}" for name, value in row.items()) for model, row in means.iterrows()}
        return {"splits": len(self.splits), **shown}

    def table(self) -> pd.DataFrame:
        """A row for every model; of every figure its mean and standard deviation over the splits."""
        means = self._means()
        models = means.groupby(level="model", sort=False)
        table = pd.concat({"mean": models.mean(), "sd": models.std()}, axis=1).swaplevel(axis=1)
        return table[[(figure, key) for figure in means for key in ("mean", "sd")]]

    def _means(self) -> pd.DataFrame:
        """Every figure (column) of every model on every split (rows)."""
        tables = {place: judged.table().xs("mean", axis=1, level=1) for place, judged in enumerate(self.splits)}
        return pd.concat(tables, names=["split", "model"])

    def differences(self, model: str | None = None, against: str | None = None) -> pd.DataFrame:
        """model, against, metric, difference, se, low, high, ahead: the mean over splits of differences that are paired by user.

        The interval is that of Nadeau & Bengio (2003), see `over_splits`; `ahead` counts the splits where the model is higher.
        """
        if len(self.splits[0].models) == 1:
            return self.splits[0].differences(model, against)
        gains, share = self._gains(model, against), sum(judged.share for judged in self.splits) / len(self.splits)
        others = gains.index.unique("against")
        parts = {name: over_splits(gains.loc[name], share).assign(ahead=(gains.loc[name] > 0).sum()) for name in others}
        return difference_frame(model or self.splits[0].models[0], parts)

    def _gains(self, model: str | None, against: str | None) -> pd.DataFrame:
        """The mean difference in every measure (column), for every other model and split (rows)."""
        splits = {place: judged.differences(model, against) for place, judged in enumerate(self.splits)}
        rows = pd.concat(splits, names=["split"]).set_index(["against", "metric"], append=True)["difference"].droplevel(1)
        return rows.unstack("metric", sort=False).swaplevel()

    def lines(self) -> list[str]:
        """The whole as plain text for a terminal."""
        splits, users = len(self.splits), sum(len(judged.history) for judged in self.splits)
        return [
            f"{splits} splits, {users:,} users with held-out items in all. Mean ± standard deviation over splits.",
            *text.figures(self.table()),
            *text.differences(self.differences(), f"over {splits} splits"),
        ]

    def to_json(self) -> Json:
        """All of it as JSON, each split too; None where a figure is not defined."""
        return {
            "models": self.splits[0].models,
            "figures": text.nested(self.table()),
            "differences": text.records(self.differences()),
            "splits": [judged.to_json() for judged in self.splits],
        }
