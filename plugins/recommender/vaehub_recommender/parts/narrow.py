"""A posterior that is all but a point: what an autoencoder without noise in its code is as a VAE."""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from vaehub import Example, Posterior


@final
class Narrow(Posterior):
    """N(z; mu, scale^2 I) with a fixed `scale`: with beta = 0 and dropout on the items it is Mult-DAE to within that noise.

    "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814, section 2.4.

    Arguments:
        scale: The standard deviation.

    Example:
        >>> q = Narrow(2, scale=0.5)(torch.zeros(3, 2))
        >>> q.mean.shape, q.stddev[0, 0].item()
        (torch.Size([3, 2]), 0.5)
    """

    def __init__(self, latent: int, *, scale: Annotated[float, Field(gt=0)] = 1e-3) -> None:
        super().__init__(latent)
        self.features, self.scale = latent, scale

    def forward(self, params: Tensor) -> Distribution:
        """Batch (B,), event (L,)."""
        return Independent(Normal(params, torch.full_like(params, self.scale), validate_args=False), 1, validate_args=False)

    @classmethod
    def example(cls) -> Example:
        """A width that the grids of `vaehub check` can see."""
        return Example({"scale": 0.3})
