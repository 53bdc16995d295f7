"""SMILES by the symbols of its grammar: bracket atoms, two-letter elements and ring numbers above nine are one symbol each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

from vaehub import UsageError
from vaehub_molecules.tokens.tokenizer import Tokenizer

SYMBOL = re.compile(r"\[[^\[\]]+\]|Br|Cl|%\d\d|%\(\d+\)|->|<-|[BCNOPSFIbcnops]|[-=#$:/\\.()]|\d|~|\*")


def split_symbols(smiles: str) -> list[str]:
    """The symbols of SMILES grammar in a string. Raises UsageError at the first character that is none."""
    found = SYMBOL.findall(smiles)
    if sum(map(len, found)) != len(smiles):
        raise UsageError(f"{smiles!r}: {first_unreadable(smiles)!r} is no symbol of SMILES; check the spelling")
    return found


def first_unreadable(smiles: str) -> str:
    """The first piece of a string that no symbol matches."""
    end = 0
    for match in SYMBOL.finditer(smiles):
        if match.start() > end:
            break
        end = match.end()
    return smiles[end : end + 8]


@final
class Atoms(Tokenizer):
    """One symbol of the grammar at a time, after "Molecular Transformer" (Schwaller et al., 2019), doi:10.1021/acscentsci.9b00576.

    >>> Atoms().split("C[C@H](Cl)Br")
    ['C', '[C@H]', '(', 'Cl', ')', 'Br']
    """

    def split(self, smiles: str) -> list[str]:
        """The symbols of one molecule."""
        return split_symbols(smiles)

    def join(self, symbols: Sequence[str]) -> str:
        """SMILES of symbols."""
        return "".join(symbols)
