"""How a molecule becomes a row of numbers: tokenizers behind one interface, and the vocabulary."""

from collections.abc import Callable

from vaehub_molecules.tokens.atoms import Atoms
from vaehub_molecules.tokens.kekule import Kekule
from vaehub_molecules.tokens.pairs import Pairs
from vaehub_molecules.tokens.selfies import Selfies
from vaehub_molecules.tokens.tokenizer import Tokenizer
from vaehub_molecules.tokens.vocabulary import END, Vocabulary

TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {"kekule": Kekule, "pairs": Pairs, "atoms": Atoms, "selfies": Selfies}

__all__ = ["END", "TOKENIZERS", "Atoms", "Kekule", "Pairs", "Selfies", "Tokenizer", "Vocabulary"]
