"""New items among those that a model has learnt: their scores, and what they stand for in a history.

Letters of shapes: B users, I learnt items, N new ones, R numbers between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub_recommender.cold.content import Content
from vaehub_recommender.cold.regression import FeatureRegression
from vaehub_recommender.scores import Scores
from vaehub_recommender.tables import Ids

STAND_INS = 10  # learnt items that stand for a new one in a history
WIDTH = 4096  # learnt items whose scores are read at once, and new ones that are compared at once


@final
@dataclass(frozen=True)
class NewItems:
    """Items that are listed by their features alone.

    Arguments:
        items: ids of the model's own items.
        content: the features of these and of the new ones.
        penalty: of the regression.
        spread: by which the new items' scores are drawn apart, since a regression draws them together.
        quality: NDCG@100 among hidden items, by which the penalty was chosen.
    """

    items: Ids
    content: Content
    penalty: float
    spread: float
    quality: float

    def __len__(self) -> int:
        return len(self.content.ids)

    @cached_property
    def all_items(self) -> Ids:
        """The model's own items, and after them the new ones."""
        return self.items.plus(self.content.ids.values)

    @cached_property
    def factors(self) -> tuple[Tensor, Tensor]:
        """Read (I, R) and write (N, R), with the spread in it."""
        regression = FeatureRegression.of(self.content.learnt, self.content.described)
        read, write = regression.factors(self.content.new, self.penalty)
        write[:, :-1] *= self.spread
        return torch.from_numpy(read), torch.from_numpy(write)

    @cached_property
    def stand_ins(self) -> csr_array:
        """Shares (N, I) of the learnt items that are nearest to each new one, by the cosine of their features."""
        learnt, new = (unit_rows(rows) for rows in (self.content.learnt, self.content.new))
        count = min(STAND_INS, len(learnt))
        near, share = np.empty((len(new), count), np.int64), np.empty((len(new), count), np.float32)
        for start in range(0, len(new), WIDTH):
            cosine = new[start : start + WIDTH] @ learnt.T
            at = np.argsort(-cosine, axis=1, kind="stable")[:, :count]
            near[start : start + WIDTH] = at
            share[start : start + WIDTH] = np.take_along_axis(cosine, at, 1).clip(1e-6)
        share /= share.sum(1, keepdims=True)
        rows = np.arange(len(new) + 1) * count
        return csr_array((share.ravel(), near.ravel(), rows), shape=(len(new), len(learnt)))

    def history(self, matrix: csr_array) -> csr_array:
        """Histories over learnt items (B, I), of such as have new ones too (B, I + N): these become what they stand for."""
        items = len(self.items)
        if matrix.shape[1] == items:
            return matrix
        old = matrix.indices < items
        if old.all():
            return csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], items))
        mixed = csr_array(matrix[:, :items] + matrix[:, items:] @ self.stand_ins, dtype=np.float32)
        mixed.sum_duplicates()
        return mixed

    def extended(self, scores: Scores) -> Scores:
        """The scores of all items, of those of the learnt ones."""
        read, write = (part.to(scores.block(0, 1).device) for part in self.factors)
        return ExtendedScores(scores, read, write)


@final
class ExtendedScores(Scores):
    """Scores s of learnt items, and after them s R W' of new ones, with R (I, R) and W (N, R)."""

    def __init__(self, learnt: Scores, read: Tensor, write: Tensor) -> None:
        self.learnt, self.read, self.write = learnt, read, write
        self.rows, self.items = learnt.rows, learnt.items + len(write)

    @cached_property
    def profile(self) -> Tensor:
        """s R: what the scores say of features (B, R)."""
        out = self.read.new_zeros(self.rows, self.read.shape[1])
        for start in range(0, self.learnt.items, WIDTH):
            stop = min(start + WIDTH, self.learnt.items)
            out += self.learnt.block(start, stop) @ self.read[start:stop]
        return out

    def block(self, start: int, stop: int) -> Tensor:
        """Learnt items first."""
        own, parts = self.learnt.items, []
        if start < own:
            parts.append(self.learnt.block(start, min(stop, own)))
        if stop > own:
            parts.append(self.profile @ self.write[max(start - own, 0) : stop - own].T)
        return torch.cat(parts, 1)

    def at(self, items: Tensor) -> Tensor:
        """Some of both kinds."""
        new = items >= self.learnt.items
        out = self.profile.new_empty(self.rows, len(items))
        out[:, ~new] = self.learnt.at(items[~new]).to(out.dtype)
        if new.any():
            out[:, new] = self.profile @ self.write[items[new] - self.learnt.items].T
        return out

    def approximate(self) -> Scores:
        """The learnt ones to about three digits, the new ones by these."""
        return ExtendedScores(self.learnt.approximate(), self.read, self.write)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, or 0."""
    scaled: np.ndarray = rows / np.sqrt(np.square(rows).sum(1, keepdims=True)).clip(1e-12)
    return scaled
