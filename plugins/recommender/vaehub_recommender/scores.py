"""What a model thinks of every item, for a batch of users, without the matrix: a block of items at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional as F

from vaehub import Outcome, estimate, full_precision, sparse
from vaehub_recommender.parts.blockwise import BlockwiseDensity
from vaehub_recommender.parts.products import LinearLogProb

CACHED = 128  # columns of item-item weights that are summed at once for many histories: their rows stay in the processor's cache


@final
class HalfPrecision:
    """Copies of weights in float16, which are read in half the time."""

    def __init__(self) -> None:
        self.copies: dict[tuple[int, torch.device], Tensor] = {}

    def __reduce__(self) -> tuple[type[HalfPrecision], tuple[()]]:
        """Without the copies, which are found by the identity of weights in this process."""
        return HalfPrecision, ()

    def __call__(self, weight: Tensor) -> Tensor:
        """The copy of a weight, made when it is first asked for."""
        key = id(weight), weight.device
        if key not in self.copies:
            self.copies[key] = weight.detach().half()
        return self.copies[key]


class Scores(ABC):
    """s (B, I): unnormalised preferences; the higher, the likelier."""

    rows: int
    items: int

    @abstractmethod
    def block(self, start: int, stop: int) -> Tensor:
        """The scores of the items from `start` to before `stop`: (B, stop - start), at least float32."""

    @abstractmethod
    def at(self, items: Tensor) -> Tensor:
        """The scores of some items (C,) alone: (B, C)."""

    @abstractmethod
    def approximate(self, half_precision: HalfPrecision) -> Scores:
        """Those of the first row, to about three digits."""

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
        """A slice."""
        return self.scores[:, start:stop]

    def at(self, items: Tensor) -> Tensor:
        """Some columns."""
        return self.scores[:, items]

    def approximate(self, half_precision: HalfPrecision) -> Scores:
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

    def approximate(self, half_precision: HalfPrecision) -> Scores:
        """A product in half precision."""
        return DenseScores((torch.mv(half_precision(self.weight), self.h[0].half()).float() + self.bias).unsqueeze(0))

    def log_prob(self, x: Tensor, density: BlockwiseDensity) -> Tensor:
        """log p(x|s), of sparse x without ever keeping s."""
        if not sparse.is_sparse(x):
            return super().log_prob(x, density)
        log_prob: Tensor = LinearLogProb.apply(self.h, self.weight, self.bias, x, density)  # type: ignore[no-untyped-call]
        return log_prob


@final
class HistoryScores(Scores):
    """s = x B with the items x (B, I) of the users in CSR and item-item weights B (I, I)."""

    def __init__(self, history: Tensor, weights: Tensor) -> None:
        self.history, self.weights = history, weights
        self.rows, self.items = len(history), weights.shape[1]

    def block(self, start: int, stop: int) -> Tensor:
        """The rows of B that belong to a user's items, summed."""
        return self._summed(self.weights[:, start:stop], self.history.col_indices())

    def at(self, items: Tensor) -> Tensor:
        """The same for some columns of B, of which only the rows that are needed are gathered."""
        owned, place = self.history.col_indices().unique(return_inverse=True)
        return self._summed(self.weights[owned.unsqueeze(1), items], place)

    def approximate(self, half_precision: HalfPrecision) -> Scores:
        """The first history."""
        return HistoryScores(
            sparse.take(self.history, torch.zeros(1, dtype=torch.long, device=self.history.device)), self.weights
        )

    def _summed(self, weights: Tensor, rows: Tensor) -> Tensor:
        start, values = self.history.crow_indices()[:-1].to(rows.dtype), self.history.values().to(weights.dtype)
        narrow = weights.split(CACHED, 1) if len(rows) > len(weights) else (weights,)
        parts = [F.embedding_bag(rows, w.contiguous(), start, mode="sum", per_sample_weights=values) for w in narrow]
        return full_precision(parts[0] if len(parts) == 1 else torch.cat(parts, 1))


@final
class MixedScores(Scores):
    """first + share * second: with log-probabilities, a product of experts."""

    def __init__(self, first: Scores, second: Scores, share: Tensor) -> None:
        self.first, self.second, self.share = first, second, share
        self.rows, self.items = first.rows, first.items

    def block(self, start: int, stop: int) -> Tensor:
        """Both blocks, added."""
        return self.first.block(start, stop) + self.share * self.second.block(start, stop)

    def at(self, items: Tensor) -> Tensor:
        """Both, added."""
        return self.first.at(items) + self.share * self.second.at(items)

    def approximate(self, half_precision: HalfPrecision) -> Scores:
        """Both, added."""
        return MixedScores(self.first.approximate(half_precision), self.second.approximate(half_precision), self.share)


class Scored(Outcome, ABC):
    """A distribution over users' items that is made of scores."""

    scores: Scores


def scores_of(px: Distribution) -> Scores:
    """The scores behind p(x|z): those that it was made of, else its mean."""
    return px.scores if isinstance(px, Scored) else DenseScores(estimate(px))
