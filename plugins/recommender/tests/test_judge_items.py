"""What is said of lists: how popular, how surprising, how much of the catalogue; and the bands of popularity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from vaehub_recommender.judge.items import Items, coverage, gini, times_shown

TRAIN = csr_array(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]], dtype=np.float32))  # counts 4, 2, 1, 0
ITEMS = Items.of(TRAIN)


def test_counts_users_not_weights() -> None:
    assert Items.of(TRAIN * 5).counts.tolist() == [4, 2, 1, 0]
    assert ITEMS.users == 4


def test_information_is_in_bits_and_finite_for_what_nobody_has() -> None:
    assert ITEMS.information.tolist() == [0, 1, 2, 2]


def test_ranks_lie_between_zero_and_one_and_equal_counts_share_theirs() -> None:
    assert ITEMS.rank.tolist() == [7 / 8, 5 / 8, 3 / 8, 1 / 8]
    assert Items(np.array([3, 3, 1]), 5).rank.tolist() == pytest.approx([2 / 3, 2 / 3, 1 / 6])


@given(st.lists(st.integers(0, 50), min_size=2, max_size=60))
def test_bands_have_a_third_of_the_interactions_each_as_nearly_as_items_allow(counts: list[int]) -> None:
    items = Items(np.array(counts), 100)
    band, count = items.band, items.counts
    assert ((band >= 0) & (band <= 2)).all()
    order = np.argsort(-count, kind="stable")
    assert (np.diff(band[order]) >= 0).all()
    for last in (0, 1):
        before = count[band <= last].sum()
        assert before >= count.sum() * (last + 1) / 3 - 1e-9 or count.sum() == 0
        assert before - count.max() < count.sum() * (last + 1) / 3 + 1e-9


def test_held_out_items_of_one_band() -> None:
    items = Items(np.array([3, 3, 3]), 3)
    held = csr_array(np.array([[1, 1, 1], [0, 0, 0], [0, 1, 0]]))
    assert items.band.tolist() == [0, 1, 2]
    assert items.of_band(held, 1).toarray().tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert sum(items.of_band(held, band).nnz for band in range(3)) == held.nnz


def test_novelty_and_bias_worked_by_hand() -> None:
    seen = csr_array(np.array([[0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]))
    table = ITEMS.of_lists(np.array([[0, 2, -1], [1, 0, 2], [-1, -1, -1]]), seen)
    assert table["novelty@20"].tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    assert table["popularity_bias@20"].tolist() == pytest.approx([0, np.nan, np.nan], nan_ok=True)
    more = ITEMS.of_lists(np.array([[0], [0], [0]]), seen)["popularity_bias@20"]
    assert more.tolist() == pytest.approx([2 / 8, np.nan, 1 / 8], nan_ok=True)


def test_only_the_first_places_count() -> None:
    lists = np.tile(np.arange(30), (2, 1))
    counts = times_shown(lists, 40)
    assert counts.tolist() == [2] * 20 + [0] * 20
    assert times_shown(np.array([[3, -1]]), 4).tolist() == [0, 0, 0, 1]
    assert coverage(counts) == 0.5


def test_gini_of_known_distributions() -> None:
    assert gini(np.full(10, 7)) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(1 - 1 / 4)
    assert gini(np.array([1, 3])) == pytest.approx(1 / 4)
    assert np.isnan(gini(np.zeros(5, dtype=int)))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=30).filter(any))
def test_gini_equals_the_mean_difference_of_pairs(counts: list[int]) -> None:
    n = np.array(counts, dtype=float)
    assert gini(np.array(counts)) == pytest.approx(np.abs(n[:, None] - n).mean() / (2 * n.mean()))
