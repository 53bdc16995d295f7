"""A generator of series: normal scores = rhythm + what varies from block to block + a stationary process of varying strength.

A block is a day where the table has stamps, else BLOCK steps. The rhythm is the mean score at every step of a block. Of each block of the
data the state is kept, the coefficients of a few harmonics and the logarithm of how strong the remainder is, per channel. New series take
the states of successive blocks of the data, all moved by one random vector (a smoothed bootstrap, "An Introduction to the Bootstrap" (Efron &
Tibshirani, 1993), doi:10.1201/9780429246593), so that levels and roughness drift and go together as they did. The remainder is mostly that of
other blocks with a similar state, so that bursts come at their hours ("A nearest neighbor bootstrap for resampling hydrologic time series"
(Lall & Sharma, 1996), doi:10.1029/95WR02966), and partly, in a table with few blocks wholly, a new draw of a Gaussian process. The scores
become values by the empirical law of their column: a Gaussian copula, which keeps bounds and ties.
Letters of shapes: B blocks, P steps of a block, K coefficients, C channels, L lags, S series, n new series, T steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from vaehub_timeseries.generation.laws import Law, laws_of, normal_scores
from vaehub_timeseries.impute.linear import Neighbours
from vaehub_timeseries.model.em import Autocovariance, m_step
from vaehub_timeseries.model.gaussian import GaussianExpert

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
BLOCK, LONGEST = 24, 96  # steps
HARMONICS = 2
LAGS, LAG_CELLS = 24, 512  # of the process of the remainder: at most so many, and so many cells of a window
MOVED = 0.25  # of the states' standard deviation, by which a new series differs from the blocks it follows
TURN = 3.0  # one block gives way to the next within 1 / TURN of the way between their middles
MOST_BLOCKS, MOST_NUMBERS = 2_000, 2_000_000  # that are kept, and of their remainders
NEIGHBOURS, FEWEST_DONORS = 10, 30  # blocks with a similar state, and of how many blocks at least they are chosen
FRESH = 0.3  # of the remainder's standard deviation, that is new
MOST_GROUPS, FEWEST_BLOCKS, FEWEST_CELLS = (
    32,
    5,
    100,
)  # entities that have laws of their own, with so many blocks, and cells of a column
FEW = 2.0  # blocks' worth of trust in the mean of all series
WEAKEST = 1e-4  # variance of a remainder
REFERENCE = 20_000  # steps that are drawn to learn the generator's own law


@dataclass(frozen=True)
class Generator:
    """What generating needs.

    rhythm, strength: mean score and strength of the remainder (P, C) by step of a block; states (B, (K + 1) C); owner (B,): the series of
    each block; gamma, noise, mean: the process of the remainder; quantiles (G, C, Q): of the data, by group of series; group (S,): that of each;
    own (C, Q): of the generator's scores; support (V,), cuts (C + 1,): the values of columns that have few; remainders (B, P, C) of the blocks,
    none where there are few.
    """

    rhythm: Floats
    strength: Floats
    states: Floats
    owner: Integers
    mean: Floats
    gamma: Floats
    noise: Floats
    quantiles: Floats
    group: Integers
    own: Floats
    support: Floats
    cuts: Integers
    remainders: Floats

    def laws(self, group: int) -> list[Law]:
        """The law of every column in a group of series."""
        parts = np.split(self.support, self.cuts[1:-1])
        return [Law(quantiles, part) for quantiles, part in zip(self.quantiles[group], parts, strict=True)]

    @property
    def period(self) -> int:
        """P."""
        return len(self.rhythm)

    @property
    def channels(self) -> int:
        """C."""
        return int(self.rhythm.shape[1])

    def draw(
        self, n: int, steps: int, seed: int, indicators: NDArray[np.bool_], series: Integers | None = None, first: int = 0
    ) -> tuple[Floats, Integers]:
        """n new series (n, T, C), and which of the data each follows (n,).

        Arguments:
            n: How many.
            steps: T.
            seed: Of the random numbers.
            indicators: The channels (C,) of categories: how far each is above what makes its category hold, of which the highest wins.
            series: Those of the data that may be followed; all, if not given.
            first: The step of a block that the new series begin with.
        """
        rng = np.random.default_rng(seed)
        allowed = np.arange(len(self.owner)) if series is None else np.flatnonzero(np.isin(self.owner, series))
        begun = np.concatenate([rng.permutation(allowed) for _ in range(-(-n // len(allowed)))])[:n]
        levels = own_levels(self.scores(begun, steps, rng, first), self.own)
        groups, values = self.group[self.owner[begun]], np.empty(levels.shape)
        for group in np.unique(groups):
            here = groups == group
            for c, law in enumerate(self.laws(int(group))):
                at = levels[here][..., c]
                values[here, :, c] = at + law.quantiles.mean() - 1 if indicators[c] else law.values_at(at)
        return values, self.owner[begun]

    def scores(self, begun: Integers, steps: int, rng: np.random.Generator, first: int) -> Floats:
        """The scores (n, T, C) of new series that follow the data from the blocks `begun` (n,) on."""
        process = Autocovariance(*(torch.from_numpy(part) for part in (self.mean, self.gamma, self.noise)))
        remainder = GaussianExpert("remainder", process).generate(len(begun), steps, int(rng.integers(2**31)))
        time = first + np.arange(steps)
        blocks = np.arange(-1, (first + steps) // self.period + 2)
        states = self._states(begun, len(blocks), rng)
        if len(self.remainders):
            donors = self._donors(begun, len(blocks) - 2, rng)
            borrowed = self.remainders[donors].reshape(len(begun), -1, self.channels)[:, first : first + steps]
            remainder = np.sqrt(1 - FRESH**2) * borrowed + FRESH * remainder
        path = state_path(states, blocks, time, self.period, self.channels)
        strength = np.exp(path[1]) * self.strength[time % self.period]
        return np.asarray(path[0] + self.rhythm[time % self.period] + remainder * strength)

    def _states(self, begun: Integers, count: int, rng: np.random.Generator) -> Floats:
        """States (n, count, …) of successive blocks, those of one new series all moved by the same random vector."""
        ends = np.searchsorted(self.owner, self.owner[begun], side="right") - 1
        chosen = self.states[np.minimum(begun[:, None] + np.arange(count), ends[:, None])]
        levels = levels_of(self.states, self.owner)
        spread = np.linalg.cholesky(covariance_of(self.states - levels))
        moved = rng.standard_normal((len(begun), 1, self.states.shape[1])) @ spread.T
        level = levels[begun][:, None]
        return np.asarray(level + (chosen - level + MOVED * moved) / np.sqrt(1 + MOVED**2))

    def _donors(self, begun: Integers, count: int, rng: np.random.Generator) -> Integers:
        """The blocks (n, count) that new series which follow the data from `begun` (n,) on have their remainders from.

        They are successive ones, the first with a state near that of the block followed; another where a series of the data ends.
        """
        ends = np.searchsorted(self.owner, self.owner, side="right") - 1
        scaled = (self.states - self.states.mean(0)) / np.sqrt(self.states.var(0) + WEAKEST)
        donors = np.empty((len(begun), count), np.int64)
        for i in range(count):
            follows = np.minimum(begun + 1 + i, ends[begun])
            over = np.ones(len(begun), bool) if i == 0 else donors[:, i - 1] == ends[donors[:, i - 1]]
            donors[~over, i] = donors[~over, i - 1] + 1
            apart = cdist(scaled[follows[over]], scaled)
            apart[np.arange(len(apart)), follows[over]] = np.inf
            near = np.argpartition(apart, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            donors[over, i] = near[np.arange(len(near)), rng.integers(NEIGHBOURS, size=len(near))]
        return donors

    def to_tensors(self) -> dict[str, torch.Tensor]:
        """All arrays by name."""
        return {f.name: torch.from_numpy(np.ascontiguousarray(vars(self)[f.name])) for f in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: dict[str, torch.Tensor]) -> Generator:
        """What `to_tensors` gave; models of vaehub 0.2.0 have no remainders. Raises KeyError where something is missing."""
        arrays = {"remainders": np.zeros((0, 0, 0))} | {name: tensor.numpy() for name, tensor in tensors.items()}
        return cls(**{f.name: arrays[f.name] for f in fields(cls)})


def fit_generator(
    series: Sequence[Floats], period: int | None, firsts: Sequence[int], entities: Sequence[int] | None = None
) -> Generator:
    """Learn from series (T_i, C) in the user's units, NaN where unobserved.

    Arguments:
        series: Their columns are numbers, or indicators of categories.
        period: Steps of a day; BLOCK if it is not known.
        firsts: Which step of a day each series begins with.
        entities: The entity of each series, whose columns have laws of their own where all entities are long.
    """
    steps = min(period if period is not None and period <= LONGEST else BLOCK, max(map(len, series)))
    group = groups_of(series, entities, steps)
    parts: list[Floats] = [np.empty(0)] * len(series)
    for each in np.unique(group):
        members = np.flatnonzero(group == each).tolist()
        ends = np.cumsum([len(series[i]) for i in members])[:-1]
        for i, part in zip(members, np.split(normal_scores(np.concatenate([series[i] for i in members])), ends), strict=True):
            parts[i] = part
    scored = np.concatenate(parts)
    phases = [(first + np.arange(len(x))) % steps for first, x in zip(firsts, series, strict=True)]
    rhythm = mean_by_phase(scored, np.concatenate(phases), steps)
    aligned = [blocks_of(z, first % steps, steps, rhythm) for z, first in zip(parts, firsts, strict=True)]
    states, remainders = zip(*(state_and_remainder(z, steps) for z in aligned), strict=True)
    seen = [~np.isnan(z) for z in aligned]
    together = np.concatenate([np.where(s, r, np.nan) for s, r in zip(seen, remainders, strict=True)])
    strength = np.sqrt(mean_by_phase(together**2, np.tile(np.arange(steps), len(together) // steps), steps, 1.0) + WEAKEST)
    even = [r / np.tile(strength, (len(r) // steps, 1)) for r in remainders]
    lags = max(1, min(LAGS, LAG_CELLS // scored.shape[1], max(map(len, even))))
    process = m_step([torch.from_numpy(np.ascontiguousarray(r)) for r in even], None, lags)
    laws = laws_of(series)
    by_group = [laws_of([series[int(i)] for i in np.flatnonzero(group == each)]) for each in np.unique(group)]
    owner = np.repeat(np.arange(len(series)), [len(s) for s in states])
    most = min(len(owner), MOST_BLOCKS, max(1, MOST_NUMBERS // rhythm.size))
    kept = np.linspace(0, len(owner) - 1, most).astype(np.int64)
    draft = Generator(
        rhythm,
        strength,
        np.concatenate(states)[kept],
        owner[kept],
        process.mean.numpy(),
        process.gamma.numpy(),
        process.noise.numpy(),
        quantiles=np.stack([[law.quantiles for law in part] for part in by_group]),
        group=group,
        own=np.zeros((0, 0)),
        support=np.concatenate([law.support for law in laws]),
        cuts=np.cumsum([0, *(len(law.support) for law in laws)]),
        remainders=blocks_without_gaps(even, seen, process, steps)[kept] if most >= FEWEST_DONORS else np.zeros((0, 0, 0)),
    )
    return with_own_law(draft)


def blocks_without_gaps(
    series: Sequence[Floats], seen: Sequence[NDArray[np.bool_]], process: Autocovariance, steps: int
) -> Floats:
    """Remainders (B P, C) as blocks (B, P, C), with a draw of their process in the cells that were not observed."""
    holed = [np.where(s, x, np.nan) for x, s in zip(series, seen, strict=True)]
    drawn = [one[0] for one in GaussianExpert("remainder", process).draw(holed, 1, seed=0)]
    return np.concatenate([x.reshape(-1, steps, x.shape[1]) for x in drawn])


def groups_of(series: Sequence[Floats], entities: Sequence[int] | None, steps: int) -> Integers:
    """The group (S,) of each series whose columns share their laws: its entity where there are few and long ones, else 0 for all."""
    group = np.asarray(np.zeros(len(series)) if entities is None else entities, np.int64)
    rows = np.bincount(group, [len(x) for x in series])
    cells = np.stack(
        [sum((~np.isnan(x)).sum(0) for x, g in zip(series, group, strict=True) if g == each) for each in np.unique(group)]
    )
    alone = len(cells) <= MOST_GROUPS and rows.min() >= FEWEST_BLOCKS * steps and cells.min() >= FEWEST_CELLS
    return group if alone else np.zeros_like(group)


def with_own_law(draft: Generator) -> Generator:
    """The generator with the law of its own scores, by which they become levels between 0 and 1."""
    steps = draft.period
    rng = np.random.default_rng(0)
    begun = rng.integers(len(draft.owner), size=max(1, REFERENCE // steps))
    drawn = draft.scores(begun, steps, rng, 0).reshape(-1, draft.channels)
    levels = np.linspace(0, 1, draft.quantiles.shape[2])
    values: dict[str, Any] = {**vars(draft), "own": np.quantile(drawn, levels, axis=0).T}
    return Generator(**values)


def own_levels(scores: Floats, own: Floats) -> Floats:
    """The level (…, C) of scores in the generator's own law (C, Q)."""
    levels = np.linspace(0, 1, own.shape[1])
    return np.stack([np.interp(scores[..., c], own[c], levels) for c in range(len(own))], -1)


def mean_by_phase(cells: Floats, phase: Integers, steps: int, default: float = 0.0) -> Floats:
    """The mean (P, C) of observed cells (R, C) at each step of a block; `default` where there are none."""
    seen = ~np.isnan(cells)
    total, count = np.zeros((steps, cells.shape[1])), np.zeros((steps, cells.shape[1]))
    np.add.at(total, phase, np.where(seen, cells, 0.0))
    np.add.at(count, phase, seen)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), default))


def blocks_of(scored: Floats, first: int, steps: int, rhythm: Floats) -> Floats:
    """A series less its rhythm as whole blocks (B P, C), padded with NaN at both ends."""
    short = -(first + len(scored)) % steps
    whole = np.pad(scored, ((first, short), (0, 0)), constant_values=np.nan)
    return np.asarray(whole - np.tile(rhythm, (len(whole) // steps, 1)))


def state_and_remainder(scored: Floats, steps: int) -> tuple[Floats, Floats]:
    """States (B, (K + 1) C) of the blocks of a series (B P, C), and what they leave, each block at strength 1 (B P, C)."""
    channels, count = scored.shape[1], len(scored) // steps
    whole = Neighbours.of(scored, causal=False).interpolate(scored)
    fit = np.linalg.pinv(basis(np.arange(steps), steps))
    coefficients = np.einsum("kp,bpc->bkc", fit, whole.reshape(count, steps, channels))
    time, blocks = np.arange(len(scored)), np.arange(count)
    flat = np.concatenate([coefficients.reshape(count, -1), np.zeros((count, channels))], 1)
    left = whole - state_path(flat[None], blocks, time, steps, channels)[0][0]
    seen = (~np.isnan(scored)).reshape(count, steps, channels)
    size = (np.where(seen, left.reshape(count, steps, channels), 0.0) ** 2).sum(1) / np.maximum(seen.sum(1), 1)
    sure = np.where(seen.sum(1) > steps / 2, 0.5 * np.log(size + WEAKEST), np.nan)
    strength = Neighbours.of(sure, causal=False).interpolate(sure)
    states = np.concatenate([coefficients.reshape(count, -1), strength], 1)
    return states, left / np.exp(state_path(states[None], blocks, time, steps, channels)[1][0])


def basis(time: Integers, steps: int) -> Floats:
    """1 and the harmonics (T, K) of a block."""
    angle = 2 * np.pi * time / steps
    waves = [wave(k * angle) for k in range(1, min(HARMONICS, (steps - 1) // 2) + 1) for wave in (np.cos, np.sin)]
    return np.stack([np.ones(len(time)), *waves], 1)


def state_path(states: Floats, blocks: Integers, time: Integers, steps: int, channels: int) -> tuple[Floats, Floats]:
    """Course of the states (n, B, (K + 1) C) over time: what they add to the scores (n, T, C), and the logarithm of the strength (n, T, C)."""
    middle = (blocks + 0.5) * steps - 0.5
    before = np.clip(np.searchsorted(middle, time, side="right") - 1, 0, max(len(blocks) - 2, 0))
    after = np.minimum(before + 1, len(blocks) - 1)
    share = np.clip((time - middle[before]) / steps, 0, 1)[:, None]
    turned = np.clip((share - 0.5) * TURN + 0.5, 0, 1)
    waves = basis(time, steps)
    coefficients = states[..., : waves.shape[1] * channels].reshape(len(states), len(blocks), -1, channels)
    now, then = (np.einsum("tk,ntkc->ntc", waves, coefficients[:, at]) for at in (before, after))
    strength = states[..., waves.shape[1] * channels :]
    return now * (1 - turned) + then * turned, strength[:, before] * (1 - share) + strength[:, after] * share


def levels_of(states: Floats, owner: Integers) -> Floats:
    """The mean state (B, D) of the series that each block is of, drawn towards the mean of all where it has few blocks."""
    _, place, count = np.unique(owner, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), states.shape[1]))
    np.add.at(total, place, states)
    return np.asarray(
        ((total + FEW * states.mean(0)) / (count[:, None] + FEW))[place] if len(count) > 1 else states.mean(0) + 0 * states
    )


def covariance_of(states: Floats) -> Floats:
    """The covariance of states (B, D), kept positive definite."""
    apart = states - states.mean(0)
    covariance = apart.T @ apart / len(states)
    return np.asarray(covariance + 1e-9 * (1 + np.trace(covariance) / len(covariance)) * np.eye(len(covariance)))
