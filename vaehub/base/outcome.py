"""What the engine may ask of a distribution, declared on one base class with defaults."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal, constraints, kl_divergence


class Outcome(Distribution):
    """Base of distributions that can do more, or less, than torch's own; each ability is declared here and has a default.

    A subclass gives `log_prob`, `sample` or `rsample`, and `mean` or, where a mean says nothing, `mode`.

    Arguments:
        batch_shape: of independent distributions, () for one.
        event_shape: of what one of them draws.
        validate_args: check parameters and values at every call, as torch does by default.

    >>> class Coin(Outcome):
    ...     def log_prob(self, value):
    ...         return torch.full_like(value, 0.5).log()
    ...
    ...     @property
    ...     def mode(self):
    ...         return torch.ones(self.batch_shape)
    >>> coin = Coin(torch.Size([2]), validate_args=False)
    >>> expectation(coin), estimate(coin).tolist(), coin.reads_sparse
    (None, [1.0, 1.0], False)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own form
    reads_sparse: ClassVar[bool] = False  # log_prob takes x in the CSR layout
    gaps_are_zeros: ClassVar[bool] = False  # a row that is one event is scored rightly where unobserved elements are 0

    def rsample_and_log_prob(self, sample_shape: Any = ()) -> tuple[Tensor, Tensor | None]:
        """Reparameterised z, and its log density where drawing gives it at no extra cost.

        Arguments:
            sample_shape: of the draws, before batch and event.

        Returns:
            z (*sample_shape, *batch, *event), and log q(z) (*sample_shape, *batch) or None.
        """
        return self.rsample(sample_shape), None

    def rsample_with_common_noise(self, samples: int) -> tuple[Tensor, Tensor | None] | None:
        """Reparameterised z made of the same S noise vectors for every row.

        Arguments:
            samples: how many, S.

        Returns:
            z (S, B, L) and its log density as `rsample_and_log_prob` gives them; None where that cannot be had.
        """
        return None

    def log_prob_parts(self, value: Tensor) -> Tensor | None:
        """The log density in pieces, such as one a layer or a group of z.

        Arguments:
            value: z (..., L).

        Returns:
            log p in G pieces (..., G) that sum to log p, or None where there is one piece only.
        """
        return None


def expectation(d: Distribution) -> Tensor | None:
    """The mean, or None where it is not defined or says nothing (categories, autoregressive decoders)."""
    try:
        mean = d.mean
    except NotImplementedError:
        return None
    return None if bool(mean.isnan().all()) else mean


def estimate(d: Distribution) -> Tensor:
    """The point to show: the mean, or the mode where a mean says nothing.

    Arguments:
        d: p(x|z,c), or any other distribution.

    >>> estimate(torch.distributions.Poisson(torch.tensor([2.5]))).tolist()
    [2.5]
    """
    mean = expectation(d)
    return d.mode if mean is None else mean


def draw(q: Distribution, samples: int) -> tuple[Tensor, Tensor | None]:
    """Reparameterised z (S, B, L), and log q(z) (S, B) where drawing gives it as well."""
    if isinstance(q, Outcome):
        return q.rsample_and_log_prob((samples,))
    return q.rsample((samples,)), None


def draw_with_common_noise(q: Distribution, samples: int) -> tuple[Tensor, Tensor | None] | None:
    """As `draw`, with the same S noise vectors for every row, or None where q does not know how.

    With common random numbers, differences between rows are free of the noise that they share:
    "Monte Carlo Methods in Financial Engineering" (Glasserman, 2003), section 7.1, doi:10.1007/978-0-387-21617-1.
    """
    if isinstance(q, Outcome):
        return q.rsample_with_common_noise(samples)
    noise = torch.randn(samples, 1, q.event_shape.numel(), dtype=q.mean.dtype, device=q.mean.device)
    if isinstance(q, Independent) and isinstance(q.base_dist, Normal):
        return q.mean + q.stddev * noise, None
    if isinstance(q, MultivariateNormal):
        return q.loc + (q.scale_tril @ noise.unsqueeze(-1)).squeeze(-1), None
    return None


def log_ratio_parts(q: Distribution, p: Distribution, z: Tensor) -> Tensor | None:
    """log q(z) - log p(z) in G pieces (S, B, G) of z (S, B, L), where q and p declare the same pieces."""
    if not (isinstance(q, Outcome) and isinstance(p, Outcome)):
        return None
    q_parts, p_parts = q.log_prob_parts(z), p.log_prob_parts(z)
    if q_parts is None or p_parts is None or q_parts.shape[-1] != p_parts.shape[-1]:
        return None
    return q_parts - p_parts


def exact_kl(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q || p) where torch has a closed form."""
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return None


def exact_kl_per_dim(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q || p) in nats by dimension, where torch has a closed form.

    Arguments:
        q: batch (B,), event (L,).
        p: batch () or (B,), event (L,).

    Returns:
        (B, L) where both factorise, in one piece (B, 1) where they do not, None without a closed form.

    >>> q, p = (Independent(Normal(mean * torch.ones(1, 2), 1.0), 1) for mean in (2.0, 0.0))
    >>> exact_kl_per_dim(q, p)
    tensor([[2., 2.]])
    """
    if isinstance(q, Independent) and isinstance(p, Independent):
        exact = exact_kl(q.base_dist, p.base_dist)
        if exact is not None:
            return exact
    exact = exact_kl(q, p)
    return None if exact is None else exact.unsqueeze(-1)


def kl_in_pieces(q: Distribution, p: Distribution, z: Tensor, log_qz: Tensor, log_pz: Tensor) -> Tensor:
    """KL(q || p) per row: (B, L) by dimension, (B, G) by the pieces that both declare, else (B, 1).

    Exact where torch knows a closed form, else the mean of log q - log p over the draws z (S, B, L).
    """
    exact = exact_kl_per_dim(q, p)
    if exact is not None:
        return exact
    parts = log_ratio_parts(q, p, z)
    return (log_qz - log_pz).mean(0).unsqueeze(-1) if parts is None else parts.mean(0)


def full_precision(t: Tensor) -> Tensor:
    """At least float32, whatever autocast made of it: densities are summed in full precision.

    Arguments:
        t: parameters of a family.

    >>> full_precision(torch.ones(2, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return t.float() if t.dtype in (torch.bfloat16, torch.float16) else t
