"""Stereo that a molecule has, and stereo that is drawn of one enantiomer but means both, or an unknown one."""

from __future__ import annotations

import re

from rdkit import Chem

from vaehub_molecules.chem.changes import Change

LABELS = re.compile(r"\$[^$]*\$|\([^)]*\)|\{[^}]*\}")  # labels, coordinates and captions of a CXSMILES extension


def drop_mirrored_stereo(mol: Chem.Mol, extension: str, changes: set[Change]) -> Chem.Mol:
    """Without the configuration of atoms and bonds in `&` (and) and `o` (or) groups, and of all where the extension says `r` (relative).

    SMILES without such groups cannot say "this or its mirror image", so what remains says less, and nothing false.
    """
    atoms, bonds = mirrored_parts(mol, extension)
    if not atoms and not bonds:
        return mol
    bare = Chem.RWMol(mol)
    for at in atoms:
        bare.GetAtomWithIdx(at).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for at in bonds:
        bare.GetBondWithIdx(at).SetStereo(Chem.BondStereo.STEREONONE)
    bare.SetStereoGroups([])
    changes.add(Change.MIRRORED)
    return Chem.Mol(bare)


def mirrored_parts(mol: Chem.Mol, extension: str) -> tuple[list[int], list[int]]:
    """Places of the stereo atoms, and of the atropisomeric bonds, whose configuration is relative."""
    if "r" in LABELS.sub("", extension.strip("|")).split(","):
        return [atom.GetIdx() for atom in mol.GetAtoms() if is_centre(atom)], []
    groups = [group for group in mol.GetStereoGroups() if group.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE]
    atoms = [atom.GetIdx() for group in groups for atom in group.GetAtoms() if is_centre(atom)]
    return atoms, [bond.GetIdx() for group in groups for bond in group.GetBonds()]


def drop_false_stereo(mol: Chem.Mol) -> Chem.Mol:
    """Propene is C/C=C/[H] as much as C/C=C\\[H]: without the configuration that one of two hydrogens at a double bond was drawn with."""
    hydrogens = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 1 and atom.GetDegree() == 1]
    ends = [atom.GetNeighbors()[0] for atom in hydrogens]
    for bond in (bond for end in ends if end.GetTotalNumHs(includeNeighbors=True) > 1 for bond in end.GetBonds()):
        bond.SetStereo(Chem.BondStereo.STEREONONE)
        bond.SetBondDir(Chem.BondDir.NONE)
    return Chem.RemoveHs(mol)


def drop_stereo(mol: Chem.Mol, changes: set[Change]) -> Chem.Mol:
    """Without any stereo."""
    if any(map(is_centre, mol.GetAtoms())) or any(bond.GetStereo() > Chem.BondStereo.STEREOANY for bond in mol.GetBonds()):
        changes.add(Change.STEREO)
    Chem.RemoveStereochemistry(mol)
    return mol


def is_centre(atom: Chem.Atom) -> bool:
    """Whether an atom has a configuration."""
    return atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED
