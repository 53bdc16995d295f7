"""SELFIES: strings of which every one is a molecule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from vaehub import UsageError
from vaehub_molecules.tokens.tokenizer import Tokenizer


@final
class Selfies(Tokenizer):
    """Symbols of "Self-referencing embedded strings (SELFIES)" (Krenn et al., 2020), doi:10.1088/2632-2153/aba947, by the library selfies."""

    def split(self, smiles: str) -> list[str]:
        """The symbols of one molecule."""
        library = selfies_library()
        try:
            return list(library.split_selfies(library.encoder(smiles)))
        except library.EncoderError as error:
            raise UsageError(f"{smiles!r}: SELFIES cannot spell it ({str(error).splitlines()[0]})") from error

    def join(self, symbols: Sequence[str]) -> str:
        """SMILES of symbols."""
        text: str = selfies_library().decoder("".join(symbols))
        return text


def selfies_library() -> Any:
    """The library. Raises UsageError where it is not installed."""
    try:
        import selfies  # type: ignore[import-untyped]
    except ImportError as error:
        raise UsageError("tokenizer selfies: needs the library selfies; pip install 'vaehub-molecules[selfies]'") from error
    return selfies
