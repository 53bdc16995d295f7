"""SMILES with single and double bonds in place of aromatic atoms: every valence can be read off the text, so a grammar can keep it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import final

from rdkit.Chem import Kekulize, MolFromSmiles, MolToSmiles

from vaehub import Json, UsageError
from vaehub_molecules.chem.parallel import parallel_map
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.tokens.pairs import Pairs
from vaehub_molecules.tokens.tokenizer import Tokenizer


@final
class Kekule(Tokenizer):
    """Pieces of Kekulé SMILES: C1=CC=CC=C1 for c1ccccc1.

    Of what a network writes by the grammar of SMILES nearly all that is no molecule fails for an aromatic ring that has no Kekulé
    structure, which cannot be told from the text before it; in this form it can.

    >>> "".join(Kekule().split("c1ccccc1"))
    'C1=CC=CC=C1'
    """

    def __init__(self) -> None:
        self.pairs = Pairs()
        self._form = lru_cache(1 << 18)(kekule_smiles)

    def learn(self, smiles: Sequence[str]) -> None:
        """As `Pairs` does, of the other form."""
        self.pairs.learn(parallel_map(kekule_smiles, smiles))

    def split(self, smiles: str) -> list[str]:
        """The pieces of one molecule."""
        return self.pairs.split(self._form(smiles))

    def join(self, symbols: Sequence[str]) -> str:
        """SMILES of pieces."""
        return self.pairs.join(symbols)

    def state(self) -> Json:
        """The merged pairs in order."""
        return self.pairs.state()

    def restore(self, state: Json) -> None:
        """Take up merged pairs."""
        self.pairs.restore(state)


def kekule_smiles(smiles: str) -> str:
    """The Kekulé form of canonical SMILES. Raises UsageError for what is no molecule."""
    silence_rdkit()
    mol = MolFromSmiles(smiles)
    if mol is None:
        raise UsageError(f"{smiles!r}: is no molecule; check the spelling")
    Kekulize(mol, clearAromaticFlags=True)
    text: str = MolToSmiles(mol)
    return text
