"""A family for rows whose columns are of different kinds."""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple, final

import torch
import torch.distributions as td
from torch import Tensor
from torch.distributions import constraints

from vaehub.base import Example, Kind, Likelihood, Outcome, Part, Spec, estimate
from vaehub.errors import UsageError
from vaehub.model.likelihoods.continuous import Normal
from vaehub.model.likelihoods.counts import NegativeBinomial
from vaehub.model.likelihoods.discrete import Categorical, DiscretizedLogistic


class Group(NamedTuple):
    """Columns of one kind: where they lie in a row, where their parameters lie, and their family."""

    columns: list[int]
    start: int
    stop: int
    family: Likelihood


@final
class ByKind(constraints.Constraint):
    """The support of every column's own family."""

    event_dim = 0

    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        super().__init__()

    def check(self, value: Tensor) -> Tensor:
        """Elementwise over rows (..., D): in the support of its column?"""
        inside = torch.ones_like(value, dtype=torch.bool)
        for group in self.groups:
            inside[..., group.columns] = group.family.support.check(value[..., group.columns])
        return inside


@final
class ColumnWise(Outcome):
    """p(x|z) = prod_d p_d(x_d|z): batch (B, D), one log p a column, each column by its own family."""

    def __init__(self, parts: list[tuple[list[int], td.Distribution]], rows: int, columns: int) -> None:
        self.parts = parts
        super().__init__(torch.Size((rows, columns)), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """log p (B, D), in nats, of values (B, D)."""
        return self._assembled([part.log_prob(value[..., columns]) for columns, part in self.parts])

    @property
    def mean(self) -> Tensor:
        """Not defined: a category has none."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """What to show of every column (B, D): its mean, or its likeliest category."""
        return self._assembled([estimate(part) for _, part in self.parts])

    @torch.no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws (*sample_shape, B, D); categories as their index."""
        return self._assembled([part.sample(torch.Size(sample_shape)) for _, part in self.parts])

    def _assembled(self, values: list[Tensor]) -> Tensor:
        """Values of the groups (..., columns of the group), each at its place in the row."""
        dtype = reduce(torch.promote_types, (value.dtype for value in values), torch.float32)
        out = values[0].new_zeros(*values[0].shape[:-1], self.batch_shape[1], dtype=dtype)
        for (columns, _), value in zip(self.parts, values, strict=True):
            out[..., columns] = value.to(out.dtype)
        return out


@final
class PerColumn(Likelihood):
    """Mixed rows: p(x|z) = prod_d p_d(x_d|z), the family of column d by its kind, `spec.kinds[d]`.

    "Handling Incomplete Heterogeneous Data using VAEs" (Nazabal et al., 2020), arXiv:1807.03653, section 3.

    Arguments:
        real: Family of real columns.
        count: Family of counts.
        category: Family of categories, x their index.
        ordinal: Family of ordered levels, x their index.

    Raises:
        UsageError: the spec has not one kind a column, or a family scores a whole row as one event.

    >>> from vaehub.base import Kind
    >>> family = PerColumn(Spec((3,), kinds=(Kind("real"), Kind("category", 4), Kind("real"))))
    >>> family.param_shape
    (6,)
    >>> family(torch.zeros(2, 6)).log_prob(torch.tensor([[0.0, 3.0, 0.0], [1.0, 0.0, 2.0]])).shape
    torch.Size([2, 3])
    """

    expects = "values of the kind of every column"

    def __init__(
        self,
        spec: Spec,
        *,
        real: Part[Likelihood] = Normal,
        count: Part[Likelihood] = NegativeBinomial,
        category: Part[Likelihood] = Categorical,
        ordinal: Part[Likelihood] = DiscretizedLogistic,
    ) -> None:
        super().__init__(spec)
        if len(spec.shape) != 1 or len(spec.kinds) != spec.size:
            raise UsageError(
                f"likelihood per_column: needs rows of one kind a column; the domain gives shape {spec.shape} and {len(spec.kinds)} kinds"
            )
        families = {"real": real, "count": count, "category": category, "ordinal": ordinal}
        self.groups: list[Group] = []
        self.families = torch.nn.ModuleList()
        start = 0
        for kind in dict.fromkeys(spec.kinds):
            columns = [column for column, other in enumerate(spec.kinds) if other == kind]
            family = families[kind.name](Spec((len(columns),), classes=classes_of(kind)))
            stop = start + torch.Size(family.param_shape).numel()
            self.groups.append(Group(columns, start, stop, family))
            self.families.append(family)
            start = stop
        self.size, self.support = start, ByKind(self.groups)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """(P,): the parameters of all columns, group by group."""
        return (self.size,)

    @classmethod
    def example(cls) -> Example:
        """A row of every kind."""
        return Example(spec=Spec((4,), kinds=(Kind("real"), Kind("count"), Kind("category", 3), Kind("ordinal", 5))))

    def forward(self, params: Tensor) -> td.Distribution:
        """Batch (B, D). Raises UsageError where a family has one log p a row."""
        parts = []
        for columns, start, stop, family in self.groups:
            part = family(params[:, start:stop].reshape(len(params), *family.param_shape))
            if part.event_shape:
                raise UsageError(
                    f"likelihood per_column: {type(family).__name__} has one log p a row; choose one with a log p an element"
                )
            parts.append((columns, part))
        return ColumnWise(parts, len(params), self.spec.size)


def classes_of(kind: Kind) -> int:
    """Levels of a category or an ordinal, 0 of a number."""
    return kind.size if kind.name in ("category", "ordinal") else 0
