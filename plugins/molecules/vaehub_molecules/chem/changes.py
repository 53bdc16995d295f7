"""What reading does to a molecule beside writing it in canonical form."""

from __future__ import annotations

from collections.abc import Set
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
