"""What a call is, what it costs, and what many of them are worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaehub_molecules.search.buffer import Answer, Buffer, Call, Proposal, auc
from vaehub_molecules.search.pareto import chebyshev, front, hypervolume


def call(smiles, *values, error=""):
    return Call(Proposal(smiles, "test"), Answer(values, error), 0.0)


def pmo_auc(scores, top_n, budget, freq_log=100):
    """`top_auc` of the PMO benchmark's code with finish=True, on a list of scores in the order of calls."""
    total, prev, called = 0.0, 0.0, 0
    for idx in range(freq_log, min(len(scores), budget), freq_log):
        now = np.mean(sorted(scores[:idx], reverse=True)[:top_n])
        total += freq_log * (now + prev) / 2
        prev, called = now, idx
    now = np.mean(sorted(scores, reverse=True)[:top_n])
    total += (len(scores) - called) * (now + prev) / 2
    if len(scores) < budget:
        total += (budget - len(scores)) * now
    return total / budget


@pytest.mark.parametrize("calls", [1, 7, 99, 100, 101, 250, 999, 1000])
@pytest.mark.parametrize("top", [1, 10, 100])
def test_auc_is_that_of_pmo(calls, top):
    scores = np.random.default_rng(calls).random(calls).tolist()
    assert auc(scores, 1000, top) == pytest.approx(pmo_auc(scores, top, 1000), abs=1e-12)


def test_auc_of_a_constant_is_lost_only_in_the_first_hundred_calls():
    assert auc([1.0] * 1000, 1000) == pytest.approx(0.95)
    assert auc([], 1000) == 0


def test_failed_calls_count_as_calls_and_give_no_score():
    assert auc([np.nan] * 100 + [1.0] * 100, 200, top=1) == pytest.approx(0.25)


def test_a_molecule_is_called_once():
    buffer = Buffer()
    buffer.add([call("C", 1.0), call("CC", error="no")])
    with pytest.raises(ValueError, match="CC was called before"):
        buffer.add([call("CC", 1.0)])
    assert len(buffer) == 2
    assert "CC" in buffer
    assert [c.smiles for c in buffer.errors] == ["CC"]
    assert np.array_equal(buffer.values(), [[1.0], [np.nan]], equal_nan=True)


POINTS = st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=12)


@given(POINTS)
def test_the_front_is_who_is_beaten_by_nobody(points):
    beats = lambda a, b: all(x >= y for x, y in zip(a, b, strict=True)) and a != b  # noqa: E731
    expected = [not any(beats(other, point) for other in points) for point in points]
    assert front(np.array(points, dtype=float)).tolist() == expected


@given(POINTS)
def test_hypervolume_counts_the_cells_below_the_front(points):
    covered = {(x, y, z) for a, b, c in points for x in range(a) for y in range(b) for z in range(c)}
    assert hypervolume(np.array(points, dtype=float), np.zeros(3)) == pytest.approx(len(covered))


def test_rows_without_a_value_are_not_on_the_front():
    assert front(np.array([[np.nan, np.nan], [1.0, 0.0]])).tolist() == [False, True]


@pytest.mark.parametrize("seed", range(5))
def test_the_best_by_any_weighting_is_on_the_front(seed):
    rng = np.random.default_rng(seed)
    values = rng.random((50, 2))
    assert front(values)[chebyshev(values, rng.dirichlet(np.ones(2))).argmax()]


def test_one_objective_is_its_own_weighting():
    assert chebyshev(np.array([[3.0], [1.0]]), np.ones(1)).tolist() == [3.0, 1.0]
