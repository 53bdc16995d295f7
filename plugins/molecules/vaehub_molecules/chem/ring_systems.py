"""Ring systems: what a grammar of SMILES cannot make true by itself, and what chemists look at first."""

from __future__ import annotations

from rdkit.Chem import Atom, BondType, Mol, MolFragmentToSmiles, MolFromSmiles


def ring_systems(mol: Mol) -> frozenset[str]:
    """The ring systems of a molecule: its rings, those that share an atom taken as one, with what is double-bonded to them.

    Where hydrogens and substituents stand makes no difference. The definition is near to that of "Ring systems in natural products" (Chen
    et al., 2022), doi:10.1039/D2NP00001F.

    Arguments:
        mol: a molecule.

    Returns:
        SMILES of each different ring system, without hydrogens; they tell systems apart, and need not be molecules themselves.

    >>> sorted(ring_systems(MolFromSmiles("Cn1ccc(=O)cc1CC1CC1")))
    ['C1CC1', 'O=c1ccncc1']
    """
    bonds = [bond for bond in mol.GetBonds() if bond.IsInRing()]
    if not bonds:
        return frozenset()
    bonds += [
        bond
        for bond in mol.GetBonds()
        if bond.GetBondType() == BondType.DOUBLE and hangs_on_a_ring(bond.GetBeginAtom(), bond.GetEndAtom())
    ]
    atoms = {index for bond in bonds for index in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())}
    text = MolFragmentToSmiles(
        mol,
        atomsToUse=list(atoms),
        bondsToUse=[bond.GetIdx() for bond in bonds],
        atomSymbols=[atom_symbol(atom) for atom in mol.GetAtoms()],
        isomericSmiles=False,
    )
    return frozenset(text.split("."))


def hangs_on_a_ring(a: Atom, b: Atom) -> bool:
    """Whether one of two bound atoms is in a ring and the other is not."""
    return a.IsInRing() != b.IsInRing()


def atom_symbol(atom: Atom) -> str:
    """Element, aromaticity and charge of an atom, without its hydrogens."""
    symbol, charge = atom.GetSymbol(), atom.GetFormalCharge()
    symbol = symbol.lower() if atom.GetIsAromatic() else symbol
    return f"[{symbol}{charge:+d}]" if charge else symbol


def ring_systems_of(smiles: str) -> frozenset[str]:
    """The ring systems of a SMILES string; none where RDKit cannot read it.

    >>> sorted(ring_systems_of("Cc1cc[nH]c1")), ring_systems_of("CCO")
    (['c1ccnc1'], frozenset())
    """
    mol = MolFromSmiles(smiles)
    return frozenset() if mol is None else ring_systems(mol)
