"""How many bonds an atom written in SMILES can take."""

from __future__ import annotations

import re
from typing import NamedTuple

BRACKET = re.compile(r"\[\d*(?P<element>[A-Z][a-z]?|[a-z][a-z]?|\*)[^\]H+-]*(?P<hydrogens>H\d*)?(?P<charge>[+-]+\d*)?[^\]]*\]")
PLAIN = {"B": 3, "C": 4, "N": 3, "O": 2, "P": 5, "S": 6, "F": 1, "Cl": 1, "Br": 1, "I": 5}
AROMATIC = {"b": 3, "c": 3, "n": 3, "o": 2, "p": 4, "s": 4}
UNKNOWN = 8  # elements of many valences: not restricted
NEUTRAL, GAINING, LOSING = {"H": 1, "B": 3, "C": 4, "N": 3, "O": 2, "F": 1}, ("N", "O", "F"), ("B", "C")


class Valence(NamedTuple):
    """Bonds that an atom can take: by order, or by number where it is aromatic."""

    bonds: int
    aromatic: bool


def valence_of(symbol: str) -> Valence | None:
    """The most bonds of an atom's symbol, never too few; None where it is no atom."""
    if symbol in PLAIN:
        return Valence(PLAIN[symbol], False)
    if symbol in AROMATIC:
        return Valence(AROMATIC[symbol], True)
    match = BRACKET.fullmatch(symbol)
    return Valence(9, False) if symbol == "*" else None if match is None else bracket_valence(**match.groupdict())


def bracket_valence(element: str, hydrogens: str | None, charge: str | None) -> Valence:
    """The most bonds of an atom whose hydrogens and charge are written."""
    taken = int((hydrogens or "H0")[1:] or 1)
    if element.islower():
        return Valence(max(AROMATIC.get(element, 3) + (element in "os") - taken, 0), True)
    charged = charge_of(charge or "")
    if element not in NEUTRAL:
        return Valence(UNKNOWN - taken, False)
    shift = charged if element in GAINING else -charged if element == "B" else -abs(charged)
    return Valence(max(NEUTRAL[element] + shift - taken, 0), False)


def charge_of(text: str) -> int:
    """The number in "+", "--", "+2"."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    return sign * (int(digits) if digits else len(text))
