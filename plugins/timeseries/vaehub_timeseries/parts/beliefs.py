"""A conditional VAE on what a closed form says of a window: the code is how far each cell lies from its conditional mean."""

from __future__ import annotations

from typing import Any, NamedTuple, final

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from vaehub import Batch, Decoder, Encoder, Example, Likelihood, Posterior, Spec, UsageError
from vaehub.model import nets
from vaehub_timeseries.parts.cells import CellHead, spread
from vaehub_timeseries.parts.shapes import window_shape
from vaehub_timeseries.parts.temporal import Network, Temporal


@final
class BeliefDecoder(Decoder):
    """p(x|z,c) = family(m + s z): c = (m, s) is a closed form's conditional mean and standard deviation of every cell, z is in units of s.

    With the standard normal prior, p(x|c) has the closed form's own marginals, up to the family's scale. A cell that the closed form was
    shown has s = 0, so that no z moves it. Numbers of the condition after these 2 T C shift x, linearly. Without a belief (a condition
    of fewer numbers) m = 0 and s = 1. What a family needs besides a location is learnt.

    Raises:
        UsageError: x is no window (T, C) of real values, or the code has not one number a cell.

    >>> from vaehub.model.likelihoods import Normal as NormalFamily
    >>> spec = Spec((2, 1), cond=4)
    >>> decoder = BeliefDecoder(spec, 2, NormalFamily(spec))
    >>> belief = torch.tensor([[1.0, 2.0, 0.0, 0.5]])  # the first cell is 1, the second about 2
    >>> decoder(torch.ones(1, 2), belief).mean.flatten().tolist()
    [1.0, 2.5]
    """

    def __init__(self, spec: Spec, latent: int, likelihood: Likelihood) -> None:
        super().__init__(spec, latent, likelihood)
        require_cells("decoder belief", spec, latent)
        rest = torch.zeros(likelihood.param_shape[0] - 1, *spec.shape)
        self.rest = nn.Parameter(rest, requires_grad=len(rest) > 0)
        self.shift = nn.Linear(numbers_beside(spec), spec.size, bias=False) if numbers_beside(spec) else None

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B, T, C)."""
        given = parted(cond, self.spec)
        location = z.view(-1, *self.spec.shape)
        if given.belief is not None:
            location = given.belief[0] + given.belief[1] * location
        if self.shift is not None:
            location = location + self.shift(given.beside).view_as(location)
        out: Distribution = self.likelihood(torch.cat([location.unsqueeze(1), self.rest.expand(len(z), *self.rest.shape)], 1))
        return out

    @classmethod
    def example(cls) -> Example:
        """One number of code for every cell."""
        return Example(latent=8, spec=Spec((4, 2)))


@final
class BeliefEncoder(Encoder):
    """q(z|c) = N(δ(c), 1): δ, by a network over time that reads the closed form's mean, sd and mask, is 0 at first, and q is the prior then.

    All that is observed of x is in c already: the mean of a cell that the closed form was shown is its value, and its sd is 0. So the loss may
    be taken at cells that c does not show (`Batch.mask`). The beliefs are the exact posterior of a Gaussian process, computed once for a mask;
    δ is what is left for a network to learn, as in "Neural Processes" (Garnelo et al., 2018), arXiv:1807.01622, beside an exact posterior.
    Numbers of the condition after the 2 T C of the belief (what is constant in a window, its place in the whole) are read at every step.
    Without a belief a cell that is observed is itself, and any other 0 with sd 1.
    q has unit variance whatever `posterior` says, and its draws come in pairs around the mean, so that an even number of them has it exactly.

    Arguments:
        network: Transformer or convolutions over the steps of a window.
        width: Width of the layers.
        layers: Number of layers.
        dropout: Share of the hidden units that is dropped while training.
        cells: Width of a second network that is asked about each cell by itself, see `CellHead`; 0 does without.

    Raises:
        UsageError: x is no window (T, C) of real values, or the code has not one number a cell.

    >>> from vaehub.model.posteriors import DiagNormal
    >>> encoder = BeliefEncoder(Spec((4, 2), cond=16), DiagNormal(8), width=8, layers=1)
    >>> bool(encoder(Batch(torch.zeros(5, 4, 2), torch.ones(5, 16))).mean.any())  # before training
    False
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        network: Network = "transformer",
        width: PositiveInt = 64,
        layers: PositiveInt = 2,
        dropout: nets.Dropout = 0.1,
        cells: NonNegativeInt = 0,
    ) -> None:
        super().__init__(spec, posterior)
        steps, channels = require_cells("encoder belief", spec, posterior.latent)
        self.enter = nn.Linear(3 * channels + numbers_beside(spec), width)
        self.over_time = Temporal(network, steps, width, layers, dropout)
        self.leave = nn.Linear(width, channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.cells = CellHead(channels, width, cells) if cells else None

    def forward(self, batch: Batch) -> Distribution:
        """q(z|c): batch (B,), event (L,)."""
        given = parted(batch.cond, self.spec)
        mean, sd = given.belief or belief_of_observed(batch)
        judged = batch.observed if self.training and given.belief else None  # the loss asks for no others
        move = self.move(mean, sd, given.beside, judged).flatten(1)
        return Mirrored(Normal(move, torch.ones_like(move), validate_args=False), 1, validate_args=False)

    def move(self, mean: Tensor, sd: Tensor, beside: Tensor | None = None, judged: Tensor | None = None) -> Tensor:
        """δ (B, T, C) of a belief (B, T, C), and of what else is given (B, K); `judged` (B, T, C): the cells that it is needed of, if not all."""
        inputs = [mean, spread(sd), (sd <= 0).to(mean.dtype)]
        if beside is not None:
            inputs.append(beside.unsqueeze(1).expand(-1, mean.shape[1], -1))
        steps = self.over_time(self.enter(torch.cat(inputs, -1).to(nets.dtype_of(self))))
        moved: Tensor = self.leave(steps)
        if self.cells is None:
            return moved
        wanted = sd > 0 if judged is None else judged & (sd > 0)
        places = wanted.nonzero(as_tuple=True)
        return moved.index_put(places, self.cells(mean, sd, steps, places).to(moved.dtype), accumulate=True)

    @classmethod
    def example(cls) -> Example:
        """One number of code for every cell."""
        return Example(latent=8, spec=Spec((4, 2)))


class Mirrored(Independent):  # type: ignore[type-arg]
    """Independent normal distributions whose draws, where their number is even, come in pairs mirrored at the mean."""

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of shape (*sample_shape, B, L)."""
        shape = torch.Size(sample_shape)
        if not shape or shape[0] % 2:
            return super().rsample(shape)
        half = super().rsample(torch.Size((shape[0] // 2, *shape[1:])))
        return torch.cat([half, 2 * self.base_dist.mean - half])


def joined(mean: Tensor, sd: Tensor) -> Tensor:
    """The condition (B, 2 T C) that a belief (B, T, C) makes."""
    return torch.cat([mean.flatten(1), sd.flatten(1)], 1)


class Given(NamedTuple):
    """What a condition says: mean and sd (B, T, C), and the numbers beside them (B, K)."""

    belief: tuple[Tensor, Tensor] | None
    beside: Tensor | None


def parted(cond: Tensor | None, spec: Spec) -> Given:
    """The parts of a condition."""
    if not spec.cond:
        return Given(None, None)
    numbers = nets.required(cond, spec.cond)
    count = spec.cond - numbers_beside(spec)
    mean, sd = numbers[:, :count].view(-1, 2, *spec.shape).unbind(1) if count else (None, None)
    beside = numbers[:, count:] if numbers_beside(spec) else None
    return Given(None if mean is None or sd is None else (mean, sd.clamp(min=0)), beside)


def numbers_beside(spec: Spec) -> int:
    """How many numbers of the condition are no part of a belief."""
    return spec.cond - 2 * spec.size if spec.cond >= 2 * spec.size else spec.cond


def belief_of_observed(batch: Batch) -> tuple[Tensor, Tensor]:
    """Mean and sd (B, T, C) where nothing but the observed cells is known."""
    observed = batch.observed
    seen = torch.ones_like(batch.x, dtype=torch.bool) if observed is None else observed
    return torch.where(seen, batch.x, 0.0), (~seen).to(batch.x.dtype)


def require_cells(part: str, spec: Spec, latent: int) -> tuple[int, int]:
    """Steps and channels of a window. Raises UsageError where the code has not one number a cell."""
    steps, channels = window_shape(part, spec)
    if latent != spec.size:
        raise UsageError(
            f"{part}: a window has {steps} x {channels} cells, and the code a number for each: set latent to {spec.size}"
        )
    return steps, channels
