"""The linear part after more interactions: exact, and without the interactions that it was made of.

Letters of shapes: I items, R rows that changed, r of all that changed. P = (X'X + diag(penalty))^-1, B = I - P diag(P)^-1 as in `parts.ease`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import torch
from scipy.sparse import csr_array, vstack
from torch import Tensor

from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.closed_form import ROWS, add_gram, as_weights, inverse, mean_with_transpose, peak_memory, solve
from vaehub_recommender.memory import FEWER, require_memory
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.linear_part import LinearPart

ROUNDING = np.float32(1e-6)  # of weights that are transformed back and forth


@final
@dataclass(frozen=True)
class ClosedForm:
    """B (I, I) and diag(P) (I,), with the penalty of every item: penalty + noise (X'X)_ii."""

    weights: Tensor
    diagonal: Tensor
    penalty: float
    noise: float = 0.0


def complete_linear_part(fitted: Fitted) -> Fitted:
    """The same model, whose linear part has all known users in it."""
    decoder = fitted.run.vae.decoder
    if isinstance(decoder, LinearPart):
        rows = differing_rows(fitted.counted, fitted.log.matrix)
        if len(rows):
            update_linear_part(decoder, decoder, fitted.counted[rows], fitted.log.matrix[rows], fitted.log.matrix)
    return replace(fitted, in_linear_part=np.ones(len(fitted.users), bool), linear_rows=None)


def differing_rows(matrix: csr_array, other: csr_array) -> np.ndarray:
    """Numbers of the rows of two matrices (U, I) of positive weights that are not the same but for rounding."""
    if matrix is other:
        return np.zeros(0, np.int64)
    beyond = csr_array(abs(matrix - other) - ROUNDING * (matrix + other))
    beyond.data = beyond.data > 0
    beyond.eliminate_zeros()
    return np.flatnonzero(np.diff(beyond.indptr))


def update_linear_part(after: LinearPart, before: LinearPart, old: csr_array, new: csr_array, everything: csr_array) -> None:
    """Give a decoder the linear part of the one before with rows `new` (R, I') in the place of rows `old` (R, I).

    The closed form is changed by these rows alone; sparse parts and neighbours are learnt anew from `everything` (U, I').
    """
    exact, exact_before = after.solved, before.solved
    if isinstance(exact, Ease) and isinstance(exact_before, Ease):
        replace_rows(exact, exact_before, old, new)
        if isinstance(after.base, LinearPart):
            after.base.learn_with_base(everything)
    else:
        after.learn_with_base(everything)


@torch.no_grad()
def replace_rows(decoder: Ease, before: Ease, old: csr_array, new: csr_array) -> None:
    """Give a decoder the closed form of the one before, with rows `new` (R, I') in the place of rows `old` (R, I)."""
    closed = ClosedForm(before.weights.cpu(), before.diagonal.cpu(), before.penalty, before.noise)
    weights, diagonal = updated_closed_form(closed, old, new)
    decoder.weights.copy_(weights)
    decoder.diagonal.copy_(diagonal)


def updated_closed_form(before: ClosedForm, old: csr_array, new: csr_array) -> tuple[Tensor, Tensor]:
    """B and diag(P) when rows `old` (R, I) become `new` (R, I'), I' >= I: those of the closed form on all rows, with the last items new.

    P of new items without interactions is I / penalty; then P changes by the identity of Woodbury (1950), in O(r I'^2) for r rows and penalties
    that change, or where that is more by the inverse of its inverse, in O(I'^3). A user who is new has an empty row in `old`.

    Raises:
        UsageError: memory does not hold it, with what it takes.
    """
    items = new.shape[1]
    require_memory(f"weights between {items:,} items after more interactions", peak_memory(items, old.nnz + new.nnz), FEWER)
    precision = precision_of(before, items)
    old = without_empty_rows(csr_array((old.data, old.indices, old.indptr), shape=new.shape))
    heavier = before.noise * (column_squares(new) - column_squares(old))
    if old.shape[0] + new.shape[0] + heavier.count_nonzero() > items // 4:
        return solve(add_gram(add_gram(inverse(precision), new), old, -1), heavier)
    for rows, change in low_rank_changes(old, new, heavier):
        woodbury(precision, rows, change)
    return as_weights(precision)


def low_rank_changes(old: csr_array, new: csr_array, heavier: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """V (r, I) and diag(C) (r,) of changes V'CV, some rows at a time: rows and penalties that come, then those that go.

    In this order P^-1 stays positive definite on the way.
    """
    at = heavier.abs().nonzero()[:, 0].numpy()
    units = csr_array((np.ones(len(at)), (np.arange(len(at)), at)), shape=(len(at), new.shape[1]))
    rows = csr_array(vstack([new, units, old]))
    change = np.concatenate([np.ones(new.shape[0]), heavier.numpy()[at], -np.ones(old.shape[0])])
    order = np.argsort(change < 0, kind="stable")
    for start in range(0, len(order), ROWS):
        some = order[start : start + ROWS]
        yield dense_rows(rows[some]), torch.from_numpy(change[some])


def column_squares(rows: csr_array) -> Tensor:
    """The diagonal of X'X (I,)."""
    return torch.from_numpy(np.bincount(rows.indices, rows.data.astype(np.float64) ** 2, rows.shape[1]))


def without_empty_rows(rows: csr_array) -> csr_array:
    """Without empty rows, which change nothing."""
    return rows[np.flatnonzero(np.diff(rows.indptr))]


def precision_of(closed: ClosedForm, items: int) -> Tensor:
    """P (I', I') in float64 from B and diag(P): P_ij = -B_ij P_jj; behind it are new items that nobody has yet."""
    precision, size = torch.zeros(items, items, dtype=torch.float64), len(closed.diagonal)
    learnt = precision[:size, :size]
    learnt.copy_(closed.weights).mul_(-closed.diagonal.double())
    learnt.diagonal().copy_(closed.diagonal)
    mean_with_transpose(learnt)  # B is rounded to float32, P is symmetric
    precision.diagonal()[size:] = 1 / closed.penalty
    return precision


def woodbury(precision: Tensor, rows: Tensor, change: Tensor) -> Tensor:
    """(P^-1 + V'CV)^-1 = P - P V'(C^-1 + V P V')^-1 V P for rows V (r, I) and C = diag(change) (r,).

    "Inverting Modified Matrices" (Woodbury, 1950), Memorandum Report 42, Statistical Research Group, Princeton. P is overwritten.
    """
    product = rows @ precision
    inner = (1 / change).diag() + product @ rows.T
    return precision.addmm_(product.T, torch.linalg.solve(inner, product), alpha=-1)


def dense_rows(rows: csr_array) -> Tensor:
    """Rows (R, I) written out in float64."""
    return torch.from_numpy(rows.toarray()).double()
