"""What a density of users' rows has to say for itself, so that it can be computed a block of items at a time.

Letters of shapes: B rows, I items, C items of a block, N blocks, nnz observed items of all rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class BlockwiseDensity(ABC):
    """log p(x|s) = sum over the observed items of f(x_i, s_i) - A(s) for scores s of all items, A reduced block by block.

    Nothing here asks for all scores at once but `log_density`, so that `Scores` and the products of matrices need no likelihood.
    """

    @abstractmethod
    def log_density(self, s: Tensor, x: Tensor) -> Tensor:
        """log p(x|s) of x and s (…, I): (…)."""

    @abstractmethod
    def observed(self, x: Tensor, s: Tensor) -> Tensor:
        """f(x_i, s_i) with what does not depend on s, at observed items (nnz,)."""

    @abstractmethod
    def observed_gradient(self, x: Tensor, s: Tensor) -> Tensor:
        """df/ds (nnz,)."""

    @abstractmethod
    def reduce_block(self, s: Tensor) -> Tensor:
        """What a block of scores (B, C) adds to A: (B,)."""

    @abstractmethod
    def combine_blocks(self, parts: Tensor) -> Tensor:
        """All blocks' parts (B, N) together: (B,)."""

    @abstractmethod
    def normaliser(self, combined: Tensor, total: Tensor) -> Tensor:
        """A (B,) from the combined parts and the totals of x (B,)."""

    @abstractmethod
    def normaliser_gradient(self, s: Tensor, combined: Tensor, g: Tensor, total: Tensor) -> Tensor:
        """g dA/ds (B, C) for a block, g (B,)."""
