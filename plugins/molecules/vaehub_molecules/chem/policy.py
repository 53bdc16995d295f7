"""Which molecules are accepted, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from vaehub import UsageError, hints

Salts = Literal["keep", "largest", "reject"]
Stereo = Literal["keep", "drop"]
Charges = Literal["keep", "neutralise", "reject"]
Metals = Literal["disconnect", "keep"]
Isotopes = Literal["reject", "drop", "keep"]
Tautomers = Literal["keep", "canonical"]


@dataclass(frozen=True)
class Policy:
    """Which molecules are accepted, and what is done to them first.

    Arguments:
        salts: of several fragments keep all, keep the largest that is no counter-ion and no solvent, or reject the molecule.
        stereo: keep or drop stereochemistry.
        charges: keep, neutralise where protons allow it, or reject a net charge.
        elements: symbols that may occur, () for all.
        max_length: characters of a string, checked before it is parsed.
        max_heavy: heavy atoms of what is kept.
        metals: disconnect alkali and alkaline earth metals that are drawn with a bond to N, O, S or a halogen, or keep that bond.
        isotopes: reject molecules with isotope labels, drop the labels, or keep them.
        tautomers: keep the one that is given, or write all as RDKit's canonical one, which takes some twenty times as long.

    Raises:
        UsageError: for a choice, a symbol or a size that there is not.

    >>> Policy(elements=("C", "N", "O"), salts="reject").salts
    'reject'
    """

    salts: Salts = "largest"
    stereo: Stereo = "keep"
    charges: Charges = "keep"
    elements: tuple[str, ...] = ()
    max_length: int = 512
    max_heavy: int = 150
    metals: Metals = "disconnect"
    isotopes: Isotopes = "reject"
    tautomers: Tautomers = "keep"

    def __post_init__(self) -> None:
        for option, value, choices in (
            ("salts", self.salts, get_args(Salts)),
            ("stereo", self.stereo, get_args(Stereo)),
            ("charges", self.charges, get_args(Charges)),
            ("metals", self.metals, get_args(Metals)),
            ("isotopes", self.isotopes, get_args(Isotopes)),
            ("tautomers", self.tautomers, get_args(Tautomers)),
        ):
            if value not in choices:
                raise UsageError(f"{option}={value!r}: {hints.did_you_mean(str(value), choices)}")
        for option, size in (("max_length", self.max_length), ("max_heavy", self.max_heavy)):
            if size < 1:
                raise UsageError(f"{option}={size}: must be at least 1")
        object.__setattr__(self, "elements", tuple(map(checked_element, self.elements)))


def checked_element(symbol: str) -> str:
    """A symbol of the periodic table. Raises UsageError for any other."""
    from rdkit.Chem import GetPeriodicTable

    from vaehub_molecules.chem.rdkit_log import silence_rdkit

    silence_rdkit()
    try:
        GetPeriodicTable().GetAtomicNumber(symbol)
    except RuntimeError:
        raise UsageError(f"elements: {symbol!r} is no element; write symbols such as C, N, Cl") from None
    return symbol
