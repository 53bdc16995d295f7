"""Which molecule came of which: the way from where a search began to a molecule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from vaehub_molecules.search.buffer import Buffer, Call

LONGEST = 200  # steps that are followed back


@final
@dataclass(frozen=True)
class Lineage:
    """The calls of a search by molecule.

    >>> from vaehub_molecules.search.buffer import Answer, Proposal
    >>> calls = [Call(Proposal("CCO", "lead"), Answer((0.4,)), 0.1), Call(Proposal("CCCO", "edits", "CCO"), Answer((0.5,)), 0.2)]
    >>> [call.smiles for call in Lineage.of(Buffer(calls)).of_molecule("CCCO")]
    ['CCO', 'CCCO']
    """

    calls: Mapping[str, Call]

    @classmethod
    def of(cls, buffer: Buffer) -> Lineage:
        """That of all calls."""
        return cls({call.smiles: call for call in buffer})

    def of_molecule(self, smiles: str) -> list[Call]:
        """The calls from the first ancestor to the molecule itself; an ancestor that was never called is left out, with those before it."""
        found: list[Call] = []
        while smiles in self.calls and len(found) < LONGEST and all(call.smiles != smiles for call in found):
            found.append(self.calls[smiles])
            smiles = found[-1].proposal.parent
        return found[::-1]
