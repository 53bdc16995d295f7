"""Models side by side on the same held-out users, with how sure the figures are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from vaehub import Described, Json, UsageError, hints
from vaehub_recommender.judge import text
from vaehub_recommender.judge.items import LIST, Items
from vaehub_recommender.judge.scorecard import Scorecard
from vaehub_recommender.judge.segments import band_labels, segments, shares_of
from vaehub_recommender.judge.uncertainty import difference_frame, mean_and_error, paired


@final
@dataclass(frozen=True, repr=False)
class Judged(Described):
    """What every model got on the same held-out users; the first is the one in question, the others are beside it.

    Arguments:
        scorecards: {model: what it got}.
        history: number of items that each judged user was judged by.
        items: what training says of the items.
        left_out: users with nothing held out.
        share: of what is tested in what was trained on: n_test / n_train.
        notes: what a reader should know.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> judged = film_recommender().evaluate("random")
        >>> judged.table()["ndcg@100"].columns.tolist()
        ['mean', 'se']
        >>> judged.differences(against="popularity").columns.tolist()
        ['model', 'against', 'metric', 'difference', 'se', 'low', 'high']
        >>> judged.lines()[0]
        '80 users with held-out items, 36 items. Mean ± standard error over users.'
    """

    scorecards: Mapping[str, Scorecard]
    history: pd.Series  # number of items that each judged user was judged by
    items: Items
    left_out: int  # users with nothing held out
    share: float  # of what is tested in what was trained on: n_test / n_train
    notes: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """Every model's figures, as `repr` and a notebook show them."""
        figures = {model: self._figures(model)["mean"] for model in self.models}
        shown = {model: ", ".join(f"{name} {value:.4f}" for name, value in means.items()) for model, means in figures.items()}
        return {"users": len(self.history), **shown}

    @property
    def models(self) -> list[str]:
        """Their names, the one in question first."""
        return list(self.scorecards)

    def table(self) -> pd.DataFrame:
        """A row for every model; of every figure its mean over users and standard error, which coverage and Gini have none of."""
        return pd.DataFrame({model: self._figures(model).stack(future_stack=True) for model in self.models}).T

    def _figures(self, model: str) -> pd.DataFrame:
        """A row for every figure of a model: mean and se."""
        card = self.scorecards[model]
        overall = pd.DataFrame({"mean": card.overall, "se": np.nan})
        return pd.concat([mean_and_error(card.users), overall])

    def curves(self) -> pd.DataFrame:
        """model, measure, k, mean, se: NDCG and recall by how many of the first places count."""
        parts = []
        for model, card in self.scorecards.items():
            found = mean_and_error(card.by_length)
            name = found.index.str.partition("@")
            parts.append(found.assign(model=model, measure=name.get_level_values(0), k=name.get_level_values(2).astype(int)))
        return pd.concat(parts, ignore_index=True)[["model", "measure", "k", "mean", "se"]]

    def segments(self) -> pd.DataFrame:
        """by, segment, users, model, metric, mean, se: by length of history and by popularity of the held-out items."""
        return segments(self.scorecards, self.history, self.items)

    def exposure(self) -> pd.DataFrame:
        """How much of the first places of all lists each band of popularity has (rows), by model; of the interactions each has a third."""
        labels = band_labels(self.items).values()
        shares = {name: shares_of(card.times_shown, self.items) for name, card in self.scorecards.items()}
        return pd.DataFrame(shares, index=pd.Index(labels, name="band"))

    def differences(self, model: str | None = None, against: str | None = None) -> pd.DataFrame:
        """model, against, metric, difference, se, low, high: paired by user, with the 95 % interval of Student's t.

        By default of the first model, and against all others. Raises UsageError for a model that was not judged.
        """
        mine = self.scorecards[self.checked_name(model or self.models[0])]
        others = [self.checked_name(against)] if against else [name for name in self.models if self.scorecards[name] is not mine]
        parts = {other: paired(mine.users, self.scorecards[other].users) for other in others}
        return difference_frame(model or self.models[0], parts)

    def checked_name(self, model: str) -> str:
        """A model's name. Raises UsageError where it was not judged."""
        if model not in self.scorecards:
            raise UsageError(f"model {model!r} was not judged; {hints.did_you_mean(model, self.scorecards)}")
        return model

    def figures(self) -> dict[str, float]:
        """Every figure under one name: "ndcg@100", "ndcg@100_se" of the first model, "EASE ndcg@100" of those beside it.

        "ndcg@100 minus EASE" is the mean difference in the first measure, taken user by user, with its standard error as "…_se".
        """
        first, *others = (self._figures(model) for model in self.models)
        named = {f"{name}{end}": row[key] for name, row in first.iterrows() for key, end in (("mean", ""), ("se", "_se"))}
        for model, table in zip(self.models[1:], others, strict=True):
            named |= {f"{model} {name}": mean for name, mean in table["mean"].items()}
        for row in self.differences().to_dict("records"):
            if row["metric"] == first.index[0]:
                difference = f"{row['metric']} minus {row['against']}"
                named |= {difference: row["difference"], f"{difference}_se": row["se"]}
        return {name: float(value) for name, value in named.items() if not np.isnan(value)}

    def lines(self) -> list[str]:
        """The whole as plain text for a terminal."""
        users, items = len(self.history), len(self.items.counts)
        left_out = f"; {self.left_out:,} with nothing held out are left out" if self.left_out else ""
        about = f"{users:,} users with held-out items, {items:,} items{left_out}. Mean ± standard error over users."
        return [
            about,
            *text.figures(self.table()),
            *text.differences(self.differences(), "over the same users"),
            *text.segments(self.segments()),
            *text.shares(self.exposure(), f"share of the first {LIST} places"),
            "",
            *self.notes,
        ]

    def to_json(self) -> Json:
        """All of it as JSON; None where a figure is not defined."""
        return {
            "users": len(self.history),
            "left_out": self.left_out,
            "items": len(self.items.counts),
            "models": self.models,
            "figures": text.nested(self.table()),
            "differences": text.records(self.differences()),
            "segments": text.records(self.segments()),
            "exposure": text.records(self.exposure().reset_index()),
            "notes": list(self.notes),
        }
