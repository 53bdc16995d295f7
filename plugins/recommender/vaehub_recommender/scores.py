"""What a model thinks of every item, for a batch of users, without the matrix: a block of items at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional as F

from vaehub import Outcome, UsageError, estimate, full_precision, sparse
from vaehub_recommender.parts.blockwise import BlockwiseDensity
from vaehub_recommender.parts.products import BLOCK, LinearLogProb

ADDED = 2**22  # weights of sparse rows that are added at once
CACHED = 128  # columns of item-item weights that are summed at once for many histories: their rows stay in the processor's cache


class Scores(ABC):
    """s (B, I): unnormalised preferences; the higher, the likelier."""

    rows: int
    items: int

    @abstractmethod
    def block(self, start: int, stop: int) -> Tensor:
        """The scores of the items from `start` to before `stop`: (B, stop - start), at least float32, which the caller may overwrite."""

    @abstractmethod
    def at(self, items: Tensor) -> Tensor:
        """The scores of some items (C,) alone: (B, C)."""

    @abstractmethod
    def approximate(self) -> Scores:
        """Those of the first row alone, by a quicker product, whose sums may end in other bits."""

    def user_factors(self) -> dict[str, Tensor]:
        """Numbers of every row by part, each (B, D_part): s is the sum over parts of their inner products with `item_factors`.

        Raises UsageError where scores are no such product.
        """
        raise no_product()

    def item_factors(self) -> dict[str, Tensor]:
        """Numbers of every item by part, each (I, D_part); see `user_factors`."""
        raise no_product()

    def log_prob(self, x: Tensor, density: BlockwiseDensity) -> Tensor:
        """log p(x|s) of rows x (B, I): (B,)."""
        return density.log_density(self.block(0, self.items), sparse.dense(x))


@final
class DenseScores(Scores):
    """Scores that are there already."""

    def __init__(self, scores: Tensor) -> None:
        self.scores = full_precision(scores)
        self.rows, self.items = scores.shape

    def block(self, start: int, stop: int) -> Tensor:
        """A copy of a slice."""
        return self.scores[:, start:stop].clone()

    def at(self, items: Tensor) -> Tensor:
        """Some columns."""
        return self.scores[:, items]

    def approximate(self) -> Scores:
        """A slice."""
        return DenseScores(self.scores[:1])


@final
class LinearScores(Scores):
    """s = h W' + b with h (B, H), W (I, H), b (I,)."""

    def __init__(self, h: Tensor, weight: Tensor, bias: Tensor) -> None:
        self.h, self.weight, self.bias = h, weight, bias
        self.rows, self.items = len(h), len(weight)

    def block(self, start: int, stop: int) -> Tensor:
        """One matrix product."""
        return full_precision(F.linear(self.h.to(self.weight.dtype), self.weight[start:stop], self.bias[start:stop]))

    def at(self, items: Tensor) -> Tensor:
        """One small matrix product."""
        return full_precision(F.linear(self.h.to(self.weight.dtype), self.weight[items], self.bias[items]))

    def approximate(self) -> Scores:
        """A product of a matrix and a vector, which reads W once."""
        return DenseScores((torch.mv(self.weight, self.h[0].to(self.weight.dtype)) + self.bias).unsqueeze(0))

    def user_factors(self) -> dict[str, Tensor]:
        """h, and 1 for the bias."""
        h = full_precision(self.h)
        return {"network": torch.cat([h, h.new_ones(len(h), 1)], 1)}

    def item_factors(self) -> dict[str, Tensor]:
        """W, and b as the last number."""
        return {"network": full_precision(torch.cat([self.weight, self.bias.unsqueeze(1).to(self.weight)], 1))}

    def log_prob(self, x: Tensor, density: BlockwiseDensity) -> Tensor:
        """log p(x|s), of sparse x without ever keeping s."""
        if not sparse.is_sparse(x):
            return super().log_prob(x, density)
        log_prob: Tensor = LinearLogProb.apply(self.h, self.weight, self.bias, x, density)  # type: ignore[no-untyped-call]
        return log_prob


class ItemWeightScores(Scores):
    """s = x B with the items x (B, I) of the users in CSR and item-item weights B (I, I). Abstract."""

    history: Tensor

    @abstractmethod
    def of_users(self, rows: Tensor) -> Scores:
        """The scores of some of the users (n,)."""

    def approximate(self) -> Scores:
        """The first history."""
        return self.of_users(torch.zeros(1, dtype=torch.long, device=self.history.device))

    def log_prob(self, x: Tensor, density: BlockwiseDensity) -> Tensor:
        """log p(x|s), some users at a time, as nothing is kept for a gradient."""
        if not sparse.is_sparse(x):
            return super().log_prob(x, density)
        some = torch.arange(self.rows, device=x.device).split(max(1, BLOCK // self.items))
        return torch.cat([Scores.log_prob(self.of_users(rows), sparse.take(x, rows), density) for rows in some])


@final
class HistoryScores(ItemWeightScores):
    """B written out."""

    def __init__(self, history: Tensor, weights: Tensor) -> None:
        self.history, self.weights = history, weights
        self.rows, self.items = len(history), weights.shape[1]

    def of_users(self, rows: Tensor) -> HistoryScores:
        """The same weights."""
        return HistoryScores(sparse.take(self.history, rows), self.weights)

    def block(self, start: int, stop: int) -> Tensor:
        """The rows of B that belong to a user's items, summed."""
        return self._summed(self.weights[:, start:stop], self.history.col_indices())

    def at(self, items: Tensor) -> Tensor:
        """The same for some columns of B, of which only the rows that are needed are gathered."""
        owned, place = self.history.col_indices().unique(return_inverse=True)
        return self._summed(self.weights[owned.unsqueeze(1), items], place)

    def user_factors(self) -> dict[str, Tensor]:
        """x."""
        return {"linear": full_precision(sparse.dense(self.history))}

    def item_factors(self) -> dict[str, Tensor]:
        """B', a column of B for each item."""
        return {"linear": full_precision(self.weights.T)}

    def _summed(self, weights: Tensor, rows: Tensor) -> Tensor:
        start, values = self.history.crow_indices()[:-1].to(rows.dtype), self.history.values().to(weights.dtype)
        narrow = weights.split(CACHED, 1) if len(rows) > len(weights) else (weights,)
        parts = [F.embedding_bag(rows, w.contiguous(), start, mode="sum", per_sample_weights=values) for w in narrow]
        return full_precision(parts[0] if len(parts) == 1 else torch.cat(parts, 1))


@final
class SparseHistoryScores(ItemWeightScores):
    """B in CSR: starts (I + 1,), columns and values (n,)."""

    def __init__(self, history: Tensor, starts: Tensor, columns: Tensor, values: Tensor) -> None:
        self.history, self.starts, self.columns, self.values = history, starts, columns, values
        self.rows, self.items = len(history), len(starts) - 1

    def of_users(self, rows: Tensor) -> SparseHistoryScores:
        """The same weights."""
        return SparseHistoryScores(sparse.take(self.history, rows), self.starts, self.columns, self.values)

    def block(self, start: int, stop: int) -> Tensor:
        """The rows of B that belong to a user's items, summed."""
        place = torch.full((self.items,), -1, dtype=torch.int32, device=self.columns.device)
        place[start:stop] = torch.arange(stop - start, dtype=torch.int32, device=place.device)
        return self._summed(place, stop - start)

    def at(self, items: Tensor) -> Tensor:
        """The same for some columns of B, all different."""
        place = torch.full((self.items,), -1, dtype=torch.int32, device=self.columns.device)
        place[items] = torch.arange(len(items), dtype=torch.int32, device=place.device)
        return self._summed(place, len(items))

    def _summed(self, place: Tensor, width: int) -> Tensor:
        """Sums of the columns of B that have a place, in the order of a user's items: (B, width)."""
        out = self.values.new_zeros(self.rows, width)
        row, owned, weight = sparse.row_of(self.history.crow_indices()), self.history.col_indices(), self.history.values()
        ends = (self.starts[owned.long() + 1] - self.starts[owned.long()]).cumsum(0)
        first = 0
        while first < len(owned):  # as many of the users' items at once as have a bounded number of weights
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(torch.searchsorted(ends, before + ADDED, right=True)))
            lengths, at = sparse.rows_at(self.starts, owned[first:last].long())
            column = place[self.columns[at].long()]
            of = torch.arange(first, last, device=at.device).repeat_interleave(lengths.diff())
            inside = (column >= 0).nonzero()[:, 0]
            of, column = of[inside], column[inside]
            cells = row[of] * width + column
            out.view(-1).index_add_(0, cells, self.values[at[inside]] * weight[of])
            first = last
        return full_precision(out)


@final
class MixedScores(Scores):
    """first + share * second: with log-probabilities, a product of experts."""

    def __init__(self, first: Scores, second: Scores, share: Tensor) -> None:
        self.first, self.second, self.share = first, second, share
        self.rows, self.items = first.rows, first.items

    def block(self, start: int, stop: int) -> Tensor:
        """Both blocks, added."""
        return self.first.block(start, stop).add_(self.second.block(start, stop).mul_(self.share))

    def at(self, items: Tensor) -> Tensor:
        """Both, added."""
        return self.first.at(items) + self.share * self.second.at(items)

    def approximate(self) -> Scores:
        """Both, added."""
        return MixedScores(self.first.approximate(), self.second.approximate(), self.share)

    def user_factors(self) -> dict[str, Tensor]:
        """Of both, those of the second times their share."""
        return self.first.user_factors() | {name: self.share * part for name, part in self.second.user_factors().items()}

    def item_factors(self) -> dict[str, Tensor]:
        """Of both."""
        return self.first.item_factors() | self.second.item_factors()


def no_product() -> UsageError:
    """What to say of scores that are no product."""
    return UsageError(
        "the scores of this model are no inner product of a user's and an item's numbers, so they have no index; use recommend"
    )


class Scored(Outcome, ABC):
    """A distribution over users' items that is made of scores."""

    scores: Scores


def scores_of(px: Distribution) -> Scores:
    """The scores behind p(x|z): those that it was made of, else its mean."""
    return px.scores if isinstance(px, Scored) else DenseScores(estimate(px))
