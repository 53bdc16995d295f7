"""Parts: three conditional distributions and a bound.

Positional constructor arguments come from the toolkit; keyword-only arguments are the user's options, and their signature is the schema.
Letters of shapes: B batch, S samples of z per row, L latent, C condition, D data elements, K parameters of a family per element.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias, TypeVar

from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from vaehub.base.outcome import full_precision
from vaehub.base.rows import Batch, Data, Spec, Step
from vaehub.base.terms import Terms

T = TypeVar("T")
Logs: TypeAlias = dict[str, Tensor]
Part: TypeAlias = Callable[..., T]  # a nested part: its class with the options bound, still to be given its positional arguments


@dataclass(frozen=True)
class Example:
    """What a part is to be tried with where the usual sizes do not suit it: options, number of latent dimensions, and data."""

    options: Mapping[str, Any] = field(default_factory=dict)
    latent: int | None = None
    spec: Spec | None = None


class Wired(nn.Module, ABC):
    """What all parts of a model have in common."""

    known_failures: ClassVar[Mapping[str, str]] = {}  # checks of `vaehub check` that the part is meant to fail, with the reason

    def wire(self, vae: Model) -> None:
        """Called once when the model is built: a part that needs another one (VampPrior the encoder) keeps a reference, not a copy."""

    @classmethod
    def example(cls) -> Example:
        """What `vaehub check` tries this part with."""
        return Example()


class Model(nn.Module, ABC):
    """q(z|x,c), p(x|z,c) and p(z|c) as the parts see them; `VAE` is the one implementation."""

    encoder: Encoder
    decoder: Decoder
    prior: Prior

    @abstractmethod
    def forward(self, batch: Batch, samples: int = 1) -> Terms:
        """The terms of the bound at `samples` draws of z for every row."""

    @abstractmethod
    def sample(self, n: int, cond: Tensor | None = None) -> Tensor:
        """z (n, L) from the prior; cond (n, C)."""


class Family(Wired):
    """Unconstrained reals -> distribution: what posteriors and likelihoods have in common."""

    def __call__(self, params: Tensor) -> Distribution:
        """The distribution with these parameters, computed in full precision."""
        out: Distribution = super().__call__(full_precision(params))
        return out

    @abstractmethod
    def forward(self, params: Tensor) -> Distribution:
        """The distribution with these parameters."""


class Posterior(Family):
    """q(z|x,c) from `features` reals a row: (B, features) -> batch (B,), event (L,)."""

    features: int

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent


class Likelihood(Family):
    """p(x|z,c) from K reals an element: (B, K, *shape) -> log_prob one value per element (or per row where a row is the event)."""

    support: constraints.Constraint = constraints.real
    unbounded_at: tuple[
        float, ...
    ] = ()  # values of x at which its density has no upper bound: many such x raise the ELBO without end
    bounded_instead: str = ""  # what to use where x takes those values often
    expects: ClassVar[str] = "any real number"  # for the error message: "bernoulli expects 0..1, x spans [0, 255]"

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @property
    @abstractmethod
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): what a decoder's network must put out for one row."""


class Encoder(Wired):
    """A network that reads a batch and ends in a posterior: q(z|x,c)."""

    def __init__(self, spec: Spec, posterior: Posterior) -> None:
        super().__init__()
        self.spec, self.posterior = spec, posterior

    @abstractmethod
    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""

    def initialise(self, data: Data) -> None:
        """Called once before training with the training rows, for encoders that start from what the data know of their elements."""


class Decoder(Wired):
    """A network that reads z (B, L) and cond (B, C) and ends in a likelihood: p(x|z,c)."""

    def __init__(self, spec: Spec, latent: int, likelihood: Likelihood) -> None:
        super().__init__()
        self.spec, self.latent, self.likelihood = spec, latent, likelihood

    @abstractmethod
    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c) with first batch dimension B; an autoregressive decoder returns its own distribution."""

    def initialise(self, data: Data) -> None:
        """Called once before training with the training rows, for decoders that have a closed-form start."""

    def calibrate(self, vae: Model, data: Data) -> None:
        """Called once after training with the best model and the validation rows: set what is not learnt by gradient (a mixture's weight)."""


class Prior(Wired):
    """p(z|c): batch () or (B,), event (L,)."""

    def __init__(self, spec: Spec, latent: int) -> None:
        super().__init__()
        self.spec, self.latent = spec, latent

    @abstractmethod
    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z|c)."""

    def initialise(self, batch: Batch) -> None:
        """Called once before training with random training rows, for priors that start from data."""


class Objective(Wired):
    """A function of the three log-densities; `samples` is the number S of z it wants for every row."""

    samples: int = 1

    def prepare(self, step: Step) -> None:
        """Called before every training step, so that an objective can choose what is trained (alternating updates)."""

    @abstractmethod
    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """The scalar loss to minimise, and what to log of it (detached scalars, nats per row)."""


class Features(Wired):
    """A frozen network whose inner activations a perceptual objective compares."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def forward(self, x: Tensor) -> list[Tensor]:
        """Activations (B, …) of x (B, *shape), shallow to deep, differentiable in x."""
