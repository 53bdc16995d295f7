"""The contract: three conditional distributions, a bound, and the data they speak of.

Letters of shapes: B batch, S samples of z per row, L latent, C condition, D data elements, K parameters of a family per element.
Positional constructor arguments come from the toolkit; keyword-only arguments are the user's options, and their signature is the schema.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, constraints

from vaehub.sparse import dense

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub.model.vae import VAE, Terms
    from vaehub.run import Run

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]
Logs: TypeAlias = dict[str, Tensor]
Part: TypeAlias = Callable[..., T]  # a nested part: its class with the options bound, still to be given its positional arguments


class Batch(NamedTuple):
    """What the engine moves about."""

    x: Tensor  # (B, *shape), or sparse CSR (B, D) for rows that are mostly zeros
    cond: Tensor | None = None  # (B, C), CSR likewise
    mask: Tensor | None = None  # broadcastable to log p(x|z); True = observed
    y: Tensor | None = None  # (B, P) what else is to be predicted from z, NaN where unknown

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return self.map(lambda t: t.to(device))

    def map(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The batch with all its tensors changed alike."""
        return Batch(change(self.x), *(None if t is None else change(t) for t in self[1:]))

    def dense(self) -> Batch:
        """The batch with sparse tensors written out."""
        return self.map(dense)


@dataclass(frozen=True)
class Spec:
    """All that a network may know of the data: the shape of one row, the width of its condition, the levels of a discrete x,
    and how many numbers y are to be predicted from z besides.
    """

    shape: tuple[int, ...]
    cond: int = 0
    classes: int = 0
    targets: int = 0

    @property
    def size(self) -> int:
        """Number of elements D of one row."""
        return math.prod(self.shape)


class Step(NamedTuple):
    """Where training stands: what a schedule may depend on."""

    step: int = 0  # optimiser steps done
    epoch: int = 0
    examples: int = 1  # size of the training set


def full_precision(t: Tensor) -> Tensor:
    """At least float32, whatever autocast made of it: densities are summed in full precision."""
    return t.float() if t.dtype in (torch.bfloat16, torch.float16) else t


class Family(nn.Module, ABC):
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
    expects: ClassVar[str] = "any real number"  # for the error message: "bernoulli expects 0..1, x spans [0, 255]"

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @property
    @abstractmethod
    def param_shape(self) -> tuple[int, ...]:
        """(K, *shape): what a decoder's network must put out for one row."""


class Encoder(nn.Module, ABC):
    """A network that reads a batch and ends in a posterior: q(z|x,c)."""

    def __init__(self, spec: Spec, posterior: Posterior) -> None:
        super().__init__()
        self.spec, self.posterior = spec, posterior

    @abstractmethod
    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""

    def wire(self, decoder: Decoder) -> None:
        """Called once by the VAE: an encoder that inverts the decoder (a posterior in closed form) keeps a reference to it, not a copy."""

    def initialise(self, data: Data) -> None:
        """Called once before training with the training rows, for encoders that start from what the data know of their elements."""


class Decoder(nn.Module, ABC):
    """A network that reads z (B, L) and cond (B, C) and ends in a likelihood: p(x|z,c)."""

    def __init__(self, spec: Spec, latent: int, likelihood: Likelihood) -> None:
        super().__init__()
        self.spec, self.latent, self.likelihood = spec, latent, likelihood

    @abstractmethod
    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c) with first batch dimension B; an autoregressive decoder returns its own distribution."""

    def initialise(self, data: Data) -> None:
        """Called once before training with the training rows, for decoders that have a closed-form start."""


class Prior(nn.Module, ABC):
    """p(z|c): batch () or (B,), event (L,)."""

    def __init__(self, spec: Spec, latent: int) -> None:
        super().__init__()
        self.spec, self.latent = spec, latent

    @abstractmethod
    def forward(self, cond: Tensor | None = None) -> Distribution:
        """p(z|c)."""

    def wire(self, encoder: Encoder) -> None:
        """Called once by the VAE: a prior that needs the encoder (VampPrior) keeps a reference to it, not a copy."""

    def initialise(self, batch: Batch) -> None:
        """Called once before training with random training rows, for priors that start from data."""


class Objective(nn.Module, ABC):
    """A function of the three log-densities; `samples` is the number S of z it wants for every row."""

    samples: int = 1

    def wire(self, vae: VAE) -> None:
        """Called once before training: an objective that needs the model besides its terms (an earlier encoder) keeps a reference to it."""

    def prepare(self, step: Step) -> None:
        """Called before every training step, so that an objective can choose what is trained (alternating updates)."""

    @abstractmethod
    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """The scalar loss to minimise, and what to log of it (detached scalars, nats per row)."""


class Features(nn.Module, ABC):
    """A frozen network whose inner activations a perceptual objective compares."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def forward(self, x: Tensor) -> list[Tensor]:
        """Activations (B, …) of x (B, *shape), shallow to deep, differentiable in x."""


class Data(ABC):
    """Rows that are fetched a batch at once, never one by one."""

    labels: Tensor | None = None  # (N,) integers, where rows have a class
    lengths: Tensor | None = None  # (N,) integers, where rows differ in length: training puts those of like length together

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: Tensor) -> Batch:
        """Rows `index` (B,) as a batch. Random augmentation draws from torch's global generator, which the engine seeds per step."""

    @abstractmethod
    def to(self, device: torch.device | str) -> Data:
        """The same rows kept on another device."""


class Domain(ABC):
    """What the engine must be told of a kind of data. The constructor keeps the options and reads no file."""

    classes: Sequence[str] = ()  # names of the labels, where there are any
    suffix: str = ".npy"  # of what `vaehub sample` writes where the user names no file

    @property
    @abstractmethod
    def spec(self) -> Spec:
        """Shape of the data; may read it on first use."""

    @abstractmethod
    def data(self, split: str) -> Data:
        """The rows of "train", "val" or "test": disjoint, the same at every call."""

    @abstractmethod
    def read(self, path: Path) -> Data:
        """Rows from a user's file, in the form the model was trained on. Raises UsageError that names file and row."""

    @abstractmethod
    def write(self, x: Tensor, path: Path) -> None:
        """Rows x (B, *shape) to a file in a format of the domain, chosen by its suffix."""

    def record(self, folder: Path) -> None:
        """Called once when a run's folder is ready: write there what the user should see of the data, such as rows left out and why."""

    def summary(self, x: Tensor) -> str:
        """What to say of rows (B, *shape) that were drawn from the prior, in one line; by default nothing."""
        return ""

    def state(self) -> Json:
        """The small JSON that the domain learnt from its training data (vocabulary, scaler, item ids)."""
        return {}

    def restore(self, spec: Spec, state: Json) -> None:
        """Take up `spec` and `state` of a saved model: after it, `read`, `write` and `condition` need no training data."""

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """cond (C,) from what a user gives at `--cond`, by default C numbers."""
        return torch.tensor([float(v) for v in values])

    def validate(self, vae: VAE, data: Data) -> Mapping[str, float]:
        """Extra figures after every epoch on validation data, higher is better, for `train.monitor`."""
        return {}

    def calibrate(self, vae: VAE, data: Data) -> None:
        """Called once after training with the best model and the validation rows: set what is not learnt by gradient (a mixture's weight)."""

    def metrics(self, run: Run, split: str) -> Mapping[str, float]:
        """Figures of the domain for `vaehub evaluate`."""
        return {}

    def figures(self, run: Run) -> Mapping[str, Figure]:
        """Figures of the domain for the report, by title, in the order to show them."""
        return {}
