"""What became of drawn strings: how many are molecules, different ones, new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from vaehub_molecules.chem.canonical import DEFAULT, canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.sets.hashed_set import Known


@final
@dataclass(frozen=True)
class Counts:
    """Strings drawn, those that are molecules, different ones among these, and different ones that were not trained on."""

    drawn: int
    valid: int
    unique: int
    novel: int

    def line(self) -> str:
        """In words: each count as a share of the one before."""
        parts = [f"{self.drawn:,} drawn"]
        for name, count, of in (
            ("valid", self.valid, self.drawn),
            ("unique", self.unique, self.valid),
            ("novel", self.novel, self.unique),
        ):
            parts.append(f"{count:,} {name} ({count / of:.1%})" if of else f"{count:,} {name}")
        return ", ".join(parts)


def counts(texts: Sequence[str], known: Known, policy: Policy = DEFAULT) -> Counts:
    """Counts of strings as a model spells them."""
    valid = [smiles for smiles in canonical_or_empty(texts, policy) if smiles]
    different = sorted(set(valid))
    return Counts(len(texts), len(valid), len(different), int((~known.holds(different)).sum()))


def counts_line(texts: Sequence[str], known: Known) -> str:
    """The same, in words."""
    return counts(texts, known).line()
