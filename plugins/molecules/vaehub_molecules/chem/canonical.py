"""Canonical SMILES that stays the same when it is read again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from rdkit import Chem
from rdkit.Chem import rdqueries

from vaehub import hints
from vaehub_molecules.chem.changes import Change, Standardised, in_order
from vaehub_molecules.chem.charges import disconnect_metals, settle_charges
from vaehub_molecules.chem.cxsmiles import check_one_structure, parse_extended, split_extension
from vaehub_molecules.chem.fragments import choose_fragments
from vaehub_molecules.chem.isomers import canonical_tautomer, drop_isotopes
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.prechecks import check_block, check_text
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.chem.stereo import drop_false_stereo, drop_mirrored_stereo, drop_stereo

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
        text: SMILES or CXSMILES, blanks around it allowed.
        policy: which molecules are accepted, and in which form.

    Returns:
        SMILES that `canonical` gives back as it is.

    Raises:
        Rejected: with the reason; also where three rounds do not settle it.

    >>> canonical("OCC")
    'CCO'
    >>> canonical("C[C@H](N)C(=O)[O-]", Policy(stereo="drop", charges="neutralise"))
    'CC(N)C(=O)O'
    >>> canonical("C[C@H](N)C(=O)O |&1:1|")  # the racemate
    'CC(N)C(=O)O'
    """
    return standardise(text, policy).smiles


def standardise(text: str, policy: Policy = DEFAULT_POLICY) -> Standardised:
    """Canonical SMILES, and what was changed for it. Raises Rejected as `canonical` does.

    >>> smiles, changes = standardise("OCCN.Cl.CC1CCCCC1")
    >>> smiles, list(map(str, changes))
    ('CC1CCCCC1', ['salts or solvents taken away'])
    """
    silence_rdkit()
    text = text.strip()
    smiles, extension = split_extension(text)
    check_text(smiles, policy.max_length)
    changes: set[Change] = set()
    mol = by_policy(parse(smiles, extension, changes), smiles, policy, changes)
    smiles = canonical_fixpoint(mol, text, policy, changes)
    return Standardised(smiles, in_order(changes))


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
    return standardise_block(block, policy).smiles


def standardise_block(block: str, policy: Policy = DEFAULT_POLICY) -> Standardised:
    """Canonical SMILES of a mol block, and what was changed for it. Raises Rejected as `canonical` does."""
    silence_rdkit()
    check_block(block)
    mol = Chem.MolFromMolBlock(block)
    if mol is None:
        unsanitized = Chem.MolFromMolBlock(block, sanitize=False)
        raise Rejected(Reason.BLOCK) if unsanitized is None else sanitize_error(unsanitized)
    check_one_structure(mol)
    mirrored: set[Change] = set()
    smiles, changes = standardise(canonical_text(drop_mirrored_stereo(mol, "", mirrored)), policy)
    return Standardised(smiles, in_order(mirrored.union(changes)))


def canonical_fixpoint(mol: Chem.Mol, text: str, policy: Policy, changes: set[Change]) -> str:
    """Canonical SMILES of a molecule at the fixpoint. `text` is what it was read from."""
    for _ in range(ROUNDS):
        smiles = canonical_text(mol)
        if smiles == text:
            return smiles
        mol, text = by_policy(parse(smiles, "", changes), smiles, policy, changes), smiles
    if canonical_text(mol) == text:
        return text
    raise Rejected(Reason.UNSTABLE, text)


def canonical_text(mol: Chem.Mol) -> str:
    """RDKit's canonical SMILES. Raises Rejected where it cannot write one."""
    try:
        return Chem.MolToSmiles(mol)
    except (RuntimeError, ValueError) as error:
        raise Rejected(Reason.SANITIZE, hints.reason(error)) from None


def parse(smiles: str, extension: str, changes: set[Change]) -> Chem.Mol:
    """The molecule of a SMILES string. Raises Rejected, by the fault that RDKit finds."""
    mol = parse_extended(smiles, extension) if extension else Chem.MolFromSmiles(smiles)
    if mol is None:
        raise parse_error(smiles)
    if not extension:
        return mol
    check_one_structure(mol)
    return drop_mirrored_stereo(mol, extension, changes)


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


def by_policy(mol: Chem.Mol, text: str, policy: Policy, changes: set[Change]) -> Chem.Mol:
    """A molecule as the policy wants it; `text` is its SMILES. Raises Rejected where it must not be."""
    if "[H]" in text:
        mol = drop_false_stereo(mol)
    if policy.metals == "disconnect" and "[" in text:
        mol = disconnect_metals(mol, changes)
    if "." in text or Change.METAL in changes:
        mol = choose_fragments(mol, policy, changes)
    if policy.isotopes == "drop" and "[" in text:
        mol = drop_isotopes(mol, changes)
    if policy.stereo == "drop":
        mol = drop_stereo(mol, changes)
    mol = settle_charges(mol, policy, changes)
    if policy.tautomers == "canonical":
        mol = canonical_tautomer(mol, changes)
    check_atoms(mol, policy)
    return mol


def check_atoms(mol: Chem.Mol, policy: Policy) -> None:
    """Raises Rejected for a size, an element or a kind of atom that is not allowed."""
    heavy = mol.GetNumHeavyAtoms()
    if heavy == 0:
        raise Rejected(Reason.SMALL)
    if heavy > policy.max_heavy:
        raise Rejected(Reason.LARGE, f"{heavy}, {policy.max_heavy} allowed")
    for at in mol.GetSubstructMatch(forbidden_atom_query(policy.isotopes == "keep")):
        raise atom_rejection(mol.GetAtomWithIdx(at))
    if policy.elements:
        check_elements(mol, policy.elements)


@cache
def forbidden_atom_query(isotopes: bool) -> Chem.Mol:
    """A query for an atom that no molecule here may have, isotopes or not; it is much faster than a look at every atom."""
    atom = rdqueries.AtomNumEqualsQueryAtom(0)
    for other in (
        *([] if isotopes else [rdqueries.IsotopeGreaterQueryAtom(0)]),
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
