"""A core with attachment points: what stays fixed while its substituents (R-groups) change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from rdkit.Chem import (
    BondType,
    FragmentOnBonds,
    GetMolFrags,
    Mol,
    MolFromSmarts,
    MolFromSmiles,
    MolToSmiles,
    RemoveHs,
    RWMol,
    molzip,
)

from vaehub import UsageError
from vaehub_molecules.chem.rdkit_log import silence_rdkit

MOST_MATCHES = 64  # ways to lay a core on a molecule that are looked at
CUTS = MolFromSmarts("[R]-!@[!#1]")  # where a substituent of a ring begins
LARGEST_GROUP = 12  # heavy atoms


@final
@dataclass(frozen=True)
class Core:
    """A molecule with attachment points `*` or `[*:1]`, each of which carries a substituent or hydrogen; nothing else of it changes.

    Arguments:
        text: its SMILES.

    Raises:
        UsageError: where RDKit cannot read it, or an attachment point is not at the end of a single bond.

    >>> core = Core("[*:1]c1ccc([*:2])cc1")
    >>> core.groups(MolFromSmiles("CC(=O)Nc1ccc(O)cc1")), core.groups(MolFromSmiles("Oc1ccccc1O"))
    ({1: '*NC(C)=O', 2: '*O'}, None)
    >>> core.with_groups({1: "*OC"})
    'COc1ccccc1'
    """

    text: str

    def __post_init__(self) -> None:
        silence_rdkit()
        if not is_core(self.text):
            raise UsageError(f"scaffold={self.text!r}: is no core; write its attachment points as in c1ccc([*:1])cc1")

    @cached_property
    def mol(self) -> Mol:
        """The core; its attachment points have map numbers 1, 2, …, those that were given before those that were not."""
        mol = MolFromSmiles(self.text)
        for number, atom in enumerate(sorted(dummies(mol), key=lambda atom: (not atom.GetAtomMapNum(), atom.GetAtomMapNum())), 1):
            atom.SetAtomMapNum(number)
            atom.SetIsotope(0)
        return mol

    @cached_property
    def sites(self) -> dict[int, int]:
        """The atom of `body` that each attachment point is at."""
        return {atom.GetAtomMapNum(): self._places[atom.GetNeighbors()[0].GetIdx()] for atom in dummies(self.mol)}

    @cached_property
    def _places(self) -> dict[int, int]:
        """Atoms of `mol` -> atoms of `body`."""
        kept = [atom.GetIdx() for atom in self.mol.GetAtoms() if atom.GetAtomicNum()]
        return {place: number for number, place in enumerate(kept)}

    @cached_property
    def body(self) -> Mol:
        """The core without its attachment points, as a query."""
        body = RWMol(self.mol)
        for place in sorted((atom.GetIdx() for atom in dummies(self.mol)), reverse=True):
            body.RemoveAtom(place)
        return body.GetMol()

    def match(self, mol: Mol) -> tuple[int, ...] | None:
        """The atoms of a molecule that are the core's; None where it has no such core, or it is substituted elsewhere."""
        matches = mol.GetSubstructMatches(self.body, uniquify=False, useChirality=True, maxMatches=MOST_MATCHES)
        return next((match for match in matches if self._fits(mol, match) and self._has_stereo(mol, match)), None)

    def _fits(self, mol: Mol, match: Sequence[int]) -> bool:
        """Whether substituents hang at attachment points alone, each by one single bond, and the core has no other bonds and charges."""
        inside, sites = set(match), list(self.sites.values())
        for place, at in enumerate(match):
            atom, own = mol.GetAtomWithIdx(at), self.body.GetAtomWithIdx(place)
            outside = [bond for bond in atom.GetBonds() if bond.GetOtherAtomIdx(at) not in inside]
            if len(outside) > sites.count(place) or atom.GetDegree() - len(outside) != own.GetDegree():
                return False
            if atom.GetFormalCharge() != own.GetFormalCharge() or any(bond.GetBondType() != BondType.SINGLE for bond in outside):
                return False
        return not any(mol.GetBondWithIdx(bond).IsInRing() for bond in self._bonds_outwards(mol, match))

    def _has_stereo(self, mol: Mol, match: Sequence[int]) -> bool:
        """Whether atoms with attachment points have the stereo of the core, which the whole molecule shows alone."""
        return "@" not in self.text or bool(
            mol.HasSubstructMatch(MolFromSmiles(self.with_groups(self._groups_at(mol, match))), useChirality=True)
        )

    def _bonds_outwards(self, mol: Mol, match: Sequence[int]) -> list[int]:
        """Bonds between the core and its substituents."""
        inside = set(match)
        return [
            bond.GetIdx() for bond in mol.GetBonds() if (bond.GetBeginAtomIdx() in inside) != (bond.GetEndAtomIdx() in inside)
        ]

    def groups(self, mol: Mol) -> dict[int, str] | None:
        """The substituents by attachment point, as SMILES with `*` where they are attached; hydrogens are left out. None without the core."""
        match = self.match(mol)
        return None if match is None else self._groups_at(mol, match)

    def _groups_at(self, mol: Mol, match: Sequence[int]) -> dict[int, str]:
        """The substituents of a molecule that the core is laid on."""
        free = {at: [number for number, place in self.sites.items() if match[place] == at] for at in match}
        found = {}
        for index in self._bonds_outwards(mol, match):
            bond = mol.GetBondWithIdx(index)
            begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            at, beyond = (begin, end) if begin in match else (end, begin)
            parts: list[list[int]] = []
            pieces = GetMolFrags(FragmentOnBonds(mol, [index], dummyLabels=[(0, 0)]), asMols=True, fragsMolAtomMapping=parts)
            piece = next(piece for piece, atoms in zip(pieces, parts, strict=True) if beyond in atoms)
            found[free[at].pop(0)] = str(MolToSmiles(piece))
        return dict(sorted(found.items()))

    def with_groups(self, groups: Mapping[int, str]) -> str:
        """The core with substituents by attachment point, hydrogen at the others, as SMILES; "" where that is no molecule."""
        whole = RWMol(self.mol)
        for atom in dummies(whole):
            group = MolFromSmiles(groups.get(atom.GetAtomMapNum(), ""))
            if group is None or not group.GetNumAtoms():
                atom.SetAtomicNum(1)
                atom.SetAtomMapNum(0)
                continue
            for end in dummies(group):
                end.SetAtomMapNum(atom.GetAtomMapNum())
            whole.InsertMol(group)
        try:
            return str(MolToSmiles(RemoveHs(molzip(whole))))
        except (ValueError, RuntimeError):
            return ""


def is_core(text: str) -> bool:
    """Whether a text is SMILES with attachment points, `*` or `[*:1]` at the ends of single bonds, and more than these."""
    silence_rdkit()
    if "*" not in text or (mol := MolFromSmiles(text)) is None or any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        return False  # [#6] of SMARTS is read as a radical
    ends = [[bond.GetBondType() for bond in atom.GetBonds()] for atom in dummies(mol)]
    return bool(ends) and all(bonds == [BondType.SINGLE] for bonds in ends) and len(ends) < mol.GetNumAtoms()


def dummies(mol: Mol) -> list:  # type: ignore[type-arg]  # RDKit's atoms
    """Its attachment points."""
    return [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]


def substituents(mol: Mol) -> list[str]:
    """Groups of at most 12 heavy atoms at the rings of a molecule, as SMILES with `*` where they are attached.

    >>> sorted(substituents(MolFromSmiles("CC(=O)Nc1ccc(O)cc1")))
    ['*NC(C)=O', '*O', '*c1ccc(NC(C)=O)cc1', '*c1ccc(O)cc1']
    """
    found = []
    for ends in mol.GetSubstructMatches(CUTS):
        cut = FragmentOnBonds(mol, [mol.GetBondBetweenAtoms(*ends).GetIdx()], dummyLabels=[(0, 0)])
        pieces = GetMolFrags(cut, asMols=True)
        found += [str(MolToSmiles(piece)) for piece in pieces if piece.GetNumHeavyAtoms() <= LARGEST_GROUP]
    return found
