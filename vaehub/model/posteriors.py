"""q(z|x,c): families over the latent space, from the features that an encoder puts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from pydantic import PositiveInt
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from vaehub.base import Posterior
from vaehub.model.distributions import Flowed, unrounded
from vaehub.model.flows import autoregressive

LOG_SCALE_BOUND = 8.0  # scales stay within exp(±8), 3e-4..3e3: beyond it neither noise nor gradients mean anything
SKEW_BOUND = 10.0  # a single entry of 10 is a correlation of 0.995


def bounded_exp(log_scale: Tensor) -> Tensor:
    """A positive scale that no input makes 0 or infinite.

    Arguments:
        log_scale: any reals; cut to ±8.

    >>> bounded_exp(torch.tensor([0.0, 1e9])).round().tolist()
    [1.0, 2981.0]
    """
    return log_scale.clamp(-LOG_SCALE_BOUND, LOG_SCALE_BOUND).exp()


def diag_normal(mean: Tensor, scale: Tensor) -> Distribution:
    """N(z; mean, diag(scale^2)) with event (L,).

    Arguments:
        mean: (…, L).
        scale: (…, L), positive.

    >>> diag_normal(torch.zeros(3, 2), torch.ones(3, 2)).event_shape
    torch.Size([2])
    """
    return Independent(Normal(mean, scale, validate_args=False), 1, validate_args=False)


@final
class DiagNormal(Posterior):
    """N(z; mu, diag(sigma^2)) from (mu, log sigma).

    "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114.

    >>> q = DiagNormal(latent=2)(torch.tensor([[3.0, 4.0, 0.0, 0.0]]))
    >>> q.mean.tolist(), q.stddev.tolist()
    ([[3.0, 4.0]], [[1.0, 1.0]])
    """

    def __init__(self, latent: int) -> None:
        super().__init__(latent)
        self.features = 2 * latent

    def forward(self, params: Tensor) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        mean, log_scale = params.chunk(2, -1)
        return diag_normal(mean, bounded_exp(log_scale))


@final
class FullNormal(Posterior):
    """N(z; mu, A A^T) with A = diag(sigma) (I + N), N strictly lower triangular: all correlations of the latent dimensions.

    "An Introduction to Variational Autoencoders" (Kingma & Welling, 2019), section 2.5.1, arXiv:1906.02691.

    >>> FullNormal(latent=2)(torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.5]])).covariance_matrix.tolist()
    [[[1.0, 0.5], [0.5, 1.25]]]
    """

    below: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__(latent)
        self.features = 2 * latent + latent * (latent - 1) // 2
        self.register_buffer("below", torch.tril_indices(latent, latent, -1), persistent=False)

    def forward(self, params: Tensor) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        mean, log_scale, skew = params.tensor_split((self.latent, 2 * self.latent), -1)
        unit = torch.eye(self.latent, dtype=params.dtype, device=params.device).repeat(*params.shape[:-1], 1, 1)
        unit[..., self.below[0], self.below[1]] = skew.clamp(-SKEW_BOUND, SKEW_BOUND)
        return MultivariateNormal(mean, scale_tril=bounded_exp(log_scale).unsqueeze(-1) * unit, validate_args=False)


@final
class IAF(Posterior):
    """Inverse autoregressive flow over a diagonal normal: `depth` steps z_i <- exp(s_i(z_<i, h)) z_i + m_i(z_<i, h).

    h are `context` further features of the encoder. Drawing z with its density is one pass, the density of another z takes L.
    It starts as `diag_normal`; `.mean` is the base's mean sent through the flow.
    "Improved Variational Inference with Inverse Autoregressive Flow" (Kingma et al., 2016), arXiv:1606.04934.

    Arguments:
        depth: Number of steps.
        hidden: Widths of the hidden layers of each step.
        context: Features of the encoder that every step reads.
    """

    def __init__(
        self, latent: int, *, depth: PositiveInt = 2, hidden: Sequence[PositiveInt] = (128, 128), context: PositiveInt = 64
    ) -> None:
        super().__init__(latent)
        self.features = 2 * latent + context
        self.flow = autoregressive(latent, context, depth, hidden)

    def forward(self, params: Tensor) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        mean, log_scale, context = params.tensor_split((self.latent, 2 * self.latent), -1)
        with unrounded(context):
            transform = self.flow(context)
        return Flowed(diag_normal(mean, bounded_exp(log_scale)), transform)
