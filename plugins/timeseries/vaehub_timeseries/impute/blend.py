"""The experts as one: their weights, and the distribution of the blend's errors, both from held-out cells.

Letters of shapes: T steps, C channels, B bins of gap lengths, K experts, Q levels, n held-out cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from vaehub_timeseries.impute.conformal import Calibration, score_sums
from vaehub_timeseries.impute.experts import Floats, Integers, Mask, Prediction, mixture_moments
from vaehub_timeseries.impute.gate import best_weights, lattice_losses
from vaehub_timeseries.impute.held_out import HeldOut

BLOCKS = 8  # of the data, every other one of which tests what was fitted on the rest
GOLDEN = 0.6180339887498949  # multiples of it fill 0 … 1 evenly
SHARES: Floats = np.linspace(0.01, 0.99, 99)
FEWEST_EXACT, ROUNDS = 20, 15  # errors that are known exactly, below which those of a Gaussian come first; rounds of spreading
LINEAR = 0  # the number of the expert that the imputer is never worse than


@dataclass(frozen=True)
class CalibratedBlend:
    """Weights of the experts (C * B, K), the calibration, and the channels (C,) whose estimate is linear interpolation as it is."""

    weights: Floats
    calibration: Calibration
    linear_only: Mask

    @classmethod
    def of(cls, held_out: HeldOut, channels: int) -> CalibratedBlend:
        """From held-out cells. Linear interpolation is kept in channels where it has the smaller error in cross-validation.

        The calibration is by errors of cross-validation as well: those of cells that the weights were fitted to are too small.
        """
        validation = CrossValidation.of(held_out, channels)
        linear_only = validation.worse_than_linear
        linear = linear_only[held_out.channel]
        mean, sd = (
            np.where(linear, own[LINEAR], out)
            for own, out in zip((held_out.means, held_out.sds), validation.moments, strict=True)
        )
        return cls(fitted_weights(held_out, channels, linear_only), calibration_by(held_out, mean, sd, channels), linear_only)

    @classmethod
    def fit_with(cls, held_out: HeldOut, channels: int, linear_only: Mask) -> CalibratedBlend:
        """As the cells say, which are weighed and calibrated by alike, but linear interpolation in the `linear_only` channels (C,)."""
        weights = fitted_weights(held_out, channels, linear_only)
        mean, sd = mixture_moments(held_out.means, held_out.sds, weights[held_out.group].T)
        return cls(weights, calibration_by(held_out, mean, sd, channels), linear_only)

    def joined(self, ends: CalibratedBlend) -> CalibratedBlend:
        """Two blends as one with twice the channels: the groups of `ends` come after its own."""
        cdf = np.concatenate([self.calibration.cdf, ends.calibration.cdf])
        linear_only = np.concatenate([self.linear_only, ends.linear_only])
        return CalibratedBlend(np.concatenate([self.weights, ends.weights]), Calibration(cdf), linear_only)

    def combine(self, predictions: Sequence[Prediction], group: Integers, missing: Mask) -> Prediction:
        """The experts' predictions of a series (T, C) as one, by the group of every cell."""
        means, sds = np.stack([b.mean for b in predictions]), np.stack([b.sd for b in predictions])
        mean, sd = mixture_moments(means, sds, np.moveaxis(self.weights[group], -1, 0))
        return Prediction(np.where(missing, mean, means[0]), np.where(missing, sd, 0.0))

    def most_weighted(self, groups: Sequence[Integers], missing: Sequence[Mask]) -> int:
        """The number of the expert with the most weight in the missing cells of all series (T, C)."""
        cells = np.concatenate([group[m] for group, m in zip(groups, missing, strict=True)])
        return int((self.weights.T @ np.bincount(cells, minlength=len(self.weights))).argmax())

    def table(self, levels: Floats, absent: Mask) -> Floats:
        """Standardised quantiles (C * B, Q). Of channels (C,) with nothing observed those of a Gaussian."""
        table = self.calibration.quantiles(levels)
        median = self.calibration.quantiles(np.array([0.5]))
        table[self.linear_only] -= median[self.linear_only]
        table[np.resize(absent, len(table))] = norm.ppf(levels)
        return table.reshape(-1, len(levels))

    def quantiles_at(self, levels: Floats, group: Integers, absent: Mask) -> Floats:
        """The standardised quantile at a level of its own for every cell of a series (T, C)."""
        out = self.calibration.quantiles_at(levels, group)
        median = self.calibration.quantiles(np.array([0.5]))[..., 0]
        out = out - (median * self.linear_only[:, None]).reshape(-1)[group]
        return np.where(absent, norm.ppf(levels), out)

    def predict(self, cells: HeldOut) -> tuple[Floats, Floats]:
        """Point estimates (n,) of hidden cells, and the level (n,) that each truth turned out to be."""
        mean, sd = mixture_moments(cells.means, cells.sds, self.weights[cells.group].T)
        absent = np.zeros(len(self.linear_only), dtype=bool)
        level = self.calibration.levels((cells.truth - mean) / sd, cells.group)
        at_lower, at_upper = cells.ends  # any level beyond is one at which the quantile is the bound itself
        level = np.where(at_lower, np.minimum(level, 0.5), level)
        level = np.where(at_upper, np.maximum(level, 0.5), level)
        return mean + sd * self.table(np.array([0.5]), absent)[cells.group, 0], level


def fitted_weights(held_out: HeldOut, channels: int, linear_only: Mask) -> Floats:
    """The best weights (C * B, K), linear interpolation's in the `linear_only` channels (C,)."""
    experts = len(held_out.means)
    best = best_weights(lattice_losses(held_out, channels), experts)
    best[linear_only] = np.eye(experts)[LINEAR]
    return best.reshape(-1, experts)


def calibration_by(held_out: HeldOut, mean: Floats, sd: Floats, channels: int) -> Calibration:
    """The calibration by the errors of predictions mean, sd (n,) of held-out cells."""
    return Calibration.of(score_sums(held_out.group, standardised_errors(held_out, mean, sd), held_out.weight, channels))


def standardised_errors(cells: HeldOut, mean: Floats, sd: Floats) -> Floats:
    """(truth - mean) / sd (n,); a truth at a bound, which may lie anywhere beyond, counts as spread over its channel's errors beyond it."""
    score = (cells.truth - mean) / sd
    at_lower, at_upper = cells.ends
    for channel in np.unique(cells.channel[at_lower | at_upper]):
        own = cells.channel == channel
        score[own] = spread_beyond(score[own], at_lower[own], at_upper[own])
    return np.asarray(score)


def spread_beyond(score: Floats, at_lower: Mask, at_upper: Mask) -> Floats:
    """Scores (n,) of which some are only limits: these are laid evenly over the distribution of all beyond them, again and again.

    This is the self-consistent estimate of a distribution from censored numbers, "The Empirical Distribution Function with Arbitrarily
    Grouped, Censored and Truncated Data" (Turnbull, 1976), doi:10.1111/j.2517-6161.1976.tb01597.x.
    """
    exact = ~(at_lower | at_upper)
    out, pool = score.copy(), np.sort(score[exact]) if exact.sum() >= FEWEST_EXACT else norm.ppf(SHARES)
    for _ in range(ROUNDS):
        for cut, least, most in ((at_lower, 0.0, None), (at_upper, None, 1.0)):
            share = (GOLDEN * (1 + np.arange(cut.sum()))) % 1.0
            here = np.searchsorted(pool, score[cut]) / len(pool)
            low, high = (here if least is None else least), (here if most is None else most)
            out[cut] = np.interp(low + share * (high - low), (np.arange(len(pool)) + 0.5) / len(pool), pool)
        out[at_lower] = np.minimum(out[at_lower], score[at_lower])
        out[at_upper] = np.maximum(out[at_upper], score[at_upper])
        pool = np.sort(out)
    return out


@dataclass(frozen=True)
class CrossValidation:
    """Held-out cells judged by a blend fitted on the other half of the data: error (n,), level (n,), `moments`, the mean and sd (n,)
    that were predicted, and channels (C,) `worse_than_linear`."""

    cells: HeldOut
    error: Floats
    level: Floats
    moments: Floats  # (2, n)
    worse_than_linear: Mask

    @classmethod
    def of(cls, cells: HeldOut, channels: int) -> CrossValidation:
        """Every other block of the data is predicted by a blend fitted on the rest."""
        half = (cells.place * BLOCKS).astype(np.int64) % 2 == 1
        error, level, moments = np.zeros(len(half)), np.full(len(half), 0.5), np.zeros((2, len(half)))
        for part in (half, ~half):
            if part.any():
                blend, judged = (
                    CalibratedBlend.fit_with(cells.take(~part), channels, np.zeros(channels, dtype=bool)),
                    cells.take(part),
                )
                estimate, level[part] = blend.predict(judged)
                error[part] = judged.error(estimate)
                moments[:, part] = mixture_moments(judged.means, judged.sds, blend.weights[judged.group].T)
        linear = cells.error(cells.means[LINEAR])
        gained = np.bincount(cells.channel, linear - error, channels)
        return cls(cells, np.where(gained[cells.channel] < 0, linear, error), level, moments, gained < 0)
