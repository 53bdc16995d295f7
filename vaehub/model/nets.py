"""Multilayer perceptrons for data of any shape: what every domain can use where no better network is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias, final

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional as F

from vaehub.base import Batch, Decoder, Encoder, Kind, Likelihood, Posterior, Spec
from vaehub.errors import UsageError
from vaehub.sparse import dense

__all__ = ["ACTIVATIONS", "Activation", "Dropout", "Residual", "conditioned", "dtype_of", "mlp", "required"]

Activation: TypeAlias = Literal["relu", "gelu", "silu", "tanh", "elu"]
Norm: TypeAlias = Literal["none", "layer", "batch"]
Dropout: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Levels: TypeAlias = Literal["one_hot", "scaled"]

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
}
NORMS: dict[Norm, Callable[[int], list[nn.Module]]] = {
    "none": lambda _: [],
    "layer": lambda width: [nn.LayerNorm(width)],
    "batch": lambda width: [nn.BatchNorm1d(width)],
}


@final
class Residual(nn.Module):
    """x + block(x): "Deep Residual Learning for Image Recognition" (He et al., 2016), arXiv:1512.03385."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """Input (…, D) and output (…, D) of the same width."""
        return x + self.block(x)  # type: ignore[no-any-return]


def linear(inputs: int, outputs: int, activation: Activation) -> nn.Linear:
    """A layer that keeps the variance of what passes through `activation`.

    "Delving Deep into Rectifiers" (He et al., 2015), arXiv:1502.01852.
    """
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="tanh" if activation == "tanh" else "relu")
    nn.init.zeros_(layer.bias)
    return layer


def mlp(
    *sizes: int, activation: Activation = "gelu", norm: Norm = "none", dropout: float = 0.0, residual: bool = False
) -> nn.Sequential:
    """Layers of these widths, (…, sizes[0]) -> (…, sizes[-1]); two sizes make one affine map.

    `residual` adds a skip connection around each hidden layer whose input and output have the same width.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        block = [linear(inputs, outputs, activation), *NORMS[norm](outputs), ACTIVATIONS[activation]()]
        block += [nn.Dropout(dropout)] if dropout else []
        layers += [Residual(nn.Sequential(*block))] if residual and inputs == outputs else block
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def dtype_of(module: nn.Module) -> torch.dtype:
    """The precision of a module's parameters."""
    return next(module.parameters()).dtype


def required(cond: Tensor | None, width: int) -> Tensor:
    """The condition (B, C). Raises UsageError where it is missing or its width is not C."""
    given = 0 if cond is None else cond.shape[-1]
    if cond is None or given != width:
        raise UsageError(f"cond: the model was trained with {width} numbers a row, got {given}; give a condition of that width")
    return cond


def conditioned(inputs: Tensor, cond: Tensor | None, width: int) -> Tensor:
    """Inputs (B, D) with cond (B, C) appended where the data have one: (B, D + C)."""
    return torch.cat([inputs, dense(required(cond, width)).to(inputs.dtype)], -1) if width else inputs


@final
class MLPEncoder(Encoder):
    """q(z|x,c) by a multilayer perceptron on the flattened x, cond and, with `mask: true`, the pattern of observed elements.

    Discrete x (spec.classes > 0) enters as `one_hot` indicators (categories without an order) or `scaled` to [-1, 1]
    (levels with an order, such as the 256 grey values of discretized_logistic). Of mixed rows (spec.kinds) categories enter as
    indicators, all other columns as they are.

    Arguments:
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.
        norm: Normalisation in every hidden layer.
        dropout: Share of the hidden units that is dropped while training.
        residual: Add a skip connection around every hidden layer whose input and output have the same width.
        levels: How discrete x enters: one_hot (categories without an order) or scaled to [-1, 1] (levels with an order).
        mask: Also read which elements are observed.
    """

    def __init__(
        self,
        spec: Spec,
        posterior: Posterior,
        *,
        hidden: Sequence[PositiveInt] = (512, 256),
        activation: Activation = "gelu",
        norm: Norm = "none",
        dropout: Dropout = 0.0,
        residual: bool = False,
        levels: Levels = "one_hot",
        mask: bool = False,
    ) -> None:
        super().__init__(spec, posterior)
        self.mask, self.one_hot = mask, spec.classes > 0 and levels == "one_hot"
        values = sum(map(width, spec.kinds)) if spec.kinds else spec.size * (spec.classes if self.one_hot else 1)
        inputs = values + spec.cond + spec.size * mask
        options: dict[str, Any] = {"activation": activation, "norm": norm, "dropout": dropout, "residual": residual}
        self.net = mlp(inputs, *hidden, posterior.features, **options)

    def forward(self, batch: Batch) -> Distribution:
        """q(z|x,c): batch (B,), event (L,)."""
        inputs = conditioned(self.values(batch.x), batch.cond, self.spec.cond)
        if self.mask:
            inputs = torch.cat([inputs, self.observed(batch)], -1)
        return self.posterior(self.net(inputs))

    def values(self, x: Tensor) -> Tensor:
        """x (B, *shape) as (B, D), or with an indicator for every class where one-hot."""
        x = dense(x)
        if self.spec.kinds:
            columns = zip(x.unbind(-1), self.spec.kinds, strict=True)
            return torch.cat([indicators(column, kind) for column, kind in columns], -1).to(dtype_of(self))
        if self.one_hot:
            return F.one_hot(x.long(), self.spec.classes).flatten(1).to(dtype_of(self))
        x = x.flatten(1).to(dtype_of(self))
        return x * (2 / (self.spec.classes - 1)) - 1 if self.spec.classes > 1 else x

    def observed(self, batch: Batch) -> Tensor:
        """1 where x is observed, else 0: (B, D). No mask means that all is."""
        observed = batch.observed
        if observed is None:
            return torch.ones(len(batch.x), self.spec.size, dtype=dtype_of(self), device=batch.x.device)
        return observed.flatten(1).to(dtype_of(self))


def width(kind: Kind) -> int:
    """How many numbers a column of a mixed row is to a network."""
    return kind.size if kind.name == "category" else 1


def indicators(column: Tensor, kind: Kind) -> Tensor:
    """A column (B,) of a mixed row as a network reads it: (B, width)."""
    return F.one_hot(column.long(), kind.size) if kind.name == "category" else column.unsqueeze(-1)


@final
class MLPDecoder(Decoder):
    """p(x|z,c) by a multilayer perceptron on z and cond.

    Arguments:
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.
        norm: Normalisation in every hidden layer.
        dropout: Share of the hidden units that is dropped while training.
        residual: Add a skip connection around every hidden layer whose input and output have the same width.
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        hidden: Sequence[PositiveInt] = (256, 512),
        activation: Activation = "gelu",
        norm: Norm = "none",
        dropout: Dropout = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__(spec, latent, likelihood)
        outputs = torch.Size(likelihood.param_shape).numel()
        options: dict[str, Any] = {"activation": activation, "norm": norm, "dropout": dropout, "residual": residual}
        self.net = mlp(latent + spec.cond, *hidden, outputs, **options)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c) with first batch dimension B."""
        params = self.net(conditioned(z, cond, self.spec.cond))
        return self.likelihood(params.view(-1, *self.likelihood.param_shape))
