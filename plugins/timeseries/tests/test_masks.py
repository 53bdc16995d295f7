"""Missingness patterns: rates, dependence on values, lengths of gaps, and gaps transplanted from the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_timeseries import masks
from vaehub_timeseries.gaps import Gaps

SHAPE = (400, 30)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((2000, 6)) @ rng.standard_normal((6, 6))


def longest(mask: np.ndarray) -> int:
    return int(masks.gap_lengths(mask).max())


def naive_gap_lengths(missing: np.ndarray) -> np.ndarray:
    out = np.zeros(missing.shape, dtype=int)
    for t, c in zip(*np.nonzero(missing), strict=True):
        low = high = t
        while low > 0 and missing[low - 1, c]:
            low -= 1
        while high + 1 < len(missing) and missing[high + 1, c]:
            high += 1
        out[t, c] = high - low + 1
    return out


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_rates_are_met(rng: np.random.Generator, rate: float) -> None:
    shape = (20, *SHAPE)
    drawn = {
        "mcar": masks.mcar(shape, rate, rng),
        "rows": masks.rows(shape, rate, rng),
        "runs": masks.runs(shape, rate, 7, rng),
        "blocks": masks.blocks(shape, rate, 5, 3, rng),
        "mixture": masks.mixture(shape, rate, rng),
    }
    for name, mask in drawn.items():
        assert mask.shape == shape
        assert mask.dtype == bool
        assert mask.mean() == pytest.approx(rate, abs=0.03), name


def test_every_cell_of_runs_and_blocks_is_as_likely(rng: np.random.Generator) -> None:
    many = masks.blocks((4000, 10, 6), 0.3, 4, 3, rng)
    assert np.abs(many.mean(0) - 0.3).max() < 0.04


def test_rows_are_whole(rng: np.random.Generator) -> None:
    mask = masks.rows(SHAPE, 0.3, rng)
    assert (mask.all(1) == mask.any(1)).all()


def test_runs_have_their_length(rng: np.random.Generator) -> None:
    inner = Gaps.of(masks.runs((3000, 4), 0.05, 6, rng))
    whole = (inner.start > 0) & (inner.start + inner.length < 3000)
    assert inner.length[whole].min() == 6
    assert np.median(inner.length[whole]) == 6


def test_blocks_span_neighbouring_channels(rng: np.random.Generator) -> None:
    mask = masks.blocks((300, 20), 0.02, 5, 4, rng)
    inside = masks.gap_lengths(mask[5:-5].T)[4:-4]  # along channels, away from the edges
    assert inside[inside > 0].min() == 4


def test_size_beyond_the_array_is_the_whole_array(rng: np.random.Generator) -> None:
    assert masks.runs((5, 2), 0.5, 99, rng).shape == (5, 2)
    assert masks.blocks((5, 2), 1.0, 99, 99, rng).all()


def test_mnar_hides_high_values(rng: np.random.Generator, values: np.ndarray) -> None:
    mask = masks.mnar(values, 0.3, rng)
    assert np.abs(mask.mean(0) - 0.3).max() < 0.03
    for column, hidden in zip(values.T, mask.T, strict=True):
        assert column[hidden].mean() > column[~hidden].mean() + 0.8 * column.std()


def test_mar_depends_on_others_but_given_them_not_on_itself(rng: np.random.Generator, values: np.ndarray) -> None:
    mask = masks.mar(values, 0.4, rng)
    losing = mask.any(0)
    assert losing.sum() == 3
    assert np.abs(mask[:, losing].mean(0) - 0.4).max() < 0.04
    own = values[:, losing]
    others = np.c_[np.ones(len(values)), values[:, ~losing]]
    rest = own - others @ np.linalg.lstsq(others, own, rcond=None)[0]
    guessed = others @ np.linalg.lstsq(others, mask[:, losing].astype(float), rcond=None)[0]
    unexplained = mask[:, losing] - guessed
    for c in range(3):
        assert np.corrcoef(guessed[:, c], mask[:, losing][:, c])[0, 1] > 0.5
        assert abs(np.corrcoef(rest[:, c], unexplained[:, c])[0, 1]) < 0.08


@pytest.mark.parametrize("pattern", [masks.mar, masks.mnar])
def test_missing_cells_are_not_hidden_again(pattern: object, rng: np.random.Generator, values: np.ndarray) -> None:
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 0] = 3.0
    mask = pattern(values, 0.5, rng)  # type: ignore[operator]
    assert not (mask & np.isnan(values)).any()
    seen = np.where(np.isnan(values), np.nan, mask)[:, mask.any(0)]
    assert np.abs(np.nanmean(seen, 0) - 0.5).max() < 0.05


def test_patterns_take_windows(rng: np.random.Generator) -> None:
    values = rng.standard_normal((50, 12, 3))
    assert masks.mar(values, 0.2, rng).shape == masks.mnar(values, 0.2, rng).shape == values.shape


def test_all_missing_is_no_trouble(rng: np.random.Generator) -> None:
    nothing = np.full((10, 2), np.nan)
    assert not masks.mar(nothing, 0.5, rng).any()
    assert not masks.mnar(nothing, 0.5, rng).any()
    assert not masks.transplant(np.zeros((10, 2), dtype=bool), 0.5, rng).any()


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_gap_lengths_match_a_loop(seed: int, rate: float) -> None:
    missing = np.random.default_rng(seed).random((17, 4)) < rate
    assert (masks.gap_lengths(missing) == naive_gap_lengths(missing)).all()


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("gaps", ["points", "runs", "rows", "none"])
def test_transplant_hides_the_fraction_of_what_is_observed(gaps: str, fraction: float, rng: np.random.Generator) -> None:
    shape = (1500, 6)
    missing = {
        "points": masks.mcar(shape, 0.5, rng),
        "runs": masks.runs(shape, 0.2, 10, rng),
        "rows": masks.rows(shape, 0.1, rng),
        "none": np.zeros(shape, dtype=bool),
    }[gaps]
    hidden = masks.transplant(~missing, fraction, rng)
    assert not (hidden & missing).any()
    assert hidden.sum() / (~missing).sum() == pytest.approx(fraction, abs=0.06 if gaps == "none" else 0.005)


def test_transplant_keeps_lengths_channels_and_what_goes_together(rng: np.random.Generator) -> None:
    missing = np.zeros((4000, 4), dtype=bool)
    for start in range(100, 4000, 400):
        missing[start : start + 20, :2] = True  # channels 0 and 1 always fail together, 2 fails alone, 3 never
        missing[start + 200 : start + 203, 2] = True
    hidden = masks.transplant(~missing, 0.05, rng)
    clear = hidden & ~missing.any(1, keepdims=True)
    assert (clear[:, 0] != clear[:, 1]).mean() < 0.2 * clear[:, 0].mean()
    lengths = masks.gap_lengths(hidden)
    assert np.median(lengths[:, 0][hidden[:, 0]]) == pytest.approx(20, abs=10)
    assert np.median(lengths[:, 2][hidden[:, 2]]) == 3
    moved = hidden[:, 2].nonzero()[0]
    assert not set(moved % 400) <= set(range(298, 306)), "gaps stay where they were"


def test_transplant_reaches_every_channel_that_has_values(rng: np.random.Generator) -> None:
    observed = ~masks.runs((3000, 5), 0.1, 12, rng)
    observed[:, 1] = True  # no gaps of its own
    observed[300:, 2] = False  # seen at the start only
    observed[:, 3] = False  # never seen
    hidden = masks.transplant(observed, 0.1, rng)
    share = hidden.sum(0) / observed.sum(0).clip(1)
    assert hidden.sum() / observed.sum() == pytest.approx(0.1, abs=0.01)
    assert share[3] == 0
    assert (share[[0, 1, 2, 4]] > 0.02).all()
    assert masks.gap_lengths(hidden)[:, 1].max() >= 12


def test_transplant_leaves_half_of_a_channel_that_has_one_huge_gap(rng: np.random.Generator) -> None:
    observed = np.ones((1000, 3), dtype=bool)
    observed[100:, 0] = False
    for _ in range(20):
        hidden = masks.transplant(observed, 0.01, rng)
        assert hidden[:, 0].sum() <= 60


def test_same_seed_same_masks(values: np.ndarray) -> None:
    observed = np.random.default_rng(1).random((300, 5)) < 0.8
    for draw in (
        lambda rng: masks.transplant(observed, 0.1, rng),
        lambda rng: masks.mar(values, 0.3, rng),
        lambda rng: masks.blocks(SHAPE, 0.3, 4, 2, rng),
    ):
        assert (draw(np.random.default_rng(3)) == draw(np.random.default_rng(3))).all()
        assert (draw(np.random.default_rng(3)) != draw(np.random.default_rng(4))).any()


def test_long_series_take_no_time(rng: np.random.Generator) -> None:
    observed = ~masks.runs((100_000, 8), 0.2, 5, rng)
    hidden = masks.transplant(observed, 0.1, rng)
    assert hidden.sum() / observed.sum() == pytest.approx(0.1, abs=0.001)
    assert masks.gap_lengths(~observed).shape == observed.shape


def test_mistakes_are_named(rng: np.random.Generator) -> None:
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="from 0 to 1"):
            masks.mcar((3, 3), rate, rng)
    with pytest.raises(UsageError, match="two channels"):
        masks.mar(np.zeros((5, 1)), 0.5, rng)
    with pytest.raises(UsageError, match="length"):
        masks.runs((5, 1), 0.5, 0, rng)
