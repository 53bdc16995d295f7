"""What became of drawn strings: how many are molecules, different ones, new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from vaehub_molecules.chem.canonical import DEFAULT_POLICY, canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.domains.hashed_set import HashedSet


@final
@dataclass(frozen=True)
class SampleCounts:
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


def count_samples(texts: Sequence[str], trained_on: HashedSet, policy: Policy = DEFAULT_POLICY) -> SampleCounts:
    """Counts of strings as a model spells them.

    Arguments:
        texts: drawn strings.
        trained_on: molecules that are not new.
        policy: which molecules are accepted.

    >>> count_samples(["OCC", "C1CC", "CCO"], HashedSet.of(["CN"]))
    SampleCounts(drawn=3, valid=2, unique=1, novel=1)
    """
    valid = [smiles for smiles in canonical_or_empty(texts, policy) if smiles]
    different = sorted(set(valid))
    return SampleCounts(len(texts), len(valid), len(different), int((~trained_on.holds(different)).sum()))


def describe_samples(texts: Sequence[str], trained_on: HashedSet) -> str:
    """The same, in words.

    >>> describe_samples(["OCC", "C1CC", "CCO"], HashedSet.of(["CN"]))
    '3 drawn, 2 valid (66.7%), 1 unique (50.0%), 1 novel (100.0%)'
    """
    return count_samples(texts, trained_on).line()
