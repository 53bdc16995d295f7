"""CXSMILES: SMILES followed by an extension between bars, such as C[C@H](N)C(=O)O |&1:1|."""

from __future__ import annotations

import re

from rdkit import Chem

from vaehub import hints
from vaehub_molecules.chem.reasons import Reason, Rejected

EXTENDED = re.compile(r"(\S+)\s+(\|[ -{}~]*\|)")
MAX_EXTENSION = 20_000  # characters; the coordinates of an atom have about twenty
REPEATING = ("SRU", "MER", "MON", "COP", "CRO", "MOD", "GRA", "ANY")  # kinds of S groups that stand for more than is drawn


def split_extension(text: str) -> tuple[str, str]:
    """SMILES and its extension, "" where it has none.

    >>> split_extension("C[C@H](N)C(=O)O |&1:1|")
    ('C[C@H](N)C(=O)O', '|&1:1|')
    >>> split_extension("CCO")
    ('CCO', '')
    """
    match = EXTENDED.fullmatch(text)
    return (match[1], match[2]) if match else (text, "")


def parse_extended(smiles: str, extension: str) -> Chem.Mol | None:
    """The molecule with its stereo groups; None where the SMILES is none. Raises Rejected for an extension that cannot be read."""
    if len(extension) > MAX_EXTENSION:
        raise Rejected(Reason.LONG, f"an extension of {len(extension):,} characters, {MAX_EXTENSION:,} allowed")
    mol = Chem.MolFromSmiles(f"{smiles} {extension}")
    if mol is None and Chem.MolFromSmiles(smiles) is not None:
        raise Rejected(Reason.EXTENSION, hints.quoted(extension))
    return mol


def check_one_structure(mol: Chem.Mol) -> None:
    """Raises Rejected where a drawing stands for many molecules: polymers, link nodes, bonds to one of several atoms, lists of atoms."""
    if any(group.GetProp("TYPE") in REPEATING for group in Chem.GetMolSubstanceGroups(mol)) or mol.HasProp("_molLinkNodes"):
        raise Rejected(Reason.REPEATED)
    if any(bond.HasProp("_MolFileBondEndPts") for bond in mol.GetBonds()):
        raise Rejected(Reason.VARIABLE)
    if any(atom.HasQuery() and atom.GetAtomicNum() for atom in mol.GetAtoms()) or any(bond.HasQuery() for bond in mol.GetBonds()):
        raise Rejected(Reason.QUERY)
