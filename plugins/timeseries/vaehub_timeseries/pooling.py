"""One result from the analyses of several completed copies of the data: Rubin's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from vaehub import UsageError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """An estimate over m imputations, and what the missing values cost it; every field has the shape of one estimate (…).

    Arguments:
        estimate: Mean of the m estimates.
        variance: Of the estimate: within and between the imputations.
        within: Mean of the m variances: what complete data would have.
        between: Variance of the m estimates: what the missing values add.
        degrees_of_freedom: Of Student's t for `interval`.
        missing_information: Share of the information that is lost with the missing values, 0..1.
    """

    estimate: Floats
    variance: Floats
    within: Floats
    between: Floats
    degrees_of_freedom: Floats
    missing_information: Floats

    @property
    def standard_error(self) -> Floats:
        """√variance (…)."""
        return np.sqrt(self.variance)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """The interval that holds the true value with probability `level`, by Student's t.

        Arguments:
            level: Between 0 and 1.

        Returns:
            Lower and upper end, each (…).

        Raises:
            UsageError: `level` is not between 0 and 1.

        >>> low, high = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5]).interval(0.9)
        >>> f"{low:.2f} to {high:.2f}"
        '-0.94 to 4.94'
        """
        if not 0 < level < 1:
            raise UsageError(f"level of an interval {level}: give a number between 0 and 1")
        reach = stdtrit(np.minimum(self.degrees_of_freedom, 1e15), (1 + level) / 2) * self.standard_error
        return self.estimate - reach, self.estimate + reach


def pool(estimates: ArrayLike, variances: ArrayLike, complete_df: float = np.inf) -> Pooled:
    """Rubin's rules: T = Ū + (1 + 1/m) B, with Ū the mean of the variances and B the variance of the estimates.

    "Multiple Imputation for Nonresponse in Surveys" (Rubin, 1987),
    doi:10.1002/9780470316696; degrees of freedom of "Small-sample degrees of freedom with multiple imputation" (Barnard & Rubin, 1999),
    doi:10.1093/biomet/86.4.948.

    Arguments:
        estimates: Of m completed copies (m, …), such as coefficients of a regression.
        variances: Squared standard errors of the estimates (m, …).
        complete_df: Degrees of freedom that the analysis would have with nothing missing, such as rows - coefficients.

    Returns:
        The estimate (…) with its variance, interval and share of missing information.

    Raises:
        UsageError: m < 2, shapes differ, a value is not finite, or a variance is negative.

    >>> pooled = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    >>> float(pooled.estimate), round(float(pooled.variance), 3)  # 0.5 + (1 + 1/3) 1
    (2.0, 1.833)
    """
    q, u = _checked(estimates, variances, complete_df)
    within, between = u.mean(0), q.var(0, ddof=1)
    added = (1 + 1 / len(q)) * between
    total = within + added
    lost = np.divide(added, total, out=np.zeros_like(total), where=total > 0)
    df = _degrees_of_freedom(lost, len(q), complete_df)
    ratio = np.divide(added, within, out=np.full_like(total, np.inf), where=within > 0)
    with np.errstate(invalid="ignore"):
        information = np.where(np.isinf(ratio), 1.0, (ratio + 2 / (df + 3)) / (ratio + 1))
    return Pooled(q.mean(0), total, within, between, df, np.where(added > 0, information, 0.0))


def _degrees_of_freedom(lost: Floats, m: int, complete: float) -> Floats:
    """1 / (1/ν_m + 1/ν_obs): ν_m = (m - 1) / λ², ν_obs = (ν + 1) / (ν + 3) ν (1 - λ), λ the share of the variance that is added."""
    imputed = lost**2 / (m - 1)
    with np.errstate(divide="ignore"):
        observed = np.zeros_like(lost) if np.isinf(complete) else (complete + 3) / ((complete + 1) * complete * (1 - lost))
        return np.asarray(1 / (imputed + observed))


def _checked(estimates: ArrayLike, variances: ArrayLike, complete_df: float) -> tuple[Floats, Floats]:
    """Both as arrays (m, …). Raises UsageError where they cannot be pooled."""
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if q.shape != u.shape:
        raise UsageError(f"pool: estimates have shape {q.shape}, variances {u.shape}; give one variance for every estimate")
    if q.ndim == 0 or len(q) < 2:
        raise UsageError(f"pool: {len(q) if q.ndim else 1} imputation; give the estimates of two or more, one a row")
    if not (np.isfinite(q).all() and np.isfinite(u).all()):
        raise UsageError("pool: estimates and variances must be finite; leave out analyses that failed")
    if (u < 0).any():
        raise UsageError(f"pool: a variance is {u.min():g}; give squared standard errors, which are not negative")
    if not complete_df > 0:
        raise UsageError(f"pool: complete_df = {complete_df}; give the degrees of freedom that complete data would have, above 0")
    return q, u
