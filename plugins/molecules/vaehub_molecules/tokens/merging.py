"""Which neighbours to make one symbol: all molecules as one array of numbers, on which counting and merging are a few passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Pair: TypeAlias = tuple[str, str]
Numbers: TypeAlias = NDArray[np.int32]
BREAK = 0  # stands between molecules


@final
@dataclass
class SymbolSequence:
    """Molecules one after the other: numbers (T,) of their symbols, each molecule followed by BREAK."""

    symbols: list[str]
    numbers: Numbers

    @staticmethod
    def of(rows: Sequence[Sequence[str]]) -> SymbolSequence:
        """The strand of these molecules."""
        symbols = ["", *sorted(set(chain.from_iterable(rows)))]
        number = {symbol: at for at, symbol in enumerate(symbols)}
        flat = chain.from_iterable((*map(number.__getitem__, row), BREAK) for row in rows)
        return SymbolSequence(symbols, np.fromiter(flat, np.int32))

    def commonest(self) -> tuple[Pair, int]:
        """The pair of neighbours that occurs most often, of several the one that sorts last, and how often it does."""
        size = len(self.symbols)
        counts = np.bincount(self.numbers[:-1] * size + self.numbers[1:], minlength=size * size).reshape(size, size)
        counts[BREAK] = counts[:, BREAK] = 0
        often = int(counts.max())
        pairs = ((self.symbols[left], self.symbols[right]) for left, right in np.argwhere(counts == often))
        return max(pairs) if often else ("", ""), often

    def merge(self, pair: Pair) -> None:
        """Make one symbol of a pair wherever it occurs, from the left."""
        left, right = map(self.symbols.index, pair)
        found = np.flatnonzero((self.numbers[:-1] == left) & (self.numbers[1:] == right))
        at = non_overlapping(found) if left == right else found
        self.numbers[at] = self._number("".join(pair))
        self.numbers = np.delete(self.numbers, at + 1)

    def _number(self, symbol: str) -> int:
        """The number of a symbol, which two pairs may have in common, as CC with C and C with CC."""
        if symbol not in self.symbols:
            self.symbols.append(symbol)
        return self.symbols.index(symbol)


def non_overlapping(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of places in a row every other one, from the first: CCC holds CC once."""
    order = np.arange(len(places))
    first = np.where(np.diff(places, prepend=-2) > 1, order, 0)
    odd = (order - np.maximum.accumulate(first)) % 2
    return np.compress(odd == 0, places)


def learn_merges(rows: Sequence[Sequence[str]], merges: int, least: int) -> list[Pair]:
    """The pairs to merge, in order: the commonest each time, while it occurs at least so often."""
    strand = SymbolSequence.of(rows)
    done: list[Pair] = []
    while len(done) < merges:
        pair, often = strand.commonest()
        if often < max(least, 1):
            break
        strand.merge(pair)
        done.append(pair)
    return done
