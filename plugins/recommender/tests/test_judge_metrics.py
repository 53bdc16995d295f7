"""Measures of ranked lists against the published definitions, scikit-learn, cases worked by hand, and what must always hold."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array
from sklearn.metrics import average_precision_score, ndcg_score

from vaehub.errors import UsageError
from vaehub_recommender.judge import metrics
from vaehub_recommender.judge.metrics import MEASURES

ALL = [f"{name}@{k}" for name in MEASURES for k in (1, 3, 10)]


def published_ndcg(scores: np.ndarray, held: np.ndarray, k: int) -> np.ndarray:
    """NDCG_binary_at_k_batch of Liang et al. (2018), which takes what is ranked best by `scores` (B, I)."""
    best = np.argsort(-scores, axis=1)[:, :k]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    dcg = (np.take_along_axis(held, best, 1) * discount[: best.shape[1]]).sum(axis=1)
    return dcg / np.array([discount[: min(int(n), k)].sum() for n in held.sum(axis=1)])


def published_recall(scores: np.ndarray, held: np.ndarray, k: int) -> np.ndarray:
    """Recall_at_k_batch of Liang et al. (2018)."""
    chosen = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-scores, axis=1)[:, :k], True, 1)
    return (chosen & (held > 0)).sum(axis=1) / np.minimum(k, held.sum(axis=1))


def case(seed: int, users: int = 60, items: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Scores (B, I) with no two alike in a row, and held-out items (B, I), one or more for everyone."""
    rng = np.random.default_rng(seed)
    held = rng.random((users, items)) < rng.choice([0.01, 0.1, 0.9], (users, 1))
    held[np.arange(users), rng.integers(0, items, users)] = True
    return rng.permuted(np.tile(np.arange(items, dtype=float), (users, 1)), axis=1), held.astype(float)


def lists_of(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, axis=1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 20, 100])
def test_equal_the_published_definitions(seed: int, k: int) -> None:
    scores, held = case(seed)
    found = metrics(lists_of(scores), csr_array(held), [f"ndcg@{k}", f"recall@{k}"])
    np.testing.assert_allclose(found[f"ndcg@{k}"], published_ndcg(scores, held, k), atol=1e-12)
    np.testing.assert_allclose(found[f"recall@{k}"], published_recall(scores, held, k), atol=1e-12)


def test_with_the_history_ruled_out_as_the_published_code_does() -> None:
    scores, held = case(7)
    seen = (np.random.default_rng(8).random(held.shape) < 0.3) & (held == 0)
    scores[seen] = -np.inf
    lists = np.where(np.take_along_axis(seen, lists_of(scores), 1), -1, lists_of(scores))
    found = metrics(lists, csr_array(held))
    np.testing.assert_allclose(found["ndcg@100"], published_ndcg(scores, held, 100), atol=1e-12)
    np.testing.assert_allclose(found["recall@50"], published_recall(scores, held, 50), atol=1e-12)


@pytest.mark.parametrize("k", [5, 100, 150])
def test_ndcg_equals_scikit_learn(k: int) -> None:
    scores, held = case(3)
    found = metrics(lists_of(scores), csr_array(held), [f"ndcg@{k}"])[f"ndcg@{k}"]
    expected = [ndcg_score(held[[row]], scores[[row]], k=k) for row in range(len(held))]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_average_precision_of_whole_lists_equals_scikit_learn() -> None:
    scores, held = case(4)
    found = metrics(lists_of(scores), csr_array(held), ["map@150"])["map@150"]
    np.testing.assert_allclose(found, [average_precision_score(h, s) for h, s in zip(held, scores, strict=True)], atol=1e-12)


def test_a_case_worked_by_hand() -> None:
    held = csr_array(np.array([[0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]]))
    lists = np.array(
        [[0, 1, 2, 4], [0, 1, 2, 3], [0, 1, 2, 3]]
    )  # hits at the places 2 and 4 of 3 items; none of 1; nothing held out
    found = metrics(lists, held, ["ndcg@4", "recall@4", "recall@2", "map@4", "map@2", "mrr@4", "mrr@1", "hit@2", "hit@1"])
    gain = 1 / np.log2(np.arange(2, 6))
    row = found.loc[0]
    assert row["ndcg@4"] == pytest.approx((gain[1] + gain[3]) / gain[:3].sum())
    assert row["recall@4"] == pytest.approx(2 / 3)
    assert row["recall@2"] == pytest.approx(1 / 2)
    assert row["map@4"] == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert row["map@2"] == pytest.approx((1 / 2) / 2)
    assert row[["mrr@4", "mrr@1", "hit@2", "hit@1"]].tolist() == [0.5, 0, 1, 0]
    assert (found.loc[1] == 0).all()


def test_users_with_nothing_held_out_are_left_out_and_rows_keep_their_number() -> None:
    held = csr_array(np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]]))
    found = metrics(np.tile([0, 1, 2], (4, 1)), held, ["mrr@3"])
    assert found.index.tolist() == [1, 3]
    assert found["mrr@3"].tolist() == [0.5, 1.0]
    assert metrics(np.tile([0, 1, 2], (4, 1)), csr_array((4, 3)), ["mrr@3"]).empty


def test_a_list_that_ends_early_is_worth_what_it_holds() -> None:
    held = csr_array(np.array([[0, 0, 1], [1, 0, 0]]))
    found = metrics(np.array([[2, -1, -1], [-1, -1, -1]]), held, ["ndcg@3", "recall@3", "hit@3"])
    assert found.loc[0].tolist() == [1, 1, 1]
    assert found.loc[1].tolist() == [0, 0, 0]


def test_columns_of_held_may_be_in_any_order() -> None:
    mixed = csr_array((np.ones(3), [4, 0, 2], [0, 3]), shape=(1, 5))
    lists = np.array([[0, 1, 2, 3, 4]])
    pd.testing.assert_frame_equal(metrics(lists, mixed, ALL), metrics(lists, csr_array([[1.0, 0, 1, 0, 1]]), ALL))
    assert mixed.indices.tolist() == [4, 0, 2]


def test_more_cells_than_32_bits_can_number() -> None:
    users, items = 70_000, 60_000
    last = np.full(users, items - 1)
    held = csr_array((np.ones(users, np.float32), last, np.arange(users + 1)), shape=(users, items))
    assert (metrics(last[:, None], csr_array(held), ["recall@1"])["recall@1"] == 1).all()


def test_never_holds_users_times_items() -> None:
    users, items = 10_000, 20_000
    rng = np.random.default_rng(0)
    held = random_array((users, items), density=20 / items, format="csr", rng=rng)
    lists = np.arange(100) * 200 + rng.integers(0, 200, (users, 1))
    tracemalloc.start()
    metrics(lists, held)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < users * items / 2  # bytes: half of what one for each cell would need


@st.composite
def judged(draw) -> tuple[np.ndarray, np.ndarray]:
    """Whole rankings (B, I) and held-out items (B, I)."""
    users, items, seed = draw(st.integers(1, 6)), draw(st.integers(10, 30)), draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    held = rng.random((users, items)) < draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    return rng.permuted(np.tile(np.arange(items), (users, 1)), axis=1), held


@given(judged())
@settings(max_examples=40, deadline=None)
def test_every_measure_is_between_none_and_all(given_case) -> None:
    lists, held = given_case
    found = metrics(lists, csr_array(held.astype(float)), ALL)
    assert len(found) == held.any(1).sum()
    assert ((found >= 0) & (found <= 1 + 1e-12)).all(axis=None)


@given(judged())
@settings(max_examples=40, deadline=None)
def test_a_perfect_ranking_gets_one_and_the_reverse_no_more_than_any(given_case) -> None:
    lists, held = given_case
    perfect = np.argsort(~held, axis=1, kind="stable")
    best, found, worst = (metrics(order, csr_array(held.astype(float)), ALL) for order in (perfect, lists, perfect[:, ::-1]))
    np.testing.assert_allclose(best, 1.0)
    assert ((worst <= found + 1e-12) & (found <= best + 1e-12)).all(axis=None)


@given(judged(), st.integers(0, 8))
@settings(max_examples=40, deadline=None)
def test_a_hit_that_moves_up_never_costs(given_case, place: int) -> None:
    lists, held = given_case
    hits = np.take_along_axis(held, lists, 1)
    swapped = lists.copy()
    rows = hits[:, place + 1] & ~hits[:, place]
    swapped[rows, place], swapped[rows, place + 1] = lists[rows, place + 1], lists[rows, place]
    before, after = (metrics(order, csr_array(held.astype(float)), ALL) for order in (lists, swapped))
    assert (after >= before - 1e-12).all(axis=None)


@given(judged())
@settings(max_examples=30, deadline=None)
def test_longer_lists_find_no_less(given_case) -> None:
    lists, held = given_case
    found = metrics(lists, csr_array(held.astype(float)), ALL)
    for name in ("hit", "mrr"):
        assert (found[f"{name}@1"] <= found[f"{name}@3"]).all()
        assert (found[f"{name}@3"] <= found[f"{name}@10"]).all()


@pytest.mark.parametrize(
    ("lists", "names", "said"),
    [
        ([[0, 1, 2]], ["ncdg@3"], "did you mean 'ndcg'"),
        ([[0, 1, 2]], ["ndcg"], "ndcg@20"),
        ([[0, 1, 2]], ["ndcg@0"], "how many places"),
        ([[0, 1]], ["ndcg@3"], r"\(1, 3\) or longer"),
        ([[0, 1, 2], [0, 1, 2]], ["ndcg@3"], r"shape \(2, 3\)"),
        ([0, 1, 2], ["ndcg@3"], r"shape \(3,\)"),
        ([[0, 1, 5]], ["ndcg@3"], "positions of the 5 items"),
        ([[0, 3, 3]], ["ndcg@3"], "row 0 holds item 3 twice"),
    ],
)
def test_mistakes_are_named(lists: list, names: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        metrics(np.array(lists), csr_array([[1.0, 0, 0, 0, 1]]), names)
