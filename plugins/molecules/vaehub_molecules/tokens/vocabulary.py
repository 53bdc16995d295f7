"""The symbols that a model knows, learnt from its training molecules; the first stands for the end of a string."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeAlias, final

import torch
from pydantic import Field
from torch import Tensor

from vaehub import Json, UsageError, files
from vaehub_molecules.tokens.tokenizer import Tokenizer

Length: TypeAlias = Annotated[int, Field(ge=1, le=1 << 16)]
END = 0
MARGIN = 1.2  # how much longer than the longest training molecule a string may be


@final
class Vocabulary:
    """Symbols by number. A row of T numbers is a string that ends at its first END; what follows is END as well.

    Arguments:
        tokenizer: how SMILES are split.
        symbols: all that the model can read and write.
        length: T.

    >>> from vaehub_molecules.tokens.atoms import Atoms
    >>> vocabulary = Vocabulary.learn(Atoms(), ["CCO", "CN"])
    >>> vocabulary.rows(["CCO"]).tolist()
    [[1, 1, 3, 0, 0]]
    >>> vocabulary.strings(vocabulary.rows(["CCO"]))
    ['CCO']
    """

    def __init__(self, tokenizer: Tokenizer, symbols: Sequence[str] = (), length: int = 0) -> None:
        self.tokenizer, self.symbols, self.length = tokenizer, ["", *symbols], length
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols) if number}

    @staticmethod
    def learn(tokenizer: Tokenizer, smiles: Sequence[str]) -> Vocabulary:
        """The symbols of the training molecules, in alphabetical order, and the length of the longest with a margin."""
        tokenizer.learn(smiles)
        counts: Counter[str] = Counter()
        longest = 0
        for molecule in smiles:
            symbols = tokenizer.split(molecule)
            counts.update(symbols)
            longest = max(longest, len(symbols))
        return Vocabulary(tokenizer, sorted(counts), int(MARGIN * longest) + 2)

    def __len__(self) -> int:
        return len(self.symbols)

    def state(self) -> Json:
        """Small JSON from which `restore` makes the vocabulary again."""
        return {"symbols": self.symbols[1:], "length": self.length, "tokenizer": self.tokenizer.state()}

    @staticmethod
    def restore(tokenizer: Tokenizer, state: Json) -> Vocabulary:
        """The vocabulary that `state` came from."""
        tokenizer.restore(state["tokenizer"])
        return Vocabulary(
            tokenizer, files.validated_json(list[str], state["symbols"]), files.validated_json(Length, state["length"])
        )

    def why_unreadable(self, smiles: str) -> str | None:
        """Why the model cannot read a molecule, or None where it can."""
        try:
            self.row(smiles)
        except UsageError as error:
            return str(error)
        return None

    def row(self, smiles: str) -> list[int]:
        """The numbers of one molecule, without END. Raises UsageError that names the molecule and the symbols it lacks."""
        symbols = self.tokenizer.split(smiles)
        unknown = dict.fromkeys(s for s in symbols if s not in self.numbers)
        if unknown:
            raise UsageError(
                f"{smiles}: the training molecules had no {', '.join(map(repr, unknown))}; leave it out, or train on data that have it"
            )
        if len(symbols) >= self.length:
            raise UsageError(f"{smiles}: {len(symbols)} symbols, this model reads at most {self.length - 1}; leave it out")
        return [self.numbers[s] for s in symbols]

    def rows(self, smiles: Iterable[str]) -> Tensor:
        """Numbers (N, T) of molecules, as int16."""
        given = [self.row(s) for s in smiles]
        padded = [row + [END] * (self.length - len(row)) for row in given]
        return torch.tensor(padded, dtype=torch.int16).view(len(given), self.length)

    def strings(self, x: Tensor) -> list[str]:
        """What rows (N, T) spell, up to their first END."""
        written = [row[: row.index(END)] if END in row else row for row in x.tolist()]
        return [self.tokenizer.join([self.symbols[i] for i in row]) for row in written]
