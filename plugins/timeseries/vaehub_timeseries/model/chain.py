"""Series of any length under a stationary Gaussian process: exact smoothing in one pass, linear in length.

The lags 0 … T - 1 have one extension to all lags that assumes nothing more, the autoregression of order T - 1 ("Maximum entropy spectral
analysis" (Burg, 1975)). Under it blocks of T steps are a Markov chain, so that the precision of a whole series is block-tridiagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vaehub_timeseries.model.autocovariance import window_covariance
from vaehub_timeseries.model.em import Autocovariance

BLOCKS_AT_ONCE = 256  # a longer series is smoothed in parts of so many blocks, each with a block of context at both ends


@dataclass(frozen=True)
class Chain:
    """Precision blocks (P, P) of a chain of windows of P = T*C cells: of the first, an inner, the last and the only one, and of neighbours."""

    steps: int
    mean: Tensor  # (C,)
    first: Tensor
    inner: Tensor
    last: Tensor
    only: Tensor
    beside: Tensor  # rows: a block, columns: the next one

    @classmethod
    def of(cls, process: Autocovariance, level: float = 0.0) -> Chain:
        """The chain of a process whose level drifts as in `Autocovariance.joint`."""
        steps, size = len(process.gamma), process.gamma.shape[0] * process.gamma.shape[1]
        lags = extended(with_noise(process, level), 2 * steps)
        two, one = (inverse(window_covariance(lags[:n])) for n in (2 * steps, steps))
        first, last = two[:size, :size], two[size:, size:]
        return cls(steps, process.mean, first, first + last - one, last, one, two[:size, size:])

    def diagonal(self, number: int, count: int) -> Tensor:
        """The precision of block `number` of `count`, given its neighbours."""
        if count == 1:
            return self.only
        return self.first if number == 0 else self.last if number == count - 1 else self.inner

    def smooth(self, x: Tensor, n: int = 0, generator: torch.Generator | None = None) -> Smoothed:
        """x (T, C) of any length with NaN where missing -> mean and sd (T, C), and n joint draws (n, T, C)."""
        blocks = Blocks.of(x - self.mean, self.steps, n, generator)
        parts = [self._part(blocks, start) for start in range(0, blocks.count, BLOCKS_AT_ONCE)]
        mean, sd, drawn = (torch.cat(list(p), dim=-2).flatten(-2) for p in zip(*parts, strict=True))
        shape = (n, blocks.count * self.steps, x.shape[1])
        observed = ~x.isnan()
        mean = torch.where(observed, x, mean.view(-1, x.shape[1])[: len(x)] + self.mean)
        sd = torch.where(observed, 0.0, sd.view(-1, x.shape[1])[: len(x)])
        return Smoothed(mean, sd, torch.where(observed, x, drawn.view(shape)[:, : len(x)] + self.mean))

    def _part(self, blocks: Blocks, start: int) -> tuple[Tensor, Tensor, Tensor]:
        """Mean (B, P), sd (B, P) and draws (n, B, P) of BLOCKS_AT_ONCE blocks."""
        low, high = max(0, start - 1), min(blocks.count, start + BLOCKS_AT_ONCE + 1)
        forward = [self._eliminate(blocks, low, low, high, None)]
        for b in range(low + 1, high):
            forward.append(self._eliminate(blocks, b, low, high, forward[-1]))
        keep = slice(start - low, start - low + BLOCKS_AT_ONCE)
        mean, sd, drawn = backward(forward, blocks, low)
        return mean[keep], sd[keep], drawn[:, keep]

    def _eliminate(self, blocks: Blocks, b: int, low: int, high: int, before: Eliminated | None) -> Eliminated:
        """Block b once those before it are integrated out."""
        y, gone = blocks.values, blocks.places[b]
        diagonal = self.diagonal(b - low, high - low)
        pull = y[b] @ diagonal
        if b > low:
            pull = pull + y[b - 1] @ self.beside
        if b + 1 < high:
            pull = pull + self.beside @ y[b + 1]
        precision, target = diagonal[gone.unsqueeze(1), gone], -pull[gone]
        if before is not None and len(before.places) and len(gone):
            across = self.beside[before.places.unsqueeze(1), gone]
            half = torch.linalg.solve_triangular(before.lower, across, upper=False)
            precision, target = precision - half.T @ half, target - half.T @ before.target
        lower = torch.linalg.cholesky(precision)
        ahead = self.beside[gone.unsqueeze(1), blocks.places[b + 1]] if b + 1 < high else None
        return Eliminated(gone, lower, torch.linalg.solve_triangular(lower, target.unsqueeze(1), upper=False).squeeze(1), ahead)


@dataclass(frozen=True)
class Smoothed:
    """Mean and sd (T, C) of every cell, the value and 0 where observed, and joint draws (n, T, C)."""

    mean: Tensor
    sd: Tensor
    draws: Tensor


@dataclass(frozen=True)
class Blocks:
    """A series in blocks: values (B, P), 0 where missing; places of the missing cells of each; noise (n, B, P) for draws."""

    values: Tensor
    places: list[Tensor]
    noise: Tensor

    @classmethod
    def of(cls, x: Tensor, steps: int, n: int, generator: torch.Generator | None) -> Blocks:
        """Cut a series (T, C), padded with missing steps, with noise for n draws."""
        short = -len(x) % steps
        padded = torch.nn.functional.pad(x, (0, 0, 0, short), value=torch.nan).view(-1, steps * x.shape[1])
        noise = torch.randn(n, *padded.shape, dtype=x.dtype, generator=generator)
        return cls(padded.nan_to_num(0.0), [row.isnan().nonzero().flatten() for row in padded], noise)

    @property
    def count(self) -> int:
        """B."""
        return len(self.values)


@dataclass(frozen=True)
class Eliminated:
    """The missing cells of a block given the next block: Cholesky factor L of their precision, L^-1 of the pull on them, link to the next."""

    places: Tensor
    lower: Tensor
    target: Tensor
    ahead: Tensor | None


def backward(forward: list[Eliminated], blocks: Blocks, low: int) -> tuple[Tensor, Tensor, Tensor]:
    """From the last block to the first: mean (B, P), sd (B, P), draws (n, B, P), all 0 where observed."""
    shape = (len(forward), blocks.values.shape[1])
    mean, sd = blocks.values.new_zeros(shape), blocks.values.new_zeros(shape)
    drawn = blocks.noise.new_zeros(len(blocks.noise), *shape)
    covariance, after = blocks.values.new_zeros(0, 0), blocks.values.new_zeros(len(blocks.noise) + 1, 0)
    for b in reversed(range(len(forward))):
        block = forward[b]
        covariance, after = backward_step(block, blocks.noise[:, low + b], covariance, after)
        mean[b, block.places], drawn[:, b, block.places] = after[0], after[1:]
        sd[b, block.places] = covariance.diagonal().clamp(min=1e-12).sqrt()
    return mean, sd, drawn


def backward_step(block: Eliminated, noise: Tensor, covariance: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Covariance (m, m), and mean and draws (1 + n, m), of a block's missing cells from those of the next block's."""
    eye = torch.eye(len(block.places), dtype=noise.dtype, device=noise.device)
    root = torch.linalg.solve_triangular(block.lower, eye, upper=False)  # L^-1; the covariance given the next block is L^-T L^-1
    target = torch.cat([torch.zeros_like(block.target).unsqueeze(0), noise[:, block.places]]) + block.target
    own = root.T @ root
    if block.ahead is None or not block.ahead.shape[1]:
        return own, target @ root
    half = root @ block.ahead
    gain = root.T @ half
    return own + gain @ covariance @ gain.T, (target - after @ half.T) @ root


def with_noise(process: Autocovariance, level: float) -> Tensor:
    """Lags of what is observed: white noise on lag 0, the drifting level on all."""
    lags = process.gamma + torch.diag(level * process.gamma[0].diagonal())
    lags[0] = lags[0] + torch.diag(process.noise)
    return lags


def extended(gamma: Tensor, count: int) -> Tensor:
    """Lags 0 … count - 1 by the autoregression that the lags given (T, C, C) determine."""
    steps, channels = gamma.shape[:2]
    if steps == 1:
        return torch.cat([gamma, gamma.new_zeros(count - 1, channels, channels)])
    whole = window_covariance(gamma)
    past = whole[:-channels, :-channels]
    weights = torch.linalg.solve(past, whole[:-channels, -channels:]).view(steps - 1, channels, channels)  # oldest first
    lags = list(gamma)
    for k in range(steps, count):
        lags.append(sum(lags[k - steps + 1 + j] @ weights[j] for j in range(steps - 1)))
    return torch.stack(lags)


def inverse(matrix: Tensor) -> Tensor:
    """The inverse of a positive definite matrix."""
    return torch.cholesky_inverse(torch.linalg.cholesky(matrix))
