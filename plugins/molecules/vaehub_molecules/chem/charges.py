"""Charges of a molecule, and bonds that are none."""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit import Chem

from vaehub_molecules.chem.changes import Change
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected


def disconnect_metals(mol: Chem.Mol, changes: set[Change]) -> Chem.Mol:
    """Single bonds of alkali and alkaline earth metals to N, O, S and halogens as ions, as in CC(=O)O[Na]; other metals keep theirs."""
    bonds = mol.GetSubstructMatches(ionic_bond())
    if not bonds:
        return mol
    ions = Chem.RWMol(mol)
    for metal, partner in bonds:
        ions.RemoveBond(metal, partner)
        for at, charge in ((metal, 1), (partner, -1)):
            atom = ions.GetAtomWithIdx(at)
            atom.SetFormalCharge(atom.GetFormalCharge() + charge)
    changes.add(Change.METAL)
    return as_read(ions)


@cache
def ionic_bond() -> Chem.Mol:
    """A bond that is drawn but ionic: (metal, partner)."""
    pattern: Chem.Mol = Chem.MolFromSmarts("[Li,Na,K,Rb,Cs,Mg,Ca,Sr,Ba]-[#7,#8,#16,F,Cl,Br,I]")
    return pattern


def as_read(mol: Chem.Mol) -> Chem.Mol:
    """A molecule after atoms were changed. Raises Rejected where it is none any more."""
    try:
        Chem.SanitizeMol(mol)
    except Chem.MolSanitizeException as error:
        raise Rejected(Reason.SANITIZE, " ".join(str(error).split())) from None
    return Chem.Mol(mol)


def settle_charges(mol: Chem.Mol, policy: Policy, changes: set[Change]) -> Chem.Mol:
    """Charges as the policy wants them. Raises Rejected for a net charge where it wants none; nitro groups and zwitterions have none."""
    if policy.charges == "reject" and (charge := Chem.GetFormalCharge(mol)):
        raise Rejected(Reason.CHARGED, f"{charge:+d}")
    if policy.charges != "neutralise":
        return mol
    neutral: Chem.Mol = uncharger().uncharge(mol)
    if charges_of(neutral) != charges_of(mol):
        changes.add(Change.CHARGE)
    return neutral


def charges_of(mol: Chem.Mol) -> list[int]:
    """The charge of each atom."""
    return [atom.GetFormalCharge() for atom in mol.GetAtoms()]


@cache
def uncharger() -> Any:
    """RDKit's, which takes the charges away that protons can; made once."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    return rdMolStandardize.Uncharger()
