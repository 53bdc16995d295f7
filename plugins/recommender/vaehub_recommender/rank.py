"""The best items of every row, a block of items at a time: rows x items never stand in memory at once.

Letters of shapes: B rows, I items, W width of a block, K wanted, S numbers that are known of a user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import sparse
from vaehub_recommender.interactions import Interactions, side_width
from vaehub_recommender.ranking_masks import NEVER, Mask
from vaehub_recommender.scores import Scores, scores_of

if TYPE_CHECKING:
    from vaehub import TrainedModel
    from vaehub_recommender.cold.items import NewItems

CELLS = 2**24  # scores in memory at once: 64 MB
ROWS = 1000  # histories that are encoded at once
FEWEST = 4  # rows of a matrix product: with fewer, its sums are done in another order, and end in other bits


@torch.inference_mode()
def top(
    scores: Scores, k: int, seen: Tensor | None = None, allowed: Tensor | None = None, cells: int = CELLS
) -> tuple[Tensor, Tensor]:
    """The k best items of every row in order, equal scores by position.

    Arguments:
        scores: s of B rows and I items.
        k: how many are wanted.
        seen: sparse CSR (B, I), never returned.
        allowed: positions (n,) for all rows, or sparse CSR (B, I) for each: nothing else is returned.
        cells: scores in memory at once; it changes nothing else.

    Returns:
        Scores and items (B, min(k, I)); where a row has fewer left, the rest is -1 with score -inf.

    Example:
        >>> from vaehub_recommender.scores import DenseScores
        >>> values, items = top(DenseScores(torch.tensor([[0.1, 0.3, 0.3]])), k=2, allowed=torch.tensor([0, 2]))
        >>> items.tolist()
        [[2, 0]]
    """
    mask = Mask.of(seen, allowed, scores.items)
    best: tuple[Tensor, Tensor] | None = None
    for start, stop in blocks(scores.items, max(1, cells // max(1, scores.rows))):
        found = best_of_row(mask(scores.block(start, stop), start), k)
        best = found if best is None else merge(best, found, start, k)
    assert best is not None  # there are items
    values, items = best
    return values, items.masked_fill(values == NEVER, -1)


def blocks(items: int, width: int) -> Iterator[tuple[int, int]]:
    """The fewest equal blocks of at most `width` items."""
    even = -(-items // -(-items // width))
    for start in range(0, items, even):
        yield start, min(start + even, items)


def merge(best: tuple[Tensor, Tensor], found: tuple[Tensor, Tensor], start: int, k: int) -> tuple[Tensor, Tensor]:
    """The best of the blocks before and of the block at `start`; the former come first where scores are equal."""
    items = torch.cat([best[1], found[1] + start], 1)
    values, at = best_of_row(torch.cat([best[0], found[0]], 1), k)
    return values, items.gather(1, at)


def best_of_row(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k greatest of every row (B, W) in order, equal ones by position: values and positions (B, min(k, W))."""
    k = min(k, values.shape[1])
    if not k:
        return values, values.long()
    at = at_least(values, kth_greatest(values, k), k)
    ordered, order = values.gather(1, at).sort(descending=True, stable=True)
    return ordered, at.gather(1, order)


def kth_greatest(values: Tensor, k: int) -> Tensor:
    """The k-th greatest of every row (B, W): (B,). On the processor NumPy's partition takes a quarter of the time of topk."""
    if values.is_cuda:
        return values.topk(k).values[:, -1]
    place = values.shape[1] - k
    return torch.from_numpy(np.partition(values.numpy(), place, axis=1)[:, place].copy())


def at_least(values: Tensor, edge: Tensor, k: int) -> Tensor:
    """Positions (B, k), in order, of the values above the edge (B,), filled up with the first of those that equal it."""
    chosen = values >= edge[:, None]
    found = columns_of(chosen)
    if len(found) > k * len(values):  # some rows have more that equal the edge than there is room for
        torn = (chosen.sum(1) > k).nonzero()[:, 0]
        above, equal = values[torn] > edge[torn, None], values[torn] == edge[torn, None]
        room = k - above.sum(1, keepdim=True)
        chosen[torn] = above | (equal & (equal.cumsum(1) <= room))
        found = columns_of(chosen)
    return found.view(-1, k)


def columns_of(chosen: Tensor) -> Tensor:
    """The columns of all cells that are set (B, W), row by row."""
    if chosen.is_cuda:
        return chosen.nonzero()[:, 1]
    return torch.from_numpy(np.flatnonzero(chosen.numpy()) % chosen.shape[1])


def csr_tensor(matrix: csr_array) -> Tensor:
    """The same rows (B, I) in torch's CSR layout, in the same memory."""
    crow, columns, values = map(torch.from_numpy, (matrix.indptr, matrix.indices, matrix.data))
    return sparse.csr(crow, columns, values, matrix.shape[1])


@final
class Ranker:
    """What a trained model says of histories: the same bits whatever other histories it is asked about with them.

    Arguments:
        run: a model of this plugin.
        size: histories that are encoded at once.
        new_items: items that the model has not learnt, which are scored by their features.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> fitted = film_recommender().fitted
        >>> ranker = Ranker(fitted.run)
        >>> ranker.codes(fitted.log.matrix[:3]).shape
        torch.Size([3, 4])
        >>> top(ranker.scores(fitted.log.matrix[:3]), k=5)[1].shape
        torch.Size([3, 5])
    """

    def __init__(self, run: TrainedModel, size: int = ROWS, new_items: NewItems | None = None) -> None:
        self.run, self.size, self.new_items = run, size, new_items
        items = run.spec.size
        self.side, self.history = side_width(run.spec.cond, items), run.spec.cond >= items

    def slices(self, rows: int) -> Iterator[slice]:
        """All rows in order, as many as are encoded at once."""
        return (slice(start, min(start + self.size, rows)) for start in range(0, rows, self.size))

    def batches(self, matrix: csr_array, side: Tensor | None = None) -> Iterator[tuple[slice, Scores]]:
        """Scores of histories (B, I), some rows at a time, with the rows that they are for; side (B, S), by default nothing is known."""
        for rows in self.slices(matrix.shape[0]):
            yield rows, self.scores(matrix[rows], None if side is None else side[rows])

    def scores(self, matrix: csr_array, side: Tensor | None = None) -> Scores:
        """Scores of histories (B, I) at the mean of q(z|x,c), all encoded at once."""
        rows = matrix.shape[0]
        scores = self.decoded(*self.encoded(matrix, side))
        if self.new_items is not None:
            scores = self.new_items.extended(scores)
        return scores if scores.rows == rows else FirstRows(scores, rows)

    def codes(self, matrix: csr_array, side: Tensor | None = None) -> Tensor:
        """The mean of q(z|x,c) for every history (B, I): (B, L)."""
        parts = [self.encoded(matrix[rows], None if side is None else side[rows])[0] for rows in self.slices(matrix.shape[0])]
        return torch.cat(parts)[: matrix.shape[0]]

    @torch.no_grad()
    def encoded(self, matrix: csr_array, side: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The mean of q(z|x,c) and c of histories (B, I), which are repeated where there are fewer than four."""
        rows = matrix.shape[0]
        if self.new_items is not None:
            matrix = self.new_items.history(matrix)
        if side is None and self.side:
            side = torch.zeros(rows, self.side)
        index = torch.arange(max(rows, FEWEST)) % rows
        batch = Interactions.of(matrix, side, self.history)[index].to(self.run.device)
        return self.run.vae.encoder(batch).mean, batch.cond

    @torch.no_grad()
    def decoded(self, z: Tensor, cond: Tensor | None) -> Scores:
        """Scores at codes (B, L)."""
        return scores_of(self.run.vae.decoder(z, cond))

    def seen(self, matrix: csr_array) -> Tensor:
        """Histories (B, I) as `top` takes them."""
        return csr_tensor(matrix).to(self.run.device)


@final
class FirstRows(Scores):
    """The first rows of other scores."""

    def __init__(self, scores: Scores, rows: int) -> None:
        self.scores, self.rows, self.items = scores, rows, scores.items

    def block(self, start: int, stop: int) -> Tensor:
        """A slice of theirs."""
        return self.scores.block(start, stop)[: self.rows]

    def at(self, items: Tensor) -> Tensor:
        """Some columns of theirs."""
        return self.scores.at(items)[: self.rows]

    def approximate(self) -> Scores:
        """Theirs."""
        return self.scores.approximate()

    def user_factors(self) -> dict[str, Tensor]:
        """The first of theirs."""
        return {name: part[: self.rows] for name, part in self.scores.user_factors().items()}

    def item_factors(self) -> dict[str, Tensor]:
        """Theirs."""
        return self.scores.item_factors()
