"""Objectives of unlike units are never added: what is shown as best is on the front, and the units of a column change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaehub.errors import UsageError
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.commands.optimize import summary
from vaehub_molecules.search import Constraints
from vaehub_molecules.search.buffer import Answer, Buffer, Call, Proposal
from vaehub_molecules.search.goal import goal_of
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.pareto import balanced_score, chebyshev, front, front_numbers, hypervolume, scaled
from vaehub_molecules.search.result import BEST, Result
from vaehub_molecules.search.tiles import tiles

VALUES = arrays.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(2, 3)), elements=st.integers(0, 6).map(float))
OCTYLBENZENE, ASPIRIN, BOTH, PLAIN = "CCCCCCCCc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "Cc1ccncc1", "CCO"
MEASURED = {OCTYLBENZENE: (9.0, 0.10), ASPIRIN: (5.2, 0.95), PLAIN: (5.0, 0.40), BOTH: (8.0, 0.80)}


def result(values, columns=("pic50", "qed"), by="edits"):
    calls = [Call(Proposal(smiles, by), Answer(tuple(answer)), float(i)) for i, (smiles, answer) in enumerate(values.items())]
    buffer = Buffer()
    buffer.add(calls)
    return Result(buffer, columns, columns, (), budget=len(calls))


def fronts_one_by_one(values):
    """Each front found by comparing all pairs, and taken away."""
    left, out, number = set(range(len(values))), [0] * len(values), 1
    while left:
        beaten = {i for i in left for j in left if (values[j] >= values[i]).all() and (values[j] > values[i]).any()}
        for i in left - beaten:
            out[i] = number
        left, number = beaten, number + 1
    return out


@given(VALUES)
def test_fronts_are_those_of_all_pairs(values):
    assert front_numbers(values, len(values)).tolist() == fronts_one_by_one(values)


@given(VALUES, st.integers(0, 30))
def test_fronts_are_numbered_until_there_are_enough(values, enough):
    numbers, every = front_numbers(values, enough), front_numbers(values, len(values))
    assert (numbers > 0).sum() >= min(enough, len(values))
    assert (numbers == np.where(every <= numbers.max(), every, 0)).all()
    assert (numbers < numbers.max()).sum() - (numbers == 0).sum() < max(enough, 1)


def test_the_front_of_many_blocks_is_that_of_one():
    values = np.random.default_rng(0).random((5000, 3)).round(2)
    expected = [not ((values >= row).all(1) & (values > row).any(1)).any() for row in values[:300]]
    assert front(values)[:300].tolist() == expected


@given(VALUES)
def test_the_highest_score_is_on_the_front_and_between_0_and_1(values):
    scores = balanced_score(values)
    assert front(values)[scores.argmax()]
    assert (scores >= 0).all()
    assert (scores <= 1 + 1e-12).all()


@given(VALUES)
def test_scores_are_ordered_as_the_search_weighs_them_evenly(values):
    count = values.shape[1]
    sought = chebyshev(values, np.full(count, 1 / count))
    np.testing.assert_allclose(balanced_score(values), 1 + sought * count / (1 + 0.05 * count), atol=1e-12)


@given(VALUES, st.floats(0.01, 100), st.floats(-50, 50))
def test_units_change_nothing(values, factor, shift):
    other = values * np.array([factor, *[1.0] * (values.shape[1] - 1)]) + shift
    np.testing.assert_allclose(balanced_score(other), balanced_score(values), atol=1e-9)


def test_failed_calls_have_no_score_and_scale_nothing():
    values = np.array([[9.0, 0.1], [np.nan, np.nan], [5.0, 0.9]])
    assert np.isnan(balanced_score(values)).tolist() == [False, True, False]
    np.testing.assert_array_equal(scaled(values)[[0, 2]], [[1, 0], [0, 1]])
    assert np.isnan(balanced_score(np.full((2, 2), np.nan))).all()


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 5).map(float)))
def test_the_area_of_two_objectives_counts_cells(values):
    covered = {(x, y) for a, b in values.astype(int) for x in range(a) for y in range(b)}
    assert hypervolume(values, np.zeros(2)) == len(covered)


def test_a_large_front_is_measured_soon():
    angles = np.random.default_rng(0).random((1000, 2)) * np.pi / 2
    sphere = np.stack(
        [np.sin(angles[:, 0]) * np.cos(angles[:, 1]), np.sin(angles[:, 0]) * np.sin(angles[:, 1]), np.cos(angles[:, 0])], 1
    )
    assert hypervolume(sphere, np.zeros(3)) == pytest.approx(np.pi / 6, abs=0.04)


def test_best_is_what_is_high_in_all_not_what_has_the_larger_unit():
    found = result(MEASURED)
    assert found.best.smiles.tolist() == [BOTH, ASPIRIN, OCTYLBENZENE, PLAIN]
    assert found.best.front.tolist() == [1, 1, 1, 2]
    assert found.front.smiles.tolist() == [BOTH, ASPIRIN, OCTYLBENZENE]
    assert found.best.score[0] == pytest.approx((0.75 + 0.05 * (0.75 + 0.7 / 0.85)) / 1.1)
    milli = result({smiles: (1000 * pic50, qed) for smiles, (pic50, qed) in MEASURED.items()})
    assert milli.best.smiles.tolist() == found.best.smiles.tolist()
    assert f"best={BOTH}, pic50=8.000, qed=0.800, front=3" in repr(found)


def test_the_best_are_no_more_than_asked_for_and_those_of_the_first_fronts():
    values = np.random.default_rng(0).random((400, 2))
    found = result({f"C{i}": row for i, row in enumerate(values)})
    assert len(found.best) == BEST
    assert found.best.front.is_monotonic_increasing
    numbers = front_numbers(values, len(values))
    assert (numbers[found.best.call - 1] == found.best.front).all()
    assert found.best.front.iloc[-1] <= np.sort(numbers)[BEST - 1]
    for _, part in found.best.groupby("front"):
        assert part.score.is_monotonic_decreasing


def test_lines_name_the_best_in_all_and_in_each_and_no_area_under_a_curve():
    lines = summary(result(MEASURED))
    assert lines[1:4] == [
        f"best in all together: {BOTH} (pic50 8, qed 0.8)",
        f"highest pic50: {OCTYLBENZENE} (pic50 9, qed 0.1)",
        f"highest qed: {ASPIRIN} (pic50 5.2, qed 0.95)",
    ]
    assert lines[-1] == "3 molecules on the front; it covers 63% of what lies between the worst and the best values seen"
    assert "AUC" not in "".join(lines)


def test_there_is_no_mean_of_unlike_units():
    with pytest.raises(
        UsageError, match="auc: is of one objective, not of pic50, qed; see front and hypervolume, or give weights"
    ):
        result(MEASURED).auc()


def test_one_objective_is_ranked_by_its_score():
    found = result({"C": (1.0,), "CC": (3.0,), "CCC": (3.0,), "CCCC": (2.0,)}, ("score",))
    assert found.best.smiles.tolist() == ["CC", "CCC", "CCCC", "C"]
    assert "front" not in found.best
    assert summary(found)[1] == "best 3: CC"


def test_nothing_found_is_no_error():
    found = result({"C": (), "CC": ()})
    assert found.best.empty
    assert found.front.empty
    assert found.trace.columns[-2:].tolist() == ["pic50", "qed"]
    assert summary(found)[-1] == "0 molecules on the front"
    assert [tile.value for tile in tiles(found)] == ["none", "none", "0", "2"]


def test_an_objective_named_as_a_column_has_a_column_of_its_own():
    def score(smiles):
        return 1.0

    assert goal_of([score, "qed"]).columns == ("objective score", "qed")
    assert goal_of(score).columns == ("score",)


@pytest.mark.parametrize(
    ("values", "standing"),
    [
        ({}, "no value yet"),
        ({"C": ()}, "no value yet"),
        ({"C": (1.5,), "N": (-2.0,)}, "best 1.5"),
        ({"C": (9.0, 0.25), "N": (5.0, 0.5), "O": ()}, "best 9, 0.5"),
    ],
)
def test_a_line_of_progress_has_the_best_value_of_each(values, standing):
    state = SearchState(None, ("a",), (), None, Constraints(), Policy(), 0, 10, result(values).buffer)
    assert state.standing == standing


def test_figures_of_the_page_keep_to_their_units():
    found = {tile.name: (tile.value, tile.note) for tile in tiles(result(MEASURED, by="pool"))}
    assert found["highest pic50"] == ("9.000", "9.000 of leads and pool")
    assert found["highest qed"] == ("0.9500", "0.9500 of leads and pool")
    assert found["front"] == ("3", "molecules that none beats in all objectives; 0 of them the search made")
    assert "best score" not in found
