"""What lists would bring, from a log of what another policy showed, to whom, and with which probability.

Letters of shapes: n rows of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from vaehub import Described, Json, UsageError, hints
from vaehub_recommender.judge import text
from vaehub_recommender.judge.metrics import Floats, Integers
from vaehub_recommender.judge.uncertainty import LEVEL

ESTIMATORS = ("ips", "snips")
USUAL_ESTIMATES = ("ips@1", "snips@1", "ips@20", "snips@20")


@final
@dataclass(frozen=True, repr=False)
class OffPolicy(Described):
    """Estimates of the mean reward of showing a user one of the first k items of the list, each with the same probability.

    With rewards r_i of items that were shown with propensities p_i, and the policy pi = 1/k for the first k items of the list (1/length where it
    is shorter) and 0 for others, the weights are w_i = pi_i / p_i, cut to `clip` where that is given:

        ips = 1/n sum_i w_i r_i        with the standard error sd(w r) / sqrt(n)
        snips = sum_i w_i r_i / sum_i w_i        with the standard error sqrt(sum_i w_i^2 (r_i - snips)^2) / sum_i w_i

    ips is unbiased where p_i > 0 for all that the policy may show and nothing is cut; snips is not, but varies less and does not move with
    a constant that is added to all rewards. "The Self-Normalized Estimator for Counterfactual Learning" (Swaminathan & Joachims, 2015), NeurIPS 28;
    a cut weight lowers the variance for some bias: "Truncated Importance Sampling" (Ionides, 2008), doi:10.1198/106186008X320456.

    Arguments:
        rewards: (n,) what the user gave to what was shown.
        propensities: (n,) the probability that it was shown, above 0 and at most 1.
        places: (n,) where it stands in the user's list, from 1; 0 where it does not.
        lengths: (n,) how long the list is.
        names: estimates such as "snips@20".
        clip: the greatest weight; None cuts none.
        left_out: rows of users who are not known.

    Example:
        >>> estimates = OffPolicy(np.array([1.0, 0.0]), np.array([0.5, 0.25]), np.array([1, 1]), np.array([9, 9]), ("ips@1", "snips@1"))
        >>> estimates.table()["mean"].round(4).tolist()  # weights 2 and 4: 2 / 2 and 2 / 6
        [1.0, 0.3333]
    """

    rewards: Floats
    propensities: Floats
    places: Integers
    lengths: Integers
    names: Sequence[str] = USUAL_ESTIMATES
    clip: float | None = None
    left_out: int = 0

    def facts(self) -> dict[str, object]:
        """The estimates, as `repr` and a notebook show them."""
        return {"rows": len(self.rewards), **{str(name): f"{value:.4f}" for name, value in self.table()["mean"].items()}}

    def table(self) -> pd.DataFrame:
        """A row for every estimate: mean, se, low, high (95 %), effective rows (sum w)^2 / sum w^2, the greatest weight and rows that were cut."""
        rows = {name: self._estimate(*parse(name)) for name in self.names}
        return pd.DataFrame.from_dict(rows, orient="index")

    def weights(self, k: int) -> Floats:
        """w (n,) of the first k items, before any is cut."""
        k = min(k, max(int(self.lengths.max(initial=0)), 1))
        shown = (self.places > 0) & (self.places <= k)
        return np.asarray(np.where(shown, 1 / np.minimum(k, np.maximum(self.lengths, 1)), 0.0) / self.propensities)

    def _estimate(self, estimator: str, k: int) -> dict[str, float]:
        """The figures of a row."""
        raw, n = self.weights(k), len(self.rewards)
        weights = raw if self.clip is None else np.minimum(raw, self.clip)
        total, values = weights.sum(), weights * self.rewards
        if estimator == "ips":
            mean, se = values.mean(), values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        elif total > 0:
            mean = values.sum() / total
            se = np.sqrt((weights**2 * (self.rewards - mean) ** 2).sum()) / total
        else:
            mean, se = np.nan, np.nan
        reach = se * stdtrit(n - 1, (1 + LEVEL) / 2) if n > 1 else np.nan
        effective = total**2 / (weights**2).sum() if total > 0 else 0.0
        figures = {"mean": mean, "se": se, "low": mean - reach, "high": mean + reach, "effective_rows": effective}
        return {name: float(value) for name, value in figures.items()} | {
            "greatest_weight": float(raw.max()),
            "cut": int((raw > weights).sum()),
        }

    def lines(self) -> list[str]:
        """The whole as plain text for a terminal."""
        table, rows = self.table(), len(self.rewards)
        left_out = f"; {self.left_out:,} of users who are not known are left out" if self.left_out else ""
        cells = [
            [
                str(name),
                text.mean_text(pd.Series([row["mean"], row["se"]])),
                f"{text.number(row['low'])} … {text.number(row['high'])}",
                f"{row['effective_rows']:,.1f}",
                f"{row['greatest_weight']:,.1f}",
                f"{row['cut']:,.0f}",
            ]
            for name, row in table.iterrows()
        ]
        cut = "no weight is cut" if self.clip is None else f"weights above {self.clip:g} are cut to it"
        return [
            f"{rows:,} logged rows with a mean reward of {self.rewards.mean():.4f}{left_out}. Mean reward of these lists ± standard error:",
            *text.aligned(["", "mean", "95 % interval", "effective rows", "greatest weight", "cut"], cells),
            f"{cut}; few effective rows or a great weight mean that the log says little of these lists",
        ]

    def to_json(self) -> Json:
        """All of it as JSON; None where a figure is not defined."""
        table = self.table().rename_axis("estimate").reset_index()
        return {
            "rows": len(self.rewards),
            "left_out": self.left_out,
            "logged": float(self.rewards.mean()),
            "clip": self.clip,
            "estimates": text.records(table),
        }


def parse(name: str) -> tuple[str, int]:
    """The estimator and the k of "snips@20". Raises UsageError for what is none."""
    estimator, _, k = name.partition("@")
    if estimator not in ESTIMATORS:
        raise UsageError(
            f"metric {name!r}: with propensities it is ips@k or snips@k; {hints.did_you_mean(estimator, ESTIMATORS)}"
        )
    if not k.isdecimal() or int(k) < 1:
        raise UsageError(f"metric {name!r}: say how many places of the list count, such as {estimator}@20")
    return estimator, int(k)
