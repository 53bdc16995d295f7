"""What a tokenizer is: canonical SMILES to a list of symbols and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from vaehub import Json


class Tokenizer(ABC):
    """Splits canonical SMILES into symbols and joins them again; what it learnt is small JSON."""

    def learn(self, smiles: Sequence[str]) -> None:
        """Take from the training molecules what the splitting depends on, such as which symbols often stand side by side."""

    @abstractmethod
    def split(self, smiles: str) -> list[str]:
        """The symbols of one molecule. Raises UsageError that names the molecule and what cannot be read."""

    @abstractmethod
    def join(self, symbols: Sequence[str]) -> str:
        """SMILES of symbols, as a network wrote them: not canonical, perhaps not valid."""

    def state(self) -> Json:
        """What was learnt."""
        return {}

    def restore(self, state: Json) -> None:
        """Take up what `state` gave."""
