"""One form for what chemists call the same compound: isotope labels and tautomers."""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit import Chem

from vaehub_molecules.chem.changes import Change


def drop_isotopes(mol: Chem.Mol, changes: set[Change]) -> Chem.Mol:
    """Without isotope labels; hydrogen that had one is written like any other."""
    labelled = [atom for atom in mol.GetAtoms() if atom.GetIsotope()]
    if not labelled:
        return mol
    for atom in labelled:
        atom.SetIsotope(0)
    changes.add(Change.ISOTOPE)
    return Chem.RemoveHs(mol)


def canonical_tautomer(mol: Chem.Mol, changes: set[Change]) -> Chem.Mol:
    """RDKit's canonical tautomer; centres and double bonds that it has keep their configuration."""
    tautomer: Chem.Mol = tautomer_enumerator().Canonicalize(mol)
    if Chem.MolToSmiles(tautomer) == Chem.MolToSmiles(mol):
        return mol
    changes.add(Change.TAUTOMER)
    return tautomer


@cache
def tautomer_enumerator() -> Any:
    """RDKit's, made once. By default it would drop the configuration of every amino acid."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetRemoveSp3Stereo(False)
    enumerator.SetRemoveBondStereo(False)
    return enumerator
