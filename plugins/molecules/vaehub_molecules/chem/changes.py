"""What reading does to a molecule beside writing it in canonical form."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Set
from enum import StrEnum
from typing import NamedTuple


class Change(StrEnum):
    """Every kind of change, in the words of reports."""

    METAL = "bonds to a metal made ionic"
    SALT = "salts or solvents taken away"
    MIXTURE = "the largest of several fragments kept"
    ION = "left as an ion of a salt (charges=neutralise makes acids and bases of these)"
    ISOTOPE = "isotope labels dropped"
    MIRRORED = "stereo of a racemate, or of a configuration that is not known, dropped"
    STEREO = "stereo dropped"
    CHARGE = "neutralised"
    TAUTOMER = "written as another tautomer"


class Standardised(NamedTuple):
    """Canonical SMILES, and what was done to the molecule on the way there, each kind of change once."""

    smiles: str
    changes: tuple[Change, ...] = ()


def in_order(changes: Set[Change]) -> tuple[Change, ...]:
    """Changes in the order in which they are made."""
    return tuple(change for change in Change if change in changes)


def counts_of_changes(changes: Iterable[Iterable[Change]]) -> Counter[str]:
    """In how many molecules there was each kind of change, from the changes of each."""
    return Counter(str(change) for of_one in changes for change in of_one)


def warn_of_changes(source: str, changes: Iterable[Iterable[Change]], where: str = "") -> None:
    """Warn where molecules are taken in another form than they were given.

    Arguments:
        source: where they come from.
        changes: those of each molecule.
        where: who lists them.
    """
    changed = [of_one for of_one in map(tuple, changes) if of_one]
    if changed:
        kinds = ", ".join(f"{times:,} {change}" for change, times in counts_of_changes(changed).most_common())
        warnings.warn(f"{source}: {len(changed):,} molecules changed: {kinds}" + (f"; {where}" if where else ""), stacklevel=4)
