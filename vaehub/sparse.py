"""Rows x that are mostly zeros, in torch's CSR layout, and the few things that it lacks."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["csr", "dense", "is_sparse", "row_of", "rows_at", "take"]

with warnings.catch_warnings():  # torch says once that CSR is in beta: here, where no user is disturbed
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor(torch.tensor([0, 1]), torch.tensor([0]), torch.ones(1), (1, 1), check_invariants=False)


def is_sparse(t: Tensor) -> bool:
    """Whether a tensor is in the CSR layout."""
    return t.layout is torch.sparse_csr


def csr(crow: Tensor, col: Tensor, values: Tensor, columns: int) -> Tensor:
    """Rows (B, columns) with `values` (nnz,) at the sorted columns `col`; row b has those from crow[b] to crow[b + 1]."""
    return torch.sparse_csr_tensor(crow, col, values, (len(crow) - 1, columns), check_invariants=False)


def rows_at(crow: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """The row pointer of the rows `index` (B,) alone, and where their entries lie among all: (B + 1,), (nnz,)."""
    start = crow[index]
    length = crow[index + 1] - start
    end = length.cumsum(0)
    shift = (start - end + length).repeat_interleave(length)
    return pad(end, (1, 0)), shift + torch.arange(len(shift), device=crow.device)


def row_of(crow: Tensor) -> Tensor:
    """The row that every entry is in: (nnz,)."""
    return torch.arange(len(crow) - 1, device=crow.device).repeat_interleave(crow.diff())


def take(t: Tensor, index: Tensor) -> Tensor:
    """Rows `index` of a tensor, dense or CSR."""
    if not is_sparse(t):
        return t.index_select(0, index)
    crow, at = rows_at(t.crow_indices(), index)
    return csr(crow.to(t.col_indices().dtype), t.col_indices()[at], t.values()[at], t.shape[1])


def dense(t: Tensor) -> Tensor:
    """The same numbers in the layout that every function takes."""
    return t.to_dense() if is_sparse(t) else t


def stored(t: Tensor) -> Tensor:
    """The numbers that a tensor holds, of a sparse one the zero as well: enough to tell its range."""
    return torch.cat([t.values(), t.values().new_zeros(1)]) if is_sparse(t) else t
