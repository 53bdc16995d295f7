"""Values that are missing because of what they are: p(mask|x) beside p(x|z)."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, final

import torch
import torch.distributions as td
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from vaehub import Likelihood, Outcome, Part, Spec, UsageError
from vaehub.model import Normal

Side: TypeAlias = Literal["high", "low", "unknown"]

SIGNS = {"high": 1.0, "low": -1.0}


@final
class Missingness(nn.Module):
    """P(x is missing) = σ(w x + b) with w, b for each channel; the sign of w is fixed where it is known which side goes missing."""

    def __init__(self, channels: int, side: Side) -> None:
        super().__init__()
        self.sign = SIGNS.get(side)
        self.slope = nn.Parameter(torch.zeros(channels))
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """The logit of being missing (…, C)."""
        slope = self.slope if self.sign is None else self.sign * softplus(self.slope)
        return slope * x + self.offset


@final
class SelfMasked(Outcome):
    """p(x|z), which it stands for in every way, with log p(mask|x) at hand."""

    has_rsample = True

    def __init__(self, base: td.Distribution, missingness: Missingness) -> None:
        self.base, self.missingness = base, missingness
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @property
    def support(self) -> Any:
        """That of p(x|z)."""
        return self.base.support

    @property
    def mean(self) -> Tensor:
        """Of p(x|z)."""
        return self.base.mean

    @property
    def mode(self) -> Tensor:
        """Of p(x|z)."""
        return self.base.mode

    @property
    def variance(self) -> Tensor:
        """Of p(x|z)."""
        return self.base.variance

    def log_prob(self, value: Tensor) -> Tensor:
        """log p(x|z), elementwise."""
        return self.base.log_prob(value)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Reparameterised draws of x, masked or not."""
        return self.base.rsample(sample_shape)

    def log_mask(self, x: Tensor, observed: Tensor) -> Tensor:
        """log p(mask|x) of complete x (…, *shape), elementwise."""
        logit = self.missingness(x)
        return logsigmoid(torch.where(observed, -logit, logit))


@final
class SelfMasking(Likelihood):
    """`base` for x, and for its mask a logistic regression on the value itself, channel by channel: P(missing) = σ(w x + b).

    `missing` says which values tend to be missing: "high", "low", or "unknown", where the sign is learnt (and may be learnt wrongly:
    the data alone do not settle it). To be trained with objective not_miwae. "not-MIWAE: Deep Generative Modelling with Missing not at
    Random Data" (Ipsen et al., 2021), arXiv:2006.12871.

    Arguments:
        base: The likelihood of x.
        missing: Which values tend to be missing; unknown: the sign is learnt.

    Raises:
        UsageError: rows are neither (D,) nor (T, C), or draws of the base carry no gradient.

    >>> likelihood = SelfMasking(Spec((3,)), missing="high")
    >>> px = likelihood(torch.zeros(5, *likelihood.param_shape))
    >>> x, observed = torch.zeros(5, 3), torch.ones(5, 3, dtype=torch.bool)
    >>> px.log_mask(x, observed).exp().unique().tolist()  # nothing is learnt yet: as likely missing as not
    [0.5]
    """

    def __init__(self, spec: Spec, *, base: Part[Likelihood] = Normal, missing: Side = "unknown") -> None:
        super().__init__(spec)
        if len(spec.shape) > 2:
            raise UsageError(f"self_masking: reads rows (D,) or windows (steps, channels), these data are {spec.shape}")
        self.base = base(spec)
        self.support = self.base.support
        self.unbounded_at, self.bounded_instead = self.base.unbounded_at, self.base.bounded_instead
        task = self.base(torch.zeros(1, *self.base.param_shape))
        if not task.has_rsample or task.event_shape:
            raise UsageError(
                f"self_masking: draws of {type(self.base).__name__} carry no gradient; choose base: normal or laplace"
            )
        self.missingness = Missingness(spec.shape[-1], missing)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): the base's."""
        return self.base.param_shape

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, *shape)."""
        return SelfMasked(self.base(params), self.missingness)
