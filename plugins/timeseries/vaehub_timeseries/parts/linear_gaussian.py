"""The VAE whose linear part is in closed form: probabilistic PCA of windows, with a neural correction that starts at zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution, MultivariateNormal

from vaehub import Batch, Data, Decoder, Encoder, Likelihood, Model, Posterior, Spec
from vaehub.model import nets
from vaehub_timeseries.model.autocovariance import window_covariance
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.parts.hiding import hide_up_to
from vaehub_timeseries.parts.shapes import window_shape
from vaehub_timeseries.parts.temporal import Network, Temporal
from vaehub_timeseries.windows import SeriesFacts

Share = Annotated[float, Field(ge=0, lt=1)]
LEAST_NOISE = 1e-3  # variance, in scaled units


@final
class LinearGaussianDecoder(Decoder):
    """p(x|z) = family(mu + W z + h(z)) with W and mu in closed form: x is a window of a stationary Gaussian process.

    W = U (Λ - σ²)^{1/2} from the eigenvectors of the window's covariance, "Probabilistic Principal Component Analysis" (Tipping & Bishop,
    1999), doi:10.1111/1467-9868.00196; what the L first leave out is noise of each cell. The covariance is fitted by EM to the training
    series before training (`fit_autocovariance`) and stays as it is. `drift`: variance of a window's level, as a share of a channel's own.
    h is a multilayer perceptron that starts at zero, where `hidden` names layers. What a family needs besides a location is learnt.

    Arguments:
        drift: Variance of a window's level, as a share of a channel's own.
        hidden: Widths of the hidden layers of h; none leave the linear part alone.

    Raises:
        UsageError: x is no window (T, C) of real values.

    >>> from vaehub.model.likelihoods import Normal
    >>> spec = Spec((4, 2))
    >>> decoder = LinearGaussianDecoder(spec, 3, Normal(spec))
    >>> still = torch.stack([torch.eye(2), *torch.zeros(3, 2, 2)])  # no cell says anything of another
    >>> decoder.set_process(Autocovariance(torch.zeros(2), still, torch.zeros(2)))
    >>> decoder.factor.shape, decoder(torch.zeros(5, 3)).mean.shape
    (torch.Size([8, 3]), torch.Size([5, 4, 2]))
    """

    mean: Tensor  # (C,)
    gamma: Tensor  # (T, C, C)
    noise: Tensor  # (C,)
    factor: Tensor  # W (P, L)
    spread: Tensor  # (P,) variance of a cell that z says nothing about

    def __init__(
        self, spec: Spec, latent: int, likelihood: Likelihood, *, drift: Share = 0.3, hidden: Sequence[PositiveInt] = ()
    ) -> None:
        super().__init__(spec, latent, likelihood)
        steps, channels = window_shape("decoder linear_gaussian", spec)
        self.drift = drift
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("gamma", torch.zeros(steps, channels, channels))
        self.register_buffer("noise", torch.ones(channels))
        self.register_buffer("factor", torch.randn(spec.size, latent) / latent**0.5)
        self.register_buffer("spread", torch.ones(spec.size))
        rest = torch.zeros(likelihood.param_shape[0] - 1, *spec.shape)
        self.rest = nn.Parameter(rest, requires_grad=len(rest) > 0)
        self.correction = zero_at_start(nets.mlp(latent + spec.cond, *hidden, spec.size)) if hidden or spec.cond else None

    @property
    def process(self) -> Autocovariance:
        """The process, in double precision."""
        return Autocovariance(self.mean.double(), self.gamma.double(), self.noise.double())

    def initialise(self, data: Data) -> None:
        """Fit the process to the training series."""
        self.set_process(training_process(data, self.spec.shape[0]))

    @torch.no_grad()
    def set_process(self, process: Autocovariance) -> None:
        """Take up a process: W and the noise follow from it."""
        self.mean.copy_(process.mean)
        self.gamma.copy_(process.gamma)
        self.noise.copy_(process.noise)
        drift = torch.diag(self.drift * process.gamma[0].diagonal())
        noise = process.noise.clamp(min=LEAST_NOISE).repeat(len(process.gamma))
        values, vectors = torch.linalg.eigh(window_covariance(process.gamma + drift))
        kept = min(self.latent, len(values))
        root = vectors.flip(1)[:, :kept] * values.flip(0)[:kept].clamp(min=0).sqrt()
        left = vectors.flip(1)[:, kept:].square() @ values.flip(0)[kept:].clamp(min=0)
        self.factor.zero_()
        self.factor[:, :kept] = root
        self.spread.copy_(noise + left)

    def location(self, z: Tensor) -> Tensor:
        """mu + W z (B, T, C)."""
        return self.mean + (z @ self.factor.T).view(-1, *self.spec.shape)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z): batch (B, T, C)."""
        location = self.location(z.to(self.factor.dtype))
        if self.correction is not None:
            inputs = nets.conditioned(z.to(nets.dtype_of(self)), cond, self.spec.cond)
            location = location + self.correction(inputs).view(-1, *self.spec.shape)
        params = torch.cat([location.unsqueeze(1), self.rest.expand(len(z), *self.rest.shape)], 1)
        out: Distribution = self.likelihood(params)
        return out


@final
class LinearGaussianEncoder(Encoder):
    """q(z|x) = N(m + δ, M^-1) with m, M the exact posterior of the linear decoder under any mask, and δ neural, 0 at first.

    M = I + W_o^T Ψ_o^-1 W_o, m = M^-1 W_o^T Ψ_o^-1 (x_o - mu_o), o the seen cells. δ = W^+ d: d is a move of the unseen cells, by a network
    over time that reads values, mask and the linear part's prediction. While training, up to `hide` of the cells are kept from it
    (points, runs, blocks) and stay in the loss. The posterior is full normal whatever `posterior` says; beside another decoder m = 0, M = I,
    and d moves every cell.
    Draws come in pairs around the mean, so that an even number of them has the mean exactly.

    Arguments:
        network: Transformer or convolutions over the steps of a window.
        width: Width of the layers.
        layers: Number of layers.
        dropout: Share of the hidden units that is dropped while training.
        hide: Most of the cells that are kept from the encoder while training, as a share; they stay in the loss.

    Raises:
        UsageError: x is no window (T, C) of real values.

    >>> from vaehub.model.posteriors import FullNormal
    >>> encoder = LinearGaussianEncoder(Spec((4, 2)), FullNormal(3), network="convolution", width=8).eval()
    >>> q = encoder(Batch(torch.zeros(5, 4, 2)))
    >>> q.rsample((2,)).mean(0).allclose(q.mean)  # draws come in pairs around the mean
    True
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
        hide: Share = 0.6,
    ) -> None:
        super().__init__(spec, posterior)
        steps, channels = window_shape("encoder linear_gaussian", spec)
        self.hide = hide
        self.enter = nn.Linear(4 * channels + spec.cond, width)
        self.over_time = Temporal(network, steps, width, layers, dropout)
        self.leave = nn.Linear(width, channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        self.own = nn.Linear(channels * steps, posterior.latent, bias=False)  # W^+ where no linear decoder gives one
        self.linear_decoder: tuple[LinearGaussianDecoder, ...] = ()  # in a tuple, so that its weights are not this module's too

    def wire(self, vae: Model) -> None:
        """Keep a reference to a linear decoder."""
        if isinstance(vae.decoder, LinearGaussianDecoder):
            self.linear_decoder = (vae.decoder,)
            self.own.requires_grad_(False)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x): batch (B,), event (L,)."""
        m, tril, move = self.posterior_parts(batch)
        return Antithetic(m + move, scale_tril=tril, validate_args=False)

    def posterior_parts(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """m (B, L), the Cholesky factor of M^-1 (B, L, L) and δ (B, L)."""
        seen = self.seen(batch)
        x = torch.where(seen, batch.x, 0.0).to(nets.dtype_of(self))
        m, tril = self.exact_posterior(x, seen)
        return m, tril, self.correction_of(x, seen, m, tril, batch.cond)

    def seen(self, batch: Batch) -> Tensor:
        """The cells that the encoder is shown (B, T, C)."""
        observed = batch.observed
        seen = torch.ones_like(batch.x, dtype=torch.bool) if observed is None else observed
        return seen & ~hide_up_to(batch.x, self.hide) if self.training and self.hide else seen

    @torch.no_grad()
    def exact_posterior(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """m (B, L) and the Cholesky factor of M^-1 (B, L, L)."""
        latent = self.posterior.latent
        eye = torch.eye(latent, dtype=x.dtype, device=x.device)
        if not self.linear_decoder:
            return x.new_zeros(len(x), latent), eye.expand(len(x), -1, -1)
        (decoder,) = self.linear_decoder
        weight = seen.flatten(1) / decoder.spread
        precision = eye + decoder.factor.T @ (weight.unsqueeze(2) * decoder.factor)
        tril = root_of_inverse(precision.double())
        pull = (weight * (x - decoder.mean).flatten(1)) @ decoder.factor
        m = tril @ (tril.mT @ pull.double().unsqueeze(2))
        return m.squeeze(2).to(x.dtype), tril.to(x.dtype)

    def correction_of(self, x: Tensor, seen: Tensor, m: Tensor, tril: Tensor, cond: Tensor | None) -> Tensor:
        """δ (B, L)."""
        location, sd = self.linear_prediction(x, m, tril)
        inputs = [location, 0.3 * sd.log().clamp(-4, 2), seen.to(x.dtype), torch.where(seen, x - location, 0.0)]
        if self.spec.cond:
            inputs.append(nets.required(cond, self.spec.cond).unsqueeze(1).expand(-1, x.shape[1], -1))
        d: Tensor = sd * self.leave(self.over_time(self.enter(torch.cat(inputs, -1))))
        if not self.linear_decoder:
            own: Tensor = self.own(d.flatten(1))
            return own
        factor = self.linear_decoder[0].factor
        move: Tensor = torch.where(seen, 0.0, d).flatten(1) @ factor
        return move / factor.square().sum(0).clamp(min=1e-6)

    def linear_prediction(self, x: Tensor, m: Tensor, tril: Tensor) -> tuple[Tensor, Tensor]:
        """E[x] and sd[x] (B, T, C) of the linear part."""
        if not self.linear_decoder:
            return torch.zeros_like(x), torch.ones_like(x)
        (decoder,) = self.linear_decoder
        variance = (decoder.factor @ tril).square().sum(-1) + decoder.spread
        return decoder.location(m), variance.sqrt().view_as(x)


def root_of_inverse(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of positive definite matrices (…, L, L), by that of the matrix with its order reversed."""
    reverse = torch.linalg.cholesky(precision.flip(-2, -1)).flip(-2, -1).mT
    eye = torch.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    root: Tensor = torch.linalg.solve_triangular(reverse, eye.expand_as(precision), upper=False)
    return root


def zero_at_start(net: nn.Sequential) -> nn.Sequential:
    """A network whose last layer gives 0."""
    for parameter in net[-1].parameters():
        nn.init.zeros_(parameter)
    return net


def training_process(data: Data, steps: int) -> Autocovariance:
    """The process of training rows: of the series that they are windows of, else of each row as a series."""
    facts = data.facts
    if not isinstance(facts, SeriesFacts):
        rows = data[torch.arange(len(data))]
        observed = rows.observed
        return fit_autocovariance(list(rows.x if observed is None else torch.where(observed, rows.x, torch.nan)), steps)
    return fit_autocovariance(facts.series, steps) if facts.process is None else facts.process


class Antithetic(MultivariateNormal):
    """A multivariate normal whose draws, where their number is even, come in pairs mirrored at the mean."""

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of shape (*sample_shape, B, L)."""
        shape = torch.Size(sample_shape)
        if not shape or shape[0] % 2:
            return super().rsample(shape)
        half = super().rsample(torch.Size((shape[0] // 2, *shape[1:])))
        return torch.cat([half, 2 * self.loc - half])
