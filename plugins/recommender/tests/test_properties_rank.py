"""The best items: the same whatever the blocks, ties by position, nothing that is ruled out."""

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vaehub_recommender.rank import blocks, top


@dataclass(frozen=True)
class Table:
    """Scores that stand in memory."""

    values: Tensor

    @property
    def rows(self) -> int:
        return self.values.shape[0]

    @property
    def items(self) -> int:
        return self.values.shape[1]

    def block(self, start: int, stop: int) -> Tensor:
        return self.values[:, start:stop].clone()


@st.composite
def ranking(draw) -> tuple[Tensor, Tensor, Tensor]:
    """Scores with many ties (B, I), what is seen and what is allowed."""
    rows, items, seed = draw(st.integers(1, 5)), draw(st.integers(1, 40)), draw(st.integers(0, 2**31))
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(-3, 4, (rows, items), generator=generator).float()
    seen = torch.rand(rows, items, generator=generator) < draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    return values, seen, torch.rand(rows, items, generator=generator) < draw(st.sampled_from([0.2, 0.9]))


def expected(values: Tensor, hidden: Tensor, k: int) -> np.ndarray:
    """By a stable sort of all scores."""
    values = values.masked_fill(hidden, -torch.inf)
    order = values.sort(dim=1, descending=True, stable=True)
    return order.indices.masked_fill(order.values == -torch.inf, -1)[:, :k].numpy()


@given(ranking(), st.integers(1, 60), st.integers(1, 300))
@settings(max_examples=150, deadline=None)
def test_equals_a_stable_sort_whatever_the_blocks(case, k: int, cells: int) -> None:
    values, seen, _ = case
    found, items = top(Table(values), k, seen.float().to_sparse_csr(), cells=cells)
    assert items.tolist() == expected(values, seen, k).tolist()
    assert torch.equal(found == -torch.inf, items == -1)
    assert torch.equal(found[items >= 0], values.gather(1, items.clamp(min=0))[items >= 0])


@given(ranking(), st.integers(1, 60), st.integers(1, 300))
@settings(max_examples=100, deadline=None)
def test_candidates_of_each_row_and_of_all(case, k: int, cells: int) -> None:
    values, seen, allowed = case
    sparse = seen.float().to_sparse_csr()
    each = top(Table(values), k, sparse, allowed.float().to_sparse_csr(), cells)[1]
    assert each.tolist() == expected(values, seen | ~allowed, k).tolist()
    for_all = allowed[0].nonzero()[:, 0]
    items = top(Table(values), k, sparse, for_all, cells)[1]
    assert items.tolist() == expected(values, seen | ~allowed[:1], k).tolist()


@given(ranking(), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_a_row_is_ranked_as_if_it_were_alone(case, k: int) -> None:
    values, seen, _ = case
    together = top(Table(values), k, seen.float().to_sparse_csr())[1]
    alone = [top(Table(values[i : i + 1]), k, seen[i : i + 1].float().to_sparse_csr())[1] for i in range(len(values))]
    assert torch.equal(together, torch.cat(alone))


def test_the_blocks_cover_all_items_once_and_are_alike() -> None:
    assert list(blocks(10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(blocks(10, 9)) == [(0, 5), (5, 10)]
    assert list(blocks(3, 100)) == [(0, 3)]


def test_scores_are_not_written_to() -> None:
    values = torch.arange(6.0).expand(2, 6)  # as popularity: one row for all, which cannot be written to
    items = top(Table(values), 2, torch.eye(2, 6).flip(1).to_sparse_csr(), torch.tensor([0, 4, 5]))[1]
    assert items.tolist() == [[4, 0], [5, 0]]
