"""The ridge regression of every item on the items that are most like it: EASE for catalogues whose items by items no memory holds.

Letters of shapes: U users, I items, K nearest items, F factors, C items that are solved at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

CELLS = 2**24  # products or similarities in memory at once: 64 MB
LOOKED_UP = 2**22  # products that are looked up at once: each takes 20 bytes
FACTORS, ITERATIONS = 16, 4  # of what stands in for products that are not kept


@final
@dataclass(frozen=True)
class Products:
    """X'X (I, I): exact for the items with the largest cosine to each, the rest to low rank.

    Arguments:
        diagonal: (I,) the squares of the items.
        items: (I, K) the items with the largest cosine to each, in order; never itself.
        values: (I, K) its products with them.
        factors: (I, F) F with X'X near F F', for all others.
    """

    diagonal: Tensor
    items: Tensor
    values: Tensor
    factors: Tensor


def nearest_products(matrix: Any, count: int) -> Products:
    """X'X a block of rows at a time, each reduced to the `count` items with the largest cosine.

    Arguments:
        matrix: X, a scipy CSR array (U, I).
        count: K, below I.

    Example:
        >>> from scipy.sparse import csr_array
        >>> products = nearest_products(csr_array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]), 1)
        >>> products.items.tolist(), products.values.tolist()
        ([[1], [0], [0]], [[2.0], [2.0], [1.0]])
    """
    users = matrix.astype(np.float32).tocsr()
    own, items = users.T.tocsr(), users.shape[1]
    diagonal = torch.from_numpy(np.bincount(users.indices, users.data.astype(np.float64) ** 2, items)).float()
    length = diagonal.clamp(min=1e-30).sqrt()
    near, values, rows = torch.empty(items, count, dtype=torch.int32), torch.empty(items, count), max(1, CELLS // items)
    for start in range(0, items, rows):
        block = torch.from_numpy((own[start : start + rows] @ users).toarray())
        place = torch.arange(len(block))
        cosine = block / length
        cosine[place, start + place] = -1
        near[start : start + rows] = found = cosine.topk(count).indices
        values[start : start + rows] = block.gather(1, found)
    return Products(diagonal, near, values, low_rank(users, min(FACTORS, *users.shape)))


def low_rank(matrix: Any, rank: int) -> Tensor:
    """F (I, rank) with F F' near X'X, by subspace iteration from a random start.

    "Finding Structure with Randomness" (Halko, Martinsson & Tropp, 2011), arXiv:0909.4061, algorithm 4.4.

    Arguments:
        matrix: X, a scipy CSR array (U, I).
        rank: at most U and I.

    Example:
        >>> from scipy.sparse import csr_array
        >>> factors = low_rank(csr_array([[2.0, 1.0], [2.0, 1.0]]), 1)
        >>> (factors @ factors.T).round().tolist()
        [[8.0, 4.0], [4.0, 2.0]]
    """
    basis = np.random.default_rng(0).standard_normal((matrix.shape[1], rank), np.float32)
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(matrix.T @ (matrix @ basis))[0]
    spread = np.linalg.svd(matrix @ basis, full_matrices=False)
    return torch.from_numpy(basis @ (spread.Vh.T * spread.S))


def solve_nearest(products: Products, penalty: Tensor) -> Tensor:
    """The ridge regression of every item on its K nearest: weights (I, K) of `products.items` in its score.

    With S an item and its nearest, and p the item's column of (X_S'X_S + diag(penalty))^-1, these are -p_j / p_i: the sparse approximation in
    "Markov Random Fields for Collaborative Filtering" (Steck, 2019), arXiv:1910.09645, section 3.2, with a set of its own for each item. Products
    of two neighbours that are not near each other are taken from the factors; where that leaves X_S'X_S + diag(penalty) without a Cholesky
    factor, the diagonal is doubled until it has one.

    Arguments:
        products: of the items.
        penalty: (I,) above 0.

    Example:
        >>> from scipy.sparse import csr_array
        >>> products = nearest_products(csr_array([[1.0, 1.0], [1.0, 0.0]]), 1)
        >>> solve_nearest(products, torch.ones(2)).mul(6).round().tolist()  # sixths: 1 / (1 + 1) and 1 / (2 + 1), as the closed form has it
        [[3.0], [2.0]]
    """
    items, count = products.items.shape
    heavier, parts = products.diagonal + penalty, []
    for at in torch.arange(items).split(max(1, LOOKED_UP // (count * (count + 1)))):
        chosen = torch.cat([at[:, None], products.items[at].long()], 1)
        parts.append(regression_of_first(with_factor(products_between(products, chosen, heavier))))
    return torch.cat(parts)


def products_between(products: Products, chosen: Tensor, diagonal: Tensor) -> Tensor:
    """The products of some items with each other (C, K + 1, K + 1), `diagonal` (I,) on the diagonal; chosen (C, K + 1)."""
    rows, size = chosen.shape
    place = torch.full(
        (rows, len(diagonal)), size
    )  # where an item stands among the chosen; others go to a column that is dropped
    place.scatter_(1, chosen, torch.arange(size).expand(rows, -1))
    columns = place.gather(1, products.items[chosen].view(rows, -1).long()).view(rows, size, -1)
    kept = torch.full((rows, size, size + 1), torch.nan).scatter_(2, columns, products.values[chosen])[..., :size]
    kept = torch.where(kept.isnan(), kept.mT, kept)  # in one of the two rows is enough
    factors = products.factors[chosen]
    between = torch.where(kept.isnan(), factors @ factors.mT, kept)
    between.diagonal(dim1=1, dim2=2).copy_(diagonal[chosen])
    return between


def with_factor(matrices: Tensor) -> Tensor:
    """Lower Cholesky factors of matrices (C, K, K), whose diagonals are doubled where there is none."""
    factors: Tensor
    factors, failed = torch.linalg.cholesky_ex(matrices)
    while bool(failed.any()):
        wrong = failed.nonzero()[:, 0]
        matrices[wrong] += torch.diag_embed(matrices[wrong].diagonal(dim1=1, dim2=2))
        factors[wrong], failed[wrong] = torch.linalg.cholesky_ex(matrices[wrong])
    return factors


def regression_of_first(factors: Tensor) -> Tensor:
    """The weights (C, K) of all others in the first, from lower factors (C, K + 1, K + 1)."""
    unit = torch.zeros(len(factors), factors.shape[1], 1)
    unit[:, 0] = 1
    column = torch.cholesky_solve(unit, factors)[..., 0]
    weights: Tensor = -column[:, 1:] / column[:, :1]
    return weights
