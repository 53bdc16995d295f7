"""The ridge regression of every item on all others, in closed form.

Letters of shapes: U users, I items.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.linalg import lapack
from torch import Tensor

from vaehub import UsageError

ROWS = 500  # items whose products with all others are computed at once
BLOCK = 30  # bytes for each product of a block, sparse and written out
ENTRY = 40  # bytes for each interaction, by users and by items


def gram(matrix: Any) -> Tensor:
    """X'X (I, I) in float64.

    Arguments:
        matrix: X, a scipy CSR array (U, I).

    Example:
        >>> from scipy.sparse import csr_array
        >>> gram(csr_array([[1.0, 1.0], [1.0, 0.0]])).tolist()
        [[2.0, 1.0], [1.0, 1.0]]
    """
    items = matrix.shape[1]
    return add_gram(torch.zeros(items, items, dtype=torch.float64), matrix)


def add_gram(total: Tensor, matrix: Any, sign: int = 1) -> Tensor:
    """total + sign X'X (I, I) in the memory of `total`, for X (U, I)."""
    users, out = matrix.astype(np.float64).tocsr(), total.numpy()
    own = users.T.tocsr()
    for start in range(0, len(out), ROWS):
        products = (own[start : start + ROWS] @ users).toarray()
        out[start : start + ROWS] += sign * products
    return total


def peak_memory(items: int, entries: int) -> float:
    """Bytes at the peak of the closed form, and of its update, beyond the weights: products, a block of them, and interactions in float64."""
    return 8.0 * items**2 + BLOCK * min(ROWS, items) * items + ENTRY * entries


def solve(gram: Tensor, penalty: float | Tensor) -> tuple[Tensor, Tensor]:
    """The ridge regression of every item on all others: B = I - P diag(P)^-1 with P = (G + diag(penalty))^-1.

    "Embarrassingly Shallow Autoencoders for Sparse Data" (Steck, 2019), arXiv:1905.03375.

    Arguments:
        gram: G = X'X (I, I) in float64, which is overwritten.
        penalty: one for all items, or one for each (I,), above 0.

    Returns:
        B (I, I) with a diagonal of zeros, and diag(P) (I,).

    Raises:
        UsageError: G with the penalty is not positive definite.

    Example:
        >>> weights, diagonal = solve(torch.tensor([[2.0, 1.0], [1.0, 1.0]], dtype=torch.float64), penalty=1.0)
        >>> [[round(w, 4) for w in row] for row in weights.tolist()]  # from row to column: 1 / (2 + 1) and 1 / (1 + 1)
        [[0.0, 0.3333], [0.5, 0.0]]
    """
    gram = gram if gram.is_contiguous() else gram.T.contiguous()  # symmetric: the transpose is itself
    gram.diagonal().add_(penalty)
    return as_weights(inverse(gram))


def inverse(matrix: Tensor) -> Tensor:
    """The inverse of a symmetric positive definite matrix (I, I) in float64, in the same memory.

    Raises:
        UsageError: it is not positive definite.

    Example:
        >>> inverse(torch.tensor([[2.0, 1.0], [1.0, 1.0]], dtype=torch.float64)).round().tolist()
        [[1.0, -1.0], [-1.0, 2.0]]
    """
    factor, failed = lapack.dpotrf(matrix.numpy().T, lower=1, overwrite_a=1, clean=0)
    if failed:
        raise UsageError("decoder ease: the items' products are not positive definite; give a higher penalty")
    lapack.dpotri(factor, lower=1, overwrite_c=1)  # the inverse's lower triangle, column by column: the upper one row by row
    return mirror_upper(matrix)


def mirror_upper(matrix: Tensor) -> Tensor:
    """The symmetric matrix (I, I) whose upper triangle is given, in the same memory."""
    for start in range(0, len(matrix), ROWS):
        rows = slice(start, start + ROWS)
        corner = matrix[rows, rows]
        corner.copy_(corner.triu() + corner.triu(1).T)
        matrix[start + ROWS :, rows] = matrix[rows, start + ROWS :].T
    return matrix


def mean_with_transpose(matrix: Tensor) -> Tensor:
    """(M + M') / 2 of M (I, I), in the same memory."""
    for start in range(0, len(matrix), ROWS):
        rows, rest = slice(start, start + ROWS), slice(start, None)
        matrix[rows, rest] = (matrix[rows, rest] + matrix[rest, rows].T) / 2
    return mirror_upper(matrix)


def as_weights(precision: Tensor) -> tuple[Tensor, Tensor]:
    """B and diag(P) from P (I, I), which is overwritten."""
    diagonal = precision.diagonal().clone()
    precision /= -diagonal
    return precision.fill_diagonal_(0.0), diagonal
