"""Groups that chemists look for in a molecule, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rdkit.Chem import Mol, MolFromSmarts

GROUPS: Mapping[str, str] = {
    "acid": "[CX3](=O)[OX2H,OX1-]",
    "alcohol": "[CX4][OX2H]",
    "aldehyde or ketone": "[CX3;!$(C[N,O,S])]=O",
    "alkene": "[CX3]=[CX3]",
    "alkyne": "[CX2]#[CX2]",
    "amide": "[CX3](=O)[NX3;!$(N([CX3]=O)[CX3]=O)]",
    "amine, primary": "[NX3H2,NX4H3;!$(N-[C,S,P]=[O,N,S])]",
    "amine, secondary": "[NX3H1,NX4H2;!$(N-[C,S,P]=[O,N,S]);!$([n]);$(N([#6])[#6])]",
    "amine, tertiary": "[NX3H0,NX4H1;!$(N-[C,S,P]=[O,N,S]);!$(N=*);!$([n]);$(N([#6])([#6])[#6])]",
    "aniline": "c[NX3;!$(N-[C,S,P]=O);!$([N+])]",
    "benzene ring": "c1ccccc1",
    "bromine or iodine": "[Br,I]",
    "carbamate": "[NX3][CX3](=O)[OX2]",
    "chlorine": "Cl",
    "ester": "[CX3](=O)[OX2H0][#6]",
    "ether": "[OX2;!$(O[C,S,P]=O);!$(O[N,O])]([#6])[#6]",
    "fluorine": "F",
    "fused rings": "[R2]",
    "hetero ring, aromatic": "[n,o,s]",
    "hetero ring, saturated": "[N,O,S;R;!$([*]=*)]",
    "imide": "[CX3](=O)[NX3][CX3]=O",
    "Michael acceptor": "[CX3H1,CX3H2]=[CX3][CX3]=O",
    "nitrile": "[CX2]#[NX1]",
    "nitro": "[N+](=O)[O-]",
    "phenol": "c[OX2H]",
    "pyridine ring": "n1ccccc1",
    "sulfonamide": "[SX4](=O)(=O)[NX3]",
    "sulfone": "[#6][SX4](=O)(=O)[#6]",
    "thiol or thioether": "[SX2;!$([s])]",
    "trifluoromethyl": "C(F)(F)F",
    "urea": "[NX3][CX3](=O)[NX3]",
}


def groups_of(mol: Mol) -> list[str]:
    """The names of the groups that a molecule has.

    >>> from rdkit.Chem import MolFromSmiles
    >>> groups_of(MolFromSmiles("CC(=O)Nc1ccc(O)cc1"))
    ['amide', 'benzene ring', 'phenol']
    """
    return [name for name, query in queries().items() if mol.HasSubstructMatch(query)]


@cache
def queries() -> dict[str, Any]:
    """The patterns, once a process."""
    return {name: MolFromSmarts(smarts) for name, smarts in GROUPS.items()}
