"""What conditions a model beside z: properties, and the scaffold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from vaehub import UsageError, hints
from vaehub_molecules.chem.canonical import canonical
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.domains.scaffold import BITS, scaffold_bits
from vaehub_molecules.domains.scales import Scales

SCAFFOLD = "scaffold"


@final
class Conditions:
    """Columns of cond (B, C): the scaled properties, then the bits of the scaffold."""

    def __init__(self, scales: Scales, scaffold: bool) -> None:
        self.scales, self.scaffold = scales, scaffold

    @property
    def width(self) -> int:
        """C."""
        return len(self.scales.names) + BITS * self.scaffold

    def of(self, values: np.ndarray, smiles: Sequence[str]) -> Tensor | None:
        """cond (N, C) of molecules with property values (N, P)."""
        if not self.width:
            return None
        scaled = self.scales.scaled(torch.tensor(values, dtype=torch.float32)).nan_to_num()
        return torch.cat([scaled, scaffold_bits(smiles)], 1) if self.scaffold else scaled

    def read(self, values: Sequence[str | int | float]) -> Tensor:
        """cond (C,) from what a user gives: numbers in order, or name=value, such as qed=0.9 and scaffold=c1ccccc1."""
        names = [*self.scales.names, *([SCAFFOLD] if self.scaffold else [])]
        given = dict(name_and_value(value, names, place) for place, value in enumerate(values))
        missing = [name for name in names if name not in given]
        if missing:
            raise UsageError(
                f"cond: give {', '.join(f'{name}=…' for name in missing)} as well; this model is conditioned on {names}"
            )
        numbers = torch.tensor([finite_number(given[name], name) for name in self.scales.names])
        parts = [self.scales.scaled(numbers)]
        if self.scaffold:
            parts.append(scaffold_bits([canonical_scaffold(given[SCAFFOLD])])[0])
        return torch.cat(parts)


def name_and_value(value: str | int | float, names: Sequence[str], place: int) -> tuple[str, str]:
    """(name, value) of one thing that a user gives."""
    name, equals, text = str(value).partition("=")
    if equals and name in names:
        return name, text
    if equals and name.isidentifier():
        raise UsageError(f"cond: {name!r} is no condition of this model; {hints.did_you_mean(name, names)}")
    if place >= len(names):
        raise UsageError(f"cond: {place + 1} values or more, this model takes {len(names)}: {', '.join(names)}")
    return names[place], str(value)


def finite_number(text: str, name: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise UsageError(f"cond: {name}={text!r} is no number")
    return value


def canonical_scaffold(text: str) -> str:
    """Canonical SMILES of a scaffold."""
    try:
        return canonical(text)
    except Rejected as error:
        raise UsageError(f"cond: scaffold={text!r}: {error}") from error
