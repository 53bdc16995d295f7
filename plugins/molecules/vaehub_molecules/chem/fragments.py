"""Which fragment of a salt is the molecule: first those go that are no drug, then the largest is taken of what remains."""

from __future__ import annotations

from functools import cache

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from vaehub_molecules.chem.changes import Change
from vaehub_molecules.chem.charges import uncharger
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.data import salts_path


def choose_fragments(mol: Chem.Mol, policy: Policy, changes: set[Change]) -> Chem.Mol:
    """What the policy keeps of several fragments. Raises Rejected where it refuses them; a dot alone does not make them, as in C1.C1."""
    fragments: tuple[Chem.Mol, ...] = Chem.GetMolFrags(mol, asMols=True)
    if len(fragments) == 1 or policy.salts == "keep":
        return mol
    if policy.salts == "reject":
        raise Rejected(Reason.FRAGMENTS, str(len(fragments)))
    return parent_fragment(fragments, policy, changes)


def parent_fragment(fragments: tuple[Chem.Mol, ...], policy: Policy, changes: set[Change]) -> Chem.Mol:
    """The largest fragment that is no counter-ion and no solvent; of these alone, the largest of them."""
    drugs = tuple(fragment for fragment in fragments if not is_salt_former(fragment))
    if len(drugs) < len(fragments):
        changes.add(Change.SALT)
    if len(drugs) > 1:
        changes.add(Change.MIXTURE)
    candidates = drugs or fragments
    parent = max(candidates, key=fragment_rank)
    same = [other for other in candidates if parent_text(other) == parent_text(parent)]
    if len(set(map(Chem.MolToSmiles, same))) > 1:  # both enantiomers, drawn side by side, are a racemate
        parent = shared_stereo(parent, same)
        changes.add(Change.MIRRORED)
    if policy.charges == "keep" and Chem.GetFormalCharge(parent):
        changes.add(Change.ION)
    return parent


def shared_stereo(parent: Chem.Mol, isomers: list[Chem.Mol]) -> Chem.Mol:
    """A fragment without its centres, and without its double bonds' stereo unless all of the isomers have that."""
    flat = without_centres(parent)
    if len({Chem.MolToSmiles(without_centres(isomer)) for isomer in isomers}) > 1:
        Chem.RemoveStereochemistry(flat)
    return flat


def without_centres(mol: Chem.Mol) -> Chem.Mol:
    """A copy whose atoms have no configuration."""
    flat = Chem.Mol(mol)
    for atom in flat.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return flat


def is_salt_former(fragment: Chem.Mol) -> bool:
    """Whether a fragment is a counter-ion or a solvent: it has no carbon, or is on the list."""
    return not has_carbon(fragment) or parent_text(fragment) in salt_formers()


def has_carbon(mol: Chem.Mol) -> bool:
    """Whether there is a carbon atom."""
    return any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms())


@cache
def salt_formers() -> frozenset[str]:
    """The list, as `parent_text` writes it."""
    lines = salts_path().read_text(encoding="ascii").splitlines()
    return frozenset(parent_text(Chem.MolFromSmiles(line.split()[0])) for line in lines)


def parent_text(mol: Chem.Mol) -> str:
    """SMILES without charge, stereo and isotopes."""
    return Chem.MolToSmiles(uncharger().uncharge(mol), isomericSmiles=False)


def fragment_rank(mol: Chem.Mol) -> tuple[bool, int, float, str]:
    """What decides which fragment is the largest: carbon, heavy atoms, then the weight, then the SMILES that sorts last."""
    return has_carbon(mol), mol.GetNumHeavyAtoms(), rdMolDescriptors.CalcExactMolWt(mol), Chem.MolToSmiles(mol)
