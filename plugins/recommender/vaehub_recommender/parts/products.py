"""The two matrix products that cost all the time, with gradients that touch only what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import torch
from torch import Tensor
from torch.nn import functional as F

from vaehub import sparse
from vaehub_recommender.parts.blockwise import BlockwiseDensity

BLOCK = 2**22  # scores that are computed at once: 16 MiB
KEPT = 2**26  # scores that are kept for the backward pass; where there are more they are computed again


@final
class BagProduct(torch.autograd.Function):
    """x W of sparse x (B, I) and W (I, H): the rows of W that belong to a user's items, summed.

    The gradient of W is x' g, computed as the same sum with users and items changed over: four times faster on CPU than torch's own.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, crow: Tensor, col: Tensor, values: Tensor) -> Tensor:
        """(B, H)."""
        ctx.save_for_backward(crow, col, values)
        ctx.items = len(weight)
        return F.embedding_bag(col, weight, crow[:-1], mode="sum", per_sample_weights=values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        """dW (I, H)."""
        crow, col, values = ctx.saved_tensors
        order = col.argsort(stable=True)
        start = col.bincount(minlength=ctx.items).cumsum(0) - col.bincount(minlength=ctx.items)
        users = sparse.row_of(crow)[order]
        weight = F.embedding_bag(users, gradients[0].contiguous(), start, mode="sum", per_sample_weights=values[order])
        return weight, None, None, None


@final
class LinearLogProb(torch.autograd.Function):
    """log p(x|s) of sparse x (B, I) at s = h W' + b, whose I columns are never kept all at once where there are many.

    log p = sum_i over the items of x of f(x_i, s_i) - A(s): the first touches observed items only, the second is reduced block by block.
    The backward pass computes a block again rather than keep it, as in "Cut Your Losses in Large-Vocabulary Language Models"
    (Wijmans et al., 2025), arXiv:2411.09009.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, bias: Tensor, x: Tensor, density: BlockwiseDensity) -> Tensor:
        """(B,)."""
        low = h.to(autocast_dtype(h))
        ctx.x, ctx.density, ctx.keeps = SparseRows(x), density, len(h) * len(weight) <= KEPT
        reduced, observed, ctx.kept = [], torch.empty_like(ctx.x.values, dtype=at_least_float32(low.dtype)), []
        for start, stop in item_blocks(len(h), len(weight)):
            scores = block_of_scores(low, weight, bias, start, stop)
            inside = ctx.x.inside(start, stop)
            observed[inside] = scores[ctx.x.row[inside], ctx.x.col[inside] - start]
            reduced.append(density.reduce_block(scores))
            ctx.kept += [scores] if ctx.keeps else []
        combined = density.combine_blocks(torch.stack(reduced, 1))
        ctx.save_for_backward(low, weight, bias, observed, combined)
        log_prob: Tensor = ctx.x.summed(density.observed(ctx.x.values, observed)) - density.normaliser(combined, ctx.x.total)
        return log_prob

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """dh (B, H), dW (I, H), db (I,)."""
        low, weight, bias, observed, combined = ctx.saved_tensors
        x, g = ctx.x, gradients[0].to(combined.dtype)
        at_items = g[x.row] * ctx.density.observed_gradient(x.values, observed)
        dh, dweight, dbias = torch.zeros_like(low, dtype=combined.dtype), torch.empty_like(weight), torch.empty_like(bias)
        for number, (start, stop) in enumerate(item_blocks(len(low), len(weight))):
            scores = ctx.kept[number] if ctx.keeps else block_of_scores(low, weight, bias, start, stop)
            slope = ctx.density.normaliser_gradient(scores, combined, -g, x.total)
            inside = x.inside(start, stop)
            slope.view(-1).index_add_(0, x.row[inside] * (stop - start) + x.col[inside] - start, at_items[inside])
            dbias[start:stop] = slope.sum(0)
            slope = slope.to(low.dtype)
            dweight[start:stop] = slope.T @ low
            dh += slope @ weight[start:stop].to(low.dtype)
        return dh, dweight, dbias, None, None


@final
class SparseRows:
    """The entries of sparse rows: row and column (int64), value, and every row's total."""

    def __init__(self, x: Tensor) -> None:
        self.rows, self.row, self.col, self.values = len(x), sparse.row_of(x.crow_indices()), x.col_indices().long(), x.values()
        self.total = self.summed(self.values)

    def summed(self, values: Tensor) -> Tensor:
        """The sum of every row's values: (B,)."""
        return values.new_zeros(self.rows).index_add_(0, self.row, values)

    def inside(self, start: int, stop: int) -> Any:
        """Which entries lie in columns `start` to before `stop`."""
        return (self.col >= start) & (self.col < stop)


def item_blocks(rows: int, items: int) -> Iterator[tuple[int, int]]:
    """Blocks of items that keep `rows` x block within bounds."""
    size = max(1, BLOCK // max(rows, 1))
    return ((start, min(start + size, items)) for start in range(0, items, size))


def block_of_scores(h: Tensor, weight: Tensor, bias: Tensor, start: int, stop: int) -> Tensor:
    """h W' + b for some items, the product in the precision of h, the sum with b at least in float32."""
    product = h @ weight[start:stop].to(h.dtype).T
    return product.to(at_least_float32(h.dtype)) + bias[start:stop].to(at_least_float32(h.dtype))


def at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """At least float32."""
    return torch.promote_types(dtype, torch.float32)


def autocast_dtype(t: Tensor) -> torch.dtype:
    """The precision that products of `t` shall have: that of autocast, where it is on."""
    kind = t.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else t.dtype
