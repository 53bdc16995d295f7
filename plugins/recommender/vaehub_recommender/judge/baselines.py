"""What every model has to beat: the same popular items for everyone, and a linear model in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, final

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub_recommender.closed_form import solve
from vaehub_recommender.rank import ROWS, csr_tensor
from vaehub_recommender.scores import DenseScores, HistoryScores, Scores

# histories (B, I) -> scores, some rows at a time, in order
Ranking: TypeAlias = Callable[[csr_array], Iterator[tuple[slice, Scores]]]


@final
class ByPopularity:
    """An item's score is the number of training users who have it."""

    def __init__(self, train: csr_array) -> None:
        counts = np.bincount(train.indices, minlength=train.shape[1])
        self.counts = torch.from_numpy(counts.astype(np.float32))

    def __call__(self, seen: csr_array) -> Iterator[tuple[slice, Scores]]:
        """The same scores for every history (B, I)."""
        for rows in slices(seen.shape[0]):
            yield rows, DenseScores(self.counts.expand(rows.stop - rows.start, -1))


@final
class ByEase:
    """s = x B with B = argmin |X - X B|² + penalty |B|², diag B = 0, from the gram matrix X'X (I, I), which is overwritten.

    "Embarrassingly Shallow Autoencoders for Sparse Data" (Steck, 2019), arXiv:1905.03375.
    """

    def __init__(self, gram: Tensor, penalty: float) -> None:
        self.penalty, self.weights = penalty, solve(gram, penalty)[0].float()

    def __call__(self, seen: csr_array) -> Iterator[tuple[slice, Scores]]:
        """Scores of histories (B, I)."""
        for rows in slices(seen.shape[0]):
            yield rows, HistoryScores(csr_tensor(seen[rows]), self.weights)


def slices(rows: int) -> Iterator[slice]:
    """Rows in order, as many as are scored at once."""
    return (slice(start, min(start + ROWS, rows)) for start in range(0, rows, ROWS))
