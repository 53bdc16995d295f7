"""What is not observed, given what is: conditional means, standard deviations and draws of one joint Gaussian under any mask, many rows at once.

Letters of shapes: N rows, P cells of a row, R sets of values under one mask, B rows of a group, K places of a group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

NUMBERS_AT_ONCE = (
    2_000_000  # in the largest array of a group of rows: beyond 32 MB the allocator asks the system for every array anew
)


@dataclass(frozen=True)
class ConditionalMoments:
    """E[x | observed] and sd[x | observed] (N, P), exactly x and 0 where observed."""

    mean: Tensor
    sd: Tensor


@dataclass(frozen=True)
class JointGaussian:
    """N(mean (P,), covariance (P, P)) in float64."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, mean: Tensor, covariance: Tensor) -> JointGaussian:
        """The Gaussian with this mean and covariance."""
        return cls(mean.double(), covariance.double())

    @cached_property
    def root(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        lower: Tensor = torch.linalg.cholesky(self.covariance)
        return lower

    @cached_property
    def precision(self) -> Tensor:
        """The inverse of the covariance."""
        return torch.cholesky_inverse(self.root)


def conditional(x: Tensor, joint: JointGaussian, last: int | None = None) -> ConditionalMoments:
    """x (N, P) with NaN where missing -> the rest given it, or of that the `last` cells alone, so that the result is (N, last).

    A row costs about min(observed, missing)^2 P, and P where nothing is missing.
    """
    x, observed = x.double(), ~x.isnan()
    shift, variance = torch.zeros_like(x), torch.zeros_like(x)
    y = torch.where(observed, x - joint.mean, 0.0)
    cells = slice(0 if last is None else x.shape[1] - last, None)
    for group in mask_groups(observed, x[:, cells].shape[1]):
        root = group.root(joint)
        shift[group.rows] = group.regression(y[group.rows].unsqueeze(1), root, joint).squeeze(1)
        variance[group.rows, cells] = group.variance(root, joint, cells)
    mean, sd = torch.where(observed, x, joint.mean + shift), torch.where(observed, 0.0, variance.clamp(min=1e-12).sqrt())
    return ConditionalMoments(mean[:, cells], sd[:, cells])


def regression(y: Tensor, observed: Tensor, joint: JointGaussian) -> Tensor:
    """E[y | the observed of it] (N, R, P) of y (N, R, P) with mean 0, the mask (N, P) alike for all R; a row costs min(observed, missing)^3 / 3."""
    y = torch.where(observed.unsqueeze(1), y, 0.0)
    expected = y.clone()
    for group in mask_groups(observed, y.shape[1]):
        found = group.regression(y[group.rows], group.root(joint), joint)
        expected[group.rows] = torch.where(observed[group.rows].unsqueeze(1), y[group.rows], found)
    return expected


def conditional_mean(x: Tensor, joint: JointGaussian) -> Tensor:
    """E[x | observed] (N, P) of rows x with NaN where missing, without what standard deviations cost."""
    x, observed = x.double(), ~x.isnan()
    return torch.where(observed, x, joint.mean + regression((x - joint.mean).unsqueeze(1), observed, joint).squeeze(1))


@dataclass(frozen=True)
class MaskGroup:
    """Rows with similar masks: their numbers (B,), the places (B, K) of their observed, or missing, cells, and which of these are no padding."""

    rows: Tensor
    places: Tensor
    valid: Tensor
    by_observed: bool

    def root(self, joint: JointGaussian) -> Tensor:
        """The Cholesky factor (B, K, K) of the covariance of the observed cells, or of the precision of the missing ones, 1 at padding."""
        matrix = joint.covariance if self.by_observed else joint.precision
        block = matrix[self.places.unsqueeze(2), self.places.unsqueeze(1)]
        row, place = (~self.valid).nonzero(as_tuple=True)
        block[row, place], block[row, :, place], block[row, place, place] = 0.0, 0.0, 1.0
        lower: Tensor = torch.linalg.cholesky(block)
        return lower

    def regression(self, y: Tensor, root: Tensor, joint: JointGaussian) -> Tensor:
        """E[x] - mean (B, R, P) from y (B, R, P), x - mean where observed, 0 elsewhere: S_:o S_oo^-1 y_o, or -K_mm^-1 K_mo y_o."""
        places = self.places.unsqueeze(1).expand(-1, y.shape[1], -1)
        pull = (y if self.by_observed else -(y @ joint.precision)).gather(2, places) * self.valid.unsqueeze(1)
        weights = torch.zeros_like(y).scatter_add(2, places, torch.cholesky_solve(pull.mT, root).mT)
        return weights @ joint.covariance if self.by_observed else weights

    def variance(self, root: Tensor, joint: JointGaussian, cells: slice) -> Tensor:
        """var[x] (B, …) of some cells, of use where they are missing: S - S_:o S_oo^-1 S_o:, or K_mm^-1."""
        if self.by_observed:
            across = joint.covariance[:, cells][self.places] * self.valid.unsqueeze(2)
            half = torch.linalg.solve_triangular(root, across, upper=False)
            variance: Tensor = joint.covariance.diagonal()[cells] - half.square_().sum(1)
            return variance
        inverse = torch.cholesky_inverse(root).diagonal(dim1=1, dim2=2) * self.valid
        whole = inverse.new_zeros(len(inverse), len(joint.mean)).scatter_add(1, self.places, inverse)
        return whole[:, cells]


def mask_groups(observed: Tensor, width: int) -> Iterator[MaskGroup]:
    """Rows (N, P) with something missing by similar masks; by observed cells where those are fewer, at a cost of `width` numbers each."""
    p = observed.shape[1]
    by_observed = observed.sum(1) <= p // 2
    for side in (True, False):
        rows = torch.nonzero(by_observed == side).flatten()
        places = observed[rows] if side else ~observed[rows]
        counts = places.sum(1)
        order = counts.argsort(stable=True)
        while len(order):
            size = group_size(counts[order], width if side else 0)
            chosen, order = order[:size], order[size:]
            most = int(counts[chosen[-1]])
            if most or side:
                index = (~places[chosen]).to(torch.int8).argsort(dim=1, stable=True)[:, :most]
                yield MaskGroup(rows[chosen], index, places[chosen].gather(1, index), side)


def group_size(counts: Tensor, width: int) -> int:
    """How many of the rows, sorted by count, fit into memory at once."""
    last = int(counts[-1])
    if not last:
        return len(counts)
    cost = counts.double() * (counts + width) * torch.arange(1, len(counts) + 1, device=counts.device)
    return max(1, int((cost <= NUMBERS_AT_ONCE).sum()))
