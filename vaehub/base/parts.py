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
    """What a part is to be tried with where the usual sizes do not suit it.

    Arguments:
        options: by name.
        latent: number of latent dimensions L.
        spec: the data.

    >>> Example({"hidden": [8]}, latent=3).latent
    3
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    latent: int | None = None
    spec: Spec | None = None


class Wired(nn.Module, ABC):
    """What all parts of a model have in common."""

    known_failures: ClassVar[Mapping[str, str]] = {}  # checks of `vaehub check` that the part is meant to fail, with the reason

    def wire(self, vae: Model) -> None:
        """Called once when the model is built: a part that needs another one (VampPrior the encoder) keeps a reference, not a copy.

        Arguments:
            vae: the model, all of its parts in place.
        """

    @classmethod
    def example(cls) -> Example:
        """What `vaehub check` tries this part with."""
        return Example()


class Model(nn.Module, ABC):
    """q(z|x,c), p(x|z,c) and p(z|c) as the parts see them; `VAE` is the one implementation.

    >>> issubclass(Model, nn.Module)
    True
    """

    encoder: Encoder
    decoder: Decoder
    prior: Prior

    @abstractmethod
    def forward(self, batch: Batch, samples: int = 1) -> Terms:
        """The terms of the bound.

        Arguments:
            batch: B rows.
            samples: draws S of z for every row.
        """

    @abstractmethod
    def sample(self, n: int, cond: Tensor | None = None) -> Tensor:
        """Codes from the prior: (n, L).

        Arguments:
            n: how many.
            cond: conditions (n, C), where the data have any.
        """


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
    """q(z|x,c) from `features` reals a row: (B, features) -> batch (B,), event (L,).

    A subclass sets `features` and gives `forward`; keyword-only arguments of its constructor are the user's options.

    >>> from torch.distributions import Independent, Normal
    >>> class UnitScale(Posterior):
    ...     def __init__(self, latent):
    ...         super().__init__(latent)
    ...         self.features = latent
    ...
    ...     def forward(self, params):
    ...         return Independent(Normal(params, 1.0), 1)
    >>> import torch
    >>> q = UnitScale(2)(torch.zeros(5, 2))
    >>> q.batch_shape, q.event_shape
    (torch.Size([5]), torch.Size([2]))
    """

    features: int

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent


class Likelihood(Family):
    """p(x|z,c) from K reals an element: (B, K, *shape) -> log_prob one value per element (or per row where a row is the event).

    A subclass gives `param_shape` and `forward`, and says by `support` and `expects` which x it takes.

    >>> import torch
    >>> class Exponential(Likelihood):
    ...     '''Waiting times: log p(x) = log r - r x, r = exp(params).'''
    ...
    ...     support = constraints.nonnegative
    ...     expects = "numbers of at least 0"
    ...
    ...     @property
    ...     def param_shape(self):
    ...         return (1, *self.spec.shape)
    ...
    ...     def forward(self, params):
    ...         return torch.distributions.Exponential(params[:, 0].exp())
    >>> Exponential(Spec((3,)))(torch.zeros(2, 1, 3)).log_prob(torch.ones(2, 3)).tolist()
    [[-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]]
    """

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
    """A network that reads a batch and ends in a posterior: q(z|x,c).

    >>> import torch
    >>> from vaehub.model.posteriors import DiagNormal
    >>> class Affine(Encoder):
    ...     def __init__(self, spec, posterior):
    ...         super().__init__(spec, posterior)
    ...         self.net = nn.Linear(spec.size, posterior.features)
    ...
    ...     def forward(self, batch):
    ...         return self.posterior(self.net(batch.x))
    >>> Affine(Spec((3,)), DiagNormal(latent=2))(Batch(torch.zeros(5, 3))).rsample().shape
    torch.Size([5, 2])
    """

    def __init__(self, spec: Spec, posterior: Posterior) -> None:
        super().__init__()
        self.spec, self.posterior = spec, posterior

    @abstractmethod
    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,).

        Arguments:
            batch: B rows, unobserved x replaced by 0.
        """

    def initialise(self, data: Data) -> None:
        """Called once before training, for encoders that start from what the data know of their elements.

        Arguments:
            data: the training rows.
        """


class Decoder(Wired):
    """A network that reads z (B, L) and cond (B, C) and ends in a likelihood: p(x|z,c).

    >>> import torch
    >>> from vaehub.model.likelihoods import Normal
    >>> class Affine(Decoder):
    ...     def __init__(self, spec, latent, likelihood):
    ...         super().__init__(spec, latent, likelihood)
    ...         self.net = nn.Linear(latent, torch.Size(likelihood.param_shape).numel())
    ...
    ...     def forward(self, z, cond=None):
    ...         return self.likelihood(self.net(z).view(-1, *self.likelihood.param_shape))
    >>> spec = Spec((3,))
    >>> Affine(spec, 2, Normal(spec))(torch.zeros(5, 2)).log_prob(torch.zeros(5, 3)).shape
    torch.Size([5, 3])
    """

    def __init__(self, spec: Spec, latent: int, likelihood: Likelihood) -> None:
        super().__init__()
        self.spec, self.latent, self.likelihood = spec, latent, likelihood

    @abstractmethod
    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c) with first batch dimension B; an autoregressive decoder returns its own distribution.

        Arguments:
            z: codes (B, L).
            cond: conditions (B, C), where the data have any.
        """

    def initialise(self, data: Data) -> None:
        """Called once before training, for decoders that have a closed-form start.

        Arguments:
            data: the training rows.
        """

    def calibrate(self, vae: Model, data: Data) -> None:
        """Called once after training: set what is not learnt by gradient (a mixture's weight).

        Arguments:
            vae: the best model.
            data: the validation rows.
        """


class Prior(Wired):
    """p(z|c): batch () or (B,), event (L,).

    >>> import torch
    >>> from torch.distributions import Independent, Laplace
    >>> class Sharp(Prior):
    ...     def forward(self, cond=None):
    ...         return Independent(Laplace(torch.zeros(self.latent), 1.0), 1)
    >>> Sharp(Spec((3,)), latent=2)().event_shape
    torch.Size([2])
    """

    def __init__(self, spec: Spec, latent: int) -> None:
        super().__init__()
        self.spec, self.latent = spec, latent

    @abstractmethod
    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z|c): batch () where it is the same for all rows, else (B,); event (L,).

        Arguments:
            cond: conditions (B, C), where the data have any.
        """

    def initialise(self, batch: Batch) -> None:
        """Called once before training, for priors that start from data.

        Arguments:
            batch: random training rows.
        """

    def start_from(self, z: Tensor) -> None:
        """Called once before the prior is fitted to the codes of a trained encoder, for priors that start from codes.

        Arguments:
            z: codes (N, L) in random order.
        """


class Objective(Wired):
    """A function of the three log-densities; `samples` is the number S of z it wants for every row.

    >>> import torch
    >>> class Reconstruction(Objective):
    ...     '''An autoencoder: -log p(x|z), no KL.'''
    ...
    ...     def forward(self, terms, step):
    ...         loss = -terms.log_px.mean()
    ...         return loss, {"log_px": -loss.detach()}
    >>> Reconstruction().samples
    1
    """

    samples: int = 1

    def prepare(self, step: Step) -> None:
        """Called before every training step, so that an objective can choose what is trained (alternating updates).

        Arguments:
            step: where training stands.
        """

    @abstractmethod
    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """What is minimised.

        Arguments:
            terms: the distributions and their log-densities at `samples` draws of z.
            step: where training stands.

        Returns:
            The scalar loss, and what to log of it: detached scalars, nats per row.
        """


class Features(Wired):
    """A frozen network whose inner activations a perceptual objective compares.

    >>> class Pixels(Features):
    ...     def forward(self, x):
    ...         return [x]
    >>> import torch
    >>> [activation.shape for activation in Pixels(Spec((3,)))(torch.zeros(2, 3))]
    [torch.Size([2, 3])]
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def forward(self, x: Tensor) -> list[Tensor]:
        """Activations (B, …), shallow to deep, differentiable in x.

        Arguments:
            x: rows (B, *shape).
        """
