"""Why a molecule is not taken."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Every kind of refusal, in the words of reports."""

    EMPTY = "no molecule here"
    LONG = "longer than allowed"
    CHARACTER = "a character that SMILES does not have"
    BRACKETS = "brackets that do not match"
    PARENTHESES = "parentheses that do not match"
    NESTED = "branches nested too deep"
    UNPAIRED = "a ring number without its pair"
    CYCLIC = "too many rings"
    SYNTAX = "not SMILES"
    EXTENSION = "a CXSMILES extension that RDKit cannot read"
    REPEATED = "a repeating unit"
    VARIABLE = "a bond to one of several atoms"
    QUERY = "an atom or bond of a search pattern"
    VALENCE = "an atom with more bonds than it can have"
    AROMATIC = "an aromatic ring without alternating bonds"
    SANITIZE = "refused by RDKit"
    BLOCK = "an SDF record that RDKit cannot read"
    CELLS = "a row with another number of cells than the header"
    FRAGMENTS = "several fragments"
    CHARGED = "a net charge"
    ELEMENT = "an element that is not allowed"
    DUMMY = "a dummy atom"
    MAPPED = "an atom with a map number"
    ISOTOPE = "an isotope"
    RADICAL = "a radical"
    SMALL = "no atom but hydrogen"
    LARGE = "more heavy atoms than allowed"
    UNSTABLE = "canonical SMILES that changes with every reading"
    TIME = "takes too long to read"
    MEMORY = "takes too much memory to read"
    CRASH = "crashes RDKit"


class Rejected(Exception):
    """A molecule that is not taken: the kind of reason, and what it was in this one, such as the element or the length."""

    def __init__(self, kind: Reason, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail

    @property
    def reason(self) -> str:
        """One short phrase."""
        return f"{self.kind} ({self.detail})" if self.detail else str(self.kind)

    def __str__(self) -> str:
        return self.reason

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rejected) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)
