"""Canonical SMILES that stays the same when it is read again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors, rdqueries

from vaehub import hints
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.prechecks import check_block, check_text
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.chem.reasons import Reason, Rejected

ROUNDS = 3
DEFAULT_POLICY = Policy()
SANITIZE_REASONS: dict[type[Exception], Reason] = {
    Chem.AtomValenceException: Reason.VALENCE,
    Chem.KekulizeException: Reason.AROMATIC,
    Chem.AtomKekulizeException: Reason.AROMATIC,
}


def canonical(text: str, policy: Policy = DEFAULT_POLICY) -> str:
    """Canonical SMILES of a molecule in the form that the policy asks for: MolToSmiles(MolFromSmiles(s)) until it changes nothing.

    Arguments:
        text: SMILES, blanks around it allowed.
        policy: which molecules are accepted, and in which form.

    Returns:
        SMILES that `canonical` gives back as it is.

    Raises:
        Rejected: with the reason; also where three rounds do not settle it.

    >>> canonical("OCC")
    'CCO'
    >>> canonical("C[C@H](N)C(=O)[O-]", Policy(stereo="drop", charges="neutralise"))
    'CC(N)C(=O)O'
    """
    silence_rdkit()
    text = text.strip()
    check_text(text, policy.max_length)
    return canonical_fixpoint(parse_by_policy(text, policy), text, policy)


def canonical_or_empty(texts: Sequence[str], policy: Policy = DEFAULT_POLICY) -> list[str]:
    """Canonical SMILES of each text, "" for what is no molecule; recent answers are remembered.

    >>> canonical_or_empty(["OCC", "C1CC"])
    ['CCO', '']
    """
    return [_canonical_or_empty(text, policy) for text in texts]


@lru_cache(1 << 16)
def _canonical_or_empty(text: str, policy: Policy) -> str:
    try:
        return canonical(text, policy)
    except Rejected:
        return ""


def canonical_of_block(block: str, policy: Policy = DEFAULT_POLICY) -> str:
    """The same for a mol block, V2000 or V3000."""
    silence_rdkit()
    check_block(block)
    mol = Chem.MolFromMolBlock(block)
    if mol is None:
        unsanitized = Chem.MolFromMolBlock(block, sanitize=False)
        raise Rejected(Reason.BLOCK) if unsanitized is None else sanitize_error(unsanitized)
    return canonical(canonical_text(mol), policy)


def canonical_fixpoint(mol: Chem.Mol, text: str, policy: Policy) -> str:
    """Canonical SMILES of a molecule at the fixpoint. `text` is what it was read from."""
    for _ in range(ROUNDS):
        smiles = canonical_text(mol)
        if smiles == text:
            return smiles
        mol, text = parse_by_policy(smiles, policy), smiles
    if canonical_text(mol) == text:
        return text
    raise Rejected(Reason.UNSTABLE, text)


def canonical_text(mol: Chem.Mol) -> str:
    """RDKit's canonical SMILES. Raises Rejected where it cannot write one."""
    try:
        return Chem.MolToSmiles(mol)
    except (RuntimeError, ValueError) as error:
        raise Rejected(Reason.SANITIZE, hints.reason(error)) from None


def parse(text: str) -> Chem.Mol:
    """The molecule of a SMILES string. Raises Rejected, by the fault that RDKit finds."""
    mol = Chem.MolFromSmiles(text)
    if mol is None:
        raise parse_error(text)
    return mol


def parse_error(text: str) -> Rejected:
    """What is wrong with a string that RDKit refused."""
    mol = Chem.MolFromSmiles(text, sanitize=False)
    if mol is None:
        return Rejected(Reason.SYNTAX)
    return sanitize_error(mol)


def sanitize_error(mol: Chem.Mol) -> Rejected:
    """What is wrong with a molecule that cannot be sanitised."""
    try:
        Chem.SanitizeMol(mol)
    except Chem.MolSanitizeException as error:
        return Rejected(SANITIZE_REASONS.get(type(error), Reason.SANITIZE), " ".join(str(error).split()))
    return Rejected(Reason.SANITIZE)


def parse_by_policy(text: str, policy: Policy) -> Chem.Mol:
    """The molecule of a string as the policy wants it. Raises Rejected where it must not be."""
    mol = parse(text)
    if "." in text:
        mol = FRAGMENTS[policy.salts](mol)
    if policy.stereo == "drop":
        Chem.RemoveStereochemistry(mol)
    mol = CHARGES[policy.charges](mol)
    check_atoms(mol, policy)
    return mol


def reject_fragments(mol: Chem.Mol) -> Chem.Mol:
    """Refuse what has several fragments; a dot alone does not make them, as in C1.C1."""
    if (fragments := len(Chem.GetMolFrags(mol))) > 1:
        raise Rejected(Reason.FRAGMENTS, str(fragments))
    return mol


def largest_fragment(mol: Chem.Mol) -> Chem.Mol:
    """The fragment with carbon that has most heavy atoms; ties go to the heavier one, then to the SMILES that sorts last."""
    fragments: tuple[Chem.Mol, ...] = Chem.GetMolFrags(mol, asMols=True)
    return max(fragments, key=fragment_rank)


def fragment_rank(mol: Chem.Mol) -> tuple[bool, int, float, str]:
    """What decides which fragment is the molecule and which the salt."""
    carbon = any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms())
    return carbon, mol.GetNumHeavyAtoms(), rdMolDescriptors.CalcExactMolWt(mol), Chem.MolToSmiles(mol)


def neutralise(mol: Chem.Mol) -> Chem.Mol:
    """Without the charges that protons can take away."""
    neutral: Chem.Mol = uncharger().uncharge(mol)
    return neutral


@cache
def uncharger() -> Any:
    """RDKit's, made once."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    return rdMolStandardize.Uncharger()


def reject_charge(mol: Chem.Mol) -> Chem.Mol:
    """Refuse a net charge; nitro groups and zwitterions have none."""
    if charge := Chem.GetFormalCharge(mol):
        raise Rejected(Reason.CHARGED, f"{charge:+d}")
    return mol


def as_it_is(mol: Chem.Mol) -> Chem.Mol:
    """The molecule as it is."""
    return mol


FRAGMENTS = {"keep": as_it_is, "largest": largest_fragment, "reject": reject_fragments}
CHARGES = {"keep": as_it_is, "neutralise": neutralise, "reject": reject_charge}


def check_atoms(mol: Chem.Mol, policy: Policy) -> None:
    """Raises Rejected for a size, an element or a kind of atom that is not allowed."""
    heavy = mol.GetNumHeavyAtoms()
    if heavy == 0:
        raise Rejected(Reason.SMALL)
    if heavy > policy.max_heavy:
        raise Rejected(Reason.LARGE, f"{heavy}, {policy.max_heavy} allowed")
    for at in mol.GetSubstructMatch(forbidden_atom_query()):
        raise atom_rejection(mol.GetAtomWithIdx(at))
    if policy.elements:
        check_elements(mol, policy.elements)


@cache
def forbidden_atom_query() -> Chem.Mol:
    """A query for an atom that no molecule here may have; it is much faster than a look at every atom."""
    atom = rdqueries.AtomNumEqualsQueryAtom(0)
    for other in (
        rdqueries.IsotopeGreaterQueryAtom(0),
        rdqueries.NumRadicalElectronsGreaterQueryAtom(0),
        rdqueries.HasPropQueryAtom("molAtomMapNumber"),
    ):
        atom.ExpandQuery(other, Chem.CompositeQueryType.COMPOSITE_OR)
    query = Chem.RWMol()
    query.AddAtom(atom)
    return Chem.Mol(query)


def atom_rejection(atom: Chem.Atom) -> Rejected:
    """What is odd about an atom."""
    if atom.GetAtomicNum() == 0:
        return Rejected(Reason.DUMMY)
    if atom.GetAtomMapNum():
        return Rejected(Reason.MAPPED, str(atom.GetAtomMapNum()))
    if atom.GetIsotope():
        return Rejected(Reason.ISOTOPE, f"{atom.GetIsotope()}{atom.GetSymbol()}")
    return Rejected(Reason.RADICAL, atom.GetSymbol())


def check_elements(mol: Chem.Mol, allowed: tuple[str, ...]) -> None:
    """Raises Rejected for an element that is not allowed."""
    for atom in mol.GetAtoms():
        if atom.GetSymbol() not in allowed:
            raise Rejected(Reason.ELEMENT, atom.GetSymbol())
