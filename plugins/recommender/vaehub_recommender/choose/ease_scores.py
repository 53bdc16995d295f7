"""Scores of EASE for a few users under many penalties, without the weights between items.

Letters of shapes: U users, I items, V validation users.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender.closed_form import add_gram, mirror_upper, peak_memory
from vaehub_recommender.memory import require_memory
from vaehub_recommender.parts.linear_part import WAYS_OUT

Floats = NDArray[np.float32]
BY_USERS = 16.0  # bytes for each pair of users, of their products, sparse and written out


class EaseScores(ABC):
    """Scores h B of histories h (V, I) for the items that are not in them, B the closed form with penalty + noise G_ii for item i.

    "Autoencoders that don't overfit towards the Identity" (Steck, 2020), NeurIPS 33. In float32: they compare penalties, and are not what is kept.
    """

    def __init__(self, train: csr_array, histories: csr_array) -> None:
        self.train, self.histories = train.astype(np.float32).tocsr(), histories.astype(np.float32).tocsr()
        self.squares = np.bincount(train.indices, train.data.astype(np.float64) ** 2, train.shape[1])

    def ridge(self, penalty: float, dropout: float) -> Floats:
        """The penalty of every item (I,)."""
        return (penalty + dropout / (1 - dropout) * self.squares).astype(np.float32)

    @abstractmethod
    def __call__(self, penalty: float, dropout: float) -> Floats:
        """(V, I)."""


@final
class ByItems(EaseScores):
    """By the inverse P of an (I, I) matrix: -(h P)_j / P_jj."""

    def __init__(self, train: csr_array, histories: csr_array) -> None:
        super().__init__(train, histories)
        items = self.train.shape[1]
        self.gram = np.zeros((items, items), np.float32)
        add_gram(torch.from_numpy(self.gram), self.train)

    def __call__(self, penalty: float, dropout: float) -> Floats:
        """(V, I)."""
        matrix = self.gram.copy()
        matrix[np.diag_indices(len(matrix))] += self.ridge(penalty, dropout)
        inverse = inverted(matrix)
        return np.asarray((self.histories @ inverse) / -inverse.diagonal())


@final
class ByUsers(EaseScores):
    """By the inverse M = (1 + X D^-1 X')^-1 of a (U, U) matrix, D the ridge: (h D^-1 X' M X)_j / (1 - (X'M X)_jj / D_j).

    The identity of Woodbury (1950) on P = (X'X + D)^-1; cheaper where there are fewer users than items.
    """

    def __call__(self, penalty: float, dropout: float) -> Floats:
        """(V, I)."""
        scale = csr_array(1 / self.ridge(penalty, dropout)[None])
        scaled = self.train.multiply(scale).tocsr()
        kernel = (scaled @ self.train.T).toarray()
        kernel[np.diag_indices(len(kernel))] += 1
        inverse = inverted(kernel)
        codes = (self.histories @ scaled.T) @ inverse
        leverage = self.train.multiply(inverse @ self.train).sum(0) * scale.toarray()[0]
        return np.asarray((codes @ self.train) / (1 - leverage))


def ease_scores(train: csr_array, histories: csr_array) -> EaseScores:
    """The cheaper of the two. Raises UsageError where memory does not hold it."""
    users, items = train.shape
    peak = BY_USERS * users**2 + 4 * users * items if users < items else peak_memory(items, train.nnz)
    require_memory(f"comparing penalties of ease between {items:,} items", peak, WAYS_OUT)
    return (ByUsers if users < items else ByItems)(train, histories)


def inverted(matrix: Floats) -> Floats:
    """The inverse of a symmetric positive definite matrix, which is overwritten."""
    factor, failed = lapack.spotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
    if failed:
        raise UsageError("EASE: the items' products are not positive definite; give weights of like size, or none")
    lapack.spotri(factor, lower=1, overwrite_c=1)  # the inverse's lower triangle, column by column: the upper one row by row
    mirror_upper(torch.from_numpy(matrix))
    return matrix
