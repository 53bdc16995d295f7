"""What scores are made of: a term is a number of a molecule, and its text is its formula."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, final

from rdkit.Chem import AddHs, Mol, MolFromSmarts
from rdkit.Chem.GraphDescriptors import BertzCT
from rdkit.DataStructs import TanimotoSimilarity

from vaehub import UsageError
from vaehub_molecules.chem.fingerprints import parse_molecule
from vaehub_molecules.chem.properties import PROPERTIES, Property
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.oracles.fingerprints import FINGERPRINTS

DESCRIPTORS: dict[str, Property] = PROPERTIES | {"bertz": BertzCT, "atoms": lambda mol: AddHs(mol).GetNumAtoms()}


class Term(ABC):
    """A number of a molecule."""

    @abstractmethod
    def __call__(self, mol: Mol) -> float:
        """Its value."""

    @abstractmethod
    def __str__(self) -> str:
        """Its formula."""


@final
@dataclass(frozen=True)
class Descriptor(Term):
    """A property by name."""

    name: str

    def __call__(self, mol: Mol) -> float:
        """The property."""
        return float(DESCRIPTORS[self.name](mol))

    def __str__(self) -> str:
        """Its name."""
        return self.name


@final
@dataclass(frozen=True)
class Similarity(Term):
    """Tanimoto similarity of unfolded fingerprints to a target molecule: Σ min / Σ max of counts."""

    target: str
    kind: str = "ECFP4"

    def __call__(self, mol: Mol) -> float:
        """Similarity in [0, 1]."""
        return float(TanimotoSimilarity(FINGERPRINTS[self.kind](mol), target_fingerprint(self.target, self.kind)))

    def __str__(self) -> str:
        """T_kind(x, target)."""
        return f"T_{self.kind}(x, {self.target})"


@final
@dataclass(frozen=True)
class HasPattern(Term):
    """1 where a pattern matches, 0 where not."""

    smarts: str

    def __call__(self, mol: Mol) -> float:
        """1 or 0."""
        return float(mol.HasSubstructMatch(pattern(self.smarts)))

    def __str__(self) -> str:
        """[x has pattern]."""
        return f"[x has {self.smarts}]"


@final
@dataclass(frozen=True)
class LacksPattern(Term):
    """1 where a pattern does not match, 0 where it does."""

    smarts: str

    def __call__(self, mol: Mol) -> float:
        """1 or 0."""
        return float(not mol.HasSubstructMatch(pattern(self.smarts)))

    def __str__(self) -> str:
        """[x lacks pattern]."""
        return f"[x lacks {self.smarts}]"


@final
@dataclass(frozen=True)
class ElementCount(Term):
    """How many atoms of an element there are, implicit hydrogens included."""

    element: str

    def __call__(self, mol: Mol) -> float:
        """The count."""
        counted = AddHs(mol) if self.element == "H" else mol
        return float(sum(atom.GetSymbol() == self.element for atom in counted.GetAtoms()))

    def __str__(self) -> str:
        """#element."""
        return f"#{self.element}"


@cache
def target_fingerprint(smiles: str, kind: str) -> Any:
    """The fingerprint of a target, once per process."""
    return FINGERPRINTS[kind](parse_molecule(smiles))


@cache
def pattern(smarts: str) -> Mol:
    """The query of a SMARTS, once per process. Raises UsageError where it is none."""
    silence_rdkit()
    query = MolFromSmarts(smarts)
    if query is None:
        raise UsageError(f"{smarts!r} is no SMARTS that RDKit can read; check the pattern")
    return query


def target_value(name: str, smiles: str) -> float:
    """A property of a target molecule."""
    return float(DESCRIPTORS[name](parse_molecule(smiles)))
