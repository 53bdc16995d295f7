"""Parts whose options have every shape that a signature may have; registered as a user would register a file of parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vaehub import hookimpl
from vaehub.base import Likelihood, Objective, Part, Posterior, Prior, Spec
from vaehub.model.likelihoods import Poisson


class Odd(Posterior):
    """Options of every shape that a signature may have."""

    features = 1

    def __init__(
        self,
        latent: int,
        *,
        count: Annotated[int, Field(ge=1)] = 1,
        rate: float = 0.1,
        word: str = "x",
        choice: Literal["no", "yes"] = "no",
        widths: Sequence[int] = (3, 4),
        pair: tuple[int, float] = (1, 2.0),
        scale: Annotated[float, Field(gt=0)] | Literal["learnt"] = "learnt",
        path: Path | None = None,
        table: dict[str, float] | None = None,
        flag: bool = False,
        json: int = 0,
        _hidden: int = 0,
        model_size: int = 0,
        free=None,
    ) -> None: ...

    def forward(self, params): ...


class Nesting(Prior):
    """A part with an optional and a required part inside."""

    def __init__(self, spec: Spec, latent: int, *, inner: Part[Likelihood], other: Part[Likelihood] | None = None) -> None:
        super().__init__(spec, latent)
        self.inner, self.other = inner(spec), other and other(spec)

    def forward(self, cond=None): ...


class Wired(Objective):
    """An objective with a nested part."""

    def __init__(self, *, base: Part[Likelihood] = Poisson, strict: bool = False) -> None:
        super().__init__()
        if strict:
            raise ValueError("strict cannot be")
        self.base = base()

    def forward(self, terms, step): ...


class Doubled(Objective):
    """An objective around another, which may have a nested part of its own."""

    def __init__(self, *, base: Part[Objective] = Wired) -> None:
        super().__init__()
        self.base = base()

    def forward(self, terms, step): ...


@hookimpl
def vaehub_components() -> dict[str, str]:
    return {"posterior/odd": ":Odd", "prior/nesting": ":Nesting", "objective/wired": ":Wired", "objective/doubled": ":Doubled"}
