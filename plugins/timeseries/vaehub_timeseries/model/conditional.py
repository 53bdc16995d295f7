"""What is not observed, given what is: conditional means and covariances of one joint Gaussian under any mask, many rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

NUMBERS_AT_ONCE = 8_000_000  # in the largest array of a group of rows


@dataclass(frozen=True)
class ConditionalMoments:
    """E[x | observed] and sd[x | observed] (N, P), exactly x and 0 where observed; `covariance` (P, P) is summed over the rows."""

    mean: Tensor
    sd: Tensor
    covariance: Tensor


@dataclass(frozen=True)
class JointGaussian:
    """N(mean (P,), covariance (P, P)) in float64, with its inverse at hand."""

    mean: Tensor
    covariance: Tensor
    precision: Tensor

    @classmethod
    def of(cls, mean: Tensor, covariance: Tensor) -> JointGaussian:
        """The Gaussian with this mean and covariance."""
        covariance = covariance.double()
        return cls(mean.double(), covariance, torch.cholesky_inverse(torch.linalg.cholesky(covariance)))


def conditional(x: Tensor, joint: JointGaussian, moments: bool = False) -> ConditionalMoments:
    """x (N, P) with NaN where missing -> the rest given it; `moments` for the sum of covariances. A row costs about min(observed, missing)^3."""
    x, observed = x.double(), ~x.isnan()
    mean, sd = torch.where(observed, x, joint.mean), torch.zeros_like(x)
    total = torch.zeros_like(joint.covariance)
    y = torch.where(observed, x - joint.mean, torch.zeros((), dtype=x.dtype, device=x.device))
    for rows, index, valid, by_observed in mask_groups(observed):
        solve = from_covariance if by_observed else from_precision
        shift, variance = solve(y[rows], index, valid, joint, total if moments else None)
        missing = ~observed[rows]
        mean[rows] = torch.where(missing, joint.mean + shift, mean[rows])
        sd[rows] = torch.where(missing, variance.clamp(min=1e-12).sqrt(), sd[rows])
    return ConditionalMoments(mean, sd, total)


def mask_groups(observed: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, bool]]:
    """Rows with similar masks: row numbers (B,), the places (B, K) of their observed (or missing, where those are fewer) cells, which are valid."""
    p = observed.shape[1]
    by_observed = observed.sum(1) <= p // 2
    for side in (True, False):
        rows = torch.nonzero(by_observed == side).flatten()
        places = observed[rows] if side else ~observed[rows]
        counts = places.sum(1)
        order = counts.argsort(stable=True)
        while len(order):
            size = group_size(counts[order], p if side else 0)
            chosen, order = order[:size], order[size:]
            width = int(counts[chosen[-1]])
            if width or side:
                index = (~places[chosen]).to(torch.int8).argsort(dim=1, stable=True)[:, :width]
                yield rows[chosen], index, places[chosen].gather(1, index), side


def group_size(counts: Tensor, width: int) -> int:
    """How many of the rows, sorted by count, fit into memory at once."""
    last = int(counts[-1])
    if not last:
        return len(counts)
    cost = counts.double() * (counts + width) * torch.arange(1, len(counts) + 1, device=counts.device)
    return max(1, int((cost <= NUMBERS_AT_ONCE).sum()))


def block(matrix: Tensor, index: Tensor, valid: Tensor) -> Tensor:
    """matrix[index, index] of every row (B, K, K), the identity where a place is padding."""
    both = valid.unsqueeze(2) & valid.unsqueeze(1)
    eye = torch.eye(index.shape[1], dtype=matrix.dtype, device=matrix.device)
    return torch.where(both, matrix[index.unsqueeze(2), index.unsqueeze(1)], eye)


def from_covariance(y: Tensor, index: Tensor, valid: Tensor, joint: JointGaussian, total: Tensor | None) -> tuple[Tensor, Tensor]:
    """E[x] - mean and var[x] (B, P) from the covariance of the observed cells: S_:o S_oo^-1 y_o and S - S_:o S_oo^-1 S_o:."""
    lower = torch.linalg.cholesky(block(joint.covariance, index, valid))
    across = joint.covariance[index] * valid.unsqueeze(2)
    half = torch.linalg.solve_triangular(lower, across, upper=False)
    target = torch.linalg.solve_triangular(lower, (y.gather(1, index) * valid).unsqueeze(2), upper=False)
    if total is not None:
        flat = half.reshape(-1, half.shape[2])
        total += len(y) * joint.covariance - flat.T @ flat
    return (half.mT @ target).squeeze(2), joint.covariance.diagonal() - half.square().sum(1)


def from_precision(y: Tensor, index: Tensor, valid: Tensor, joint: JointGaussian, total: Tensor | None) -> tuple[Tensor, Tensor]:
    """E[x] - mean and var[x] (B, P) from the precision of the missing cells: -K_mm^-1 K_mo y_o and K_mm^-1."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(block(joint.precision, index, valid)))
    pull = (y @ joint.precision).gather(1, index) * valid
    shift = torch.zeros_like(y).scatter_add(1, index, -(inverse @ pull.unsqueeze(2)).squeeze(2) * valid)
    variance = torch.zeros_like(y).scatter_add(1, index, inverse.diagonal(dim1=1, dim2=2) * valid)
    if total is not None:
        both = valid.unsqueeze(2) & valid.unsqueeze(1)
        places = (index.unsqueeze(2) * y.shape[1] + index.unsqueeze(1)).flatten()
        total.view(-1).index_add_(0, places, torch.where(both, inverse, 0.0).flatten())
    return shift, variance
