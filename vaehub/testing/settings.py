"""Data to try parts on: rows of the plugin's own domains first, then made-up rows of the usual forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch.nn import functional as F

from vaehub.base import Batch, Codec, Domain, Likelihood, Spec
from vaehub.model.likelihoods import Bernoulli, Categorical, Normal, PerColumn, Poisson

ROWS = 6
CONDITION = 3


@dataclass(frozen=True)
class Setting:
    """Rows, what a part may know of them, and a likelihood that admits them."""

    spec: Spec
    batch: Batch
    likelihood: Callable[[Spec], Likelihood]
    own: bool  # whether the plugin under test brought the rows

    def unconditional(self) -> Setting:
        """The same rows without a condition."""
        return replace(self, spec=replace(self.spec, cond=0), batch=self.batch._replace(cond=None))

    def conditional(self) -> Setting:
        """The same rows, each with a condition: an indicator of one of three classes."""
        cond = F.one_hot(torch.arange(len(self.batch.x)) % CONDITION, CONDITION).float()
        return replace(self, spec=replace(self.spec, cond=CONDITION), batch=self.batch._replace(cond=cond))


def settings(
    domains: Iterable[Callable[[], Domain[Codec]]], likelihoods: Iterable[Callable[[Spec], Likelihood]]
) -> list[Setting]:
    """The domains' rows and made-up ones, each with every likelihood that admits them, first without a condition and then with one."""
    families = [*likelihoods, Categorical, Normal, Bernoulli, Poisson]
    rows = [*rows_of(domains), *made_up()]
    plain = [Setting(spec, batch, family, own) for spec, batch, own in rows for family in families if admits(family, spec, batch)]
    return plain + [setting.conditional() for setting in plain]


def rows_of(domains: Iterable[Callable[[], Domain[Codec]]]) -> Iterator[tuple[Spec, Batch, bool]]:
    """The first training rows of every domain that has any to show; what ails the others is told by the checks of domains."""
    for make in domains:
        try:
            domain = make()
            batch = domain.data("train")[torch.arange(ROWS)]
            yield replace(domain.codec.spec, cond=0), Batch(batch.dense().without_hidden().x), True
        except Exception:  # noqa: S112
            continue


def made_up() -> Iterator[tuple[Spec, Batch, bool]]:
    """Real and positive vectors, categories, and small images."""
    generator = torch.Generator().manual_seed(7)
    yield Spec((4,)), Batch(torch.randn(ROWS, 4, generator=generator)), False
    yield Spec((4,)), Batch(torch.randn(ROWS, 4, generator=generator).exp()), False
    yield Spec((4,), classes=5), Batch(torch.randint(5, (ROWS, 4), generator=generator)), False
    for shape in ((1, 8, 8), (1, 28, 28), (3, 32, 32)):
        yield Spec(shape), Batch(torch.randint(2, (ROWS, *shape), generator=generator).float()), False
    yield Spec((1, 8, 8), classes=4), Batch(torch.randint(4, (ROWS, 1, 8, 8), generator=generator)), False


def asked_for(spec: Spec) -> Setting:
    """Made-up rows of the shape and the kinds that a part asks to be tried with."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(ROWS, *spec.shape, generator=generator)
    for column, kind in enumerate(spec.kinds):
        if kind.name != "real":
            x[:, column] = torch.randint(max(kind.size, 4) if kind.name == "count" else kind.size, (ROWS,), generator=generator)
    if spec.classes:
        x = torch.randint(spec.classes, (ROWS, *spec.shape), generator=generator)
    y = torch.randn(ROWS, spec.targets, generator=generator) if spec.targets else None
    family = PerColumn if spec.kinds else Categorical if spec.classes else Normal
    return Setting(spec, Batch(x, y=y), family, own=True)


def admits(family: Callable[[Spec], Likelihood], spec: Spec, batch: Batch) -> bool:
    """Whether a likelihood can be built for these rows and holds them possible."""
    try:
        return bool(family(spec).support.check(batch.x).all())
    except Exception:
        return False
