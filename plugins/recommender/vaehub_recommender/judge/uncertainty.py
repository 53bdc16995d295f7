"""How sure the figures are: standard errors, and differences between two models on the same users."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import stdtrit

LEVEL = 0.95
KEYS, FIGURES = ["model", "against", "metric"], ["difference", "se", "low", "high"]


def mean_and_error(users: pd.DataFrame) -> pd.DataFrame:
    """The mean of every column over the users, and its standard error s / √n: a row for each column."""
    return pd.DataFrame({"mean": users.mean(), "se": users.sem()})


def paired(model: pd.DataFrame, against: pd.DataFrame) -> pd.DataFrame:
    """model - against of every column, user by user: mean, standard error and the 95 % interval of Student's t."""
    gain = model - against
    return interval(gain.mean(), gain.sem(), gain.count() - 1)


def over_splits(means: pd.DataFrame, share: float) -> pd.DataFrame:
    """Mean differences of several random splits, a row for each: their mean, standard error and 95 % interval.

    se² = (1/J + n_test/n_train) s², t with J - 1 degrees of freedom: splits that share most of their training data are no independent
    trials. "Inference for the Generalization Error" (Nadeau & Bengio, 2003), doi:10.1023/A:1024068626366. `share` is n_test/n_train.
    """
    splits = len(means)
    return interval(means.mean(), means.std() * np.sqrt(1 / splits + share), means.count() - 1)


def interval(difference: pd.Series, se: pd.Series, freedom: pd.Series) -> pd.DataFrame:
    """A row for each difference: with its standard error and 95 % interval, which is NaN where there is but one value."""
    reach = se * stdtrit(freedom.where(freedom > 0).to_numpy(dtype=float), (1 + LEVEL) / 2)
    return pd.DataFrame({"difference": difference, "se": se, "low": difference - reach, "high": difference + reach})


def difference_frame(model: str, others: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """model, against, metric and what follows: the differences from every other model, one below the other."""
    if not others:
        return pd.DataFrame(columns=[*KEYS, *FIGURES])
    rows = pd.concat(others, names=["against", "metric"]).reset_index().assign(model=model)
    return rows[[*KEYS, *(name for name in rows if name not in KEYS)]]
