"""SMILES by pieces that often occur together: a third of the steps for a network, at the same information."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import final

from vaehub import Json, files
from vaehub_molecules.tokens.atoms import split_symbols
from vaehub_molecules.tokens.merging import Pair, learn_merges
from vaehub_molecules.tokens.tokenizer import Tokenizer

NEVER = sys.maxsize  # rank of a pair that is not merged


@final
class Pairs(Tokenizer):
    """Byte-pair encoding over SMILES symbols.

    "SMILES Pair Encoding" (Li & Fourches, 2021), doi:10.1021/acs.jcim.0c01127: the pair of neighbours seen most often becomes one
    symbol, again and again, until there are `merges` of them; pairs seen fewer than `least` times stay apart.

    Arguments:
        merges: pairs to merge, at most.
        least: times that a pair must occur.

    >>> pairs = Pairs(least=2)
    >>> pairs.learn(["CCO", "CCN"])
    >>> pairs.split("CCCO")
    ['CC', 'C', 'O']
    """

    def __init__(self, merges: int = 256, least: int = 100) -> None:
        self.merges, self.least = merges, least
        self.ranks: dict[Pair, int] = {}
        self._split = lru_cache(1 << 16)(self._merge)

    def learn(self, smiles: Sequence[str]) -> None:
        """Count pairs and merge the commonest; ties go to the pair that sorts last."""
        self.restore({"merges": [list(p) for p in learn_merges([split_symbols(s) for s in smiles], self.merges, self.least)]})

    def split(self, smiles: str) -> list[str]:
        """The pieces of one molecule."""
        return list(self._split(smiles))

    def join(self, symbols: Sequence[str]) -> str:
        """SMILES of pieces."""
        return "".join(symbols)

    def state(self) -> Json:
        """The merged pairs in order."""
        return {"merges": [list(pair) for pair in self.ranks]}

    def restore(self, state: Json) -> None:
        """Take up merged pairs."""
        self.ranks = {
            (left, right): rank for rank, (left, right) in enumerate(files.validated_json(list[list[str]], state["merges"]))
        }
        self._split.cache_clear()

    def _merge(self, smiles: str) -> tuple[str, ...]:
        """The pair that was merged earliest becomes one piece, from the left, until no known pair is left."""
        pieces = split_symbols(smiles)
        ranks = [self.ranks.get(pair, NEVER) for pair in pairwise(pieces)]
        while (earliest := min(ranks, default=NEVER)) < NEVER:
            at = ranks.index(earliest)
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
            around = slice(max(at - 1, 0), at + 2)
            ranks[around] = [self.ranks.get(pair, NEVER) for pair in pairwise(pieces[around])]
        return tuple(pieces)
