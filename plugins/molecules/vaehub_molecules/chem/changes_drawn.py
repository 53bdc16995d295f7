"""A molecule drawn beside another: in the same orientation, with what differs marked."""

from __future__ import annotations

from rdkit.Chem import Mol, MolFromSmarts, MolFromSmiles, rdFMCS
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Chem.rdDepictor import Compute2DCoords, GenerateDepictionMatching2DStructure

from vaehub_molecules.chem.drawing import PANEL, svg, with_style

MARK = (1.0, 0.82, 0.55)  # colour of what differs
SECONDS = 1  # for the largest common part of two molecules


def changed_svg(smiles: str, reference: str) -> str:
    """An SVG element of a molecule whose atoms and bonds that the reference does not have are marked; the whole where little is shared.

    >>> changed_svg("CCc1ccccc1", "Cc1ccccc1")[:4], changed_svg("CCO", "")[:4]
    ('<svg', '<svg')
    """
    mol, other = MolFromSmiles(smiles), MolFromSmiles(reference) if reference else None
    if mol is None or other is None or not other.GetNumAtoms():
        return svg(smiles)
    shared = common_part(mol, other)
    if shared is None:
        return svg(smiles)
    Compute2DCoords(other)
    GenerateDepictionMatching2DStructure(mol, other, refPatt=shared, acceptFailure=True)
    atoms, bonds = changed_parts(mol, shared)
    drawer = with_style(rdMolDraw2D.MolDraw2DSVG(*PANEL))
    options = drawer.drawOptions()
    options.setHighlightColour(MARK)
    options.highlightBondWidthMultiplier = 10
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol, highlightAtoms=atoms, highlightBonds=bonds)
    drawer.FinishDrawing()
    text: str = drawer.GetDrawingText()
    return text[text.index("<svg") :]


def common_part(mol: Mol, other: Mol) -> Mol | None:
    """The largest part that two molecules share, rings being whole; None where that is less than a third of the first."""
    found = rdFMCS.FindMCS([mol, other], timeout=SECONDS, ringMatchesRingOnly=True, completeRingsOnly=True)
    return MolFromSmarts(found.smartsString) if 3 * found.numAtoms >= mol.GetNumAtoms() else None


def changed_parts(mol: Mol, shared: Mol) -> tuple[list[int], list[int]]:
    """The atoms and bonds of a molecule that are not in the part.

    >>> changed_parts(MolFromSmiles("CCc1ccccc1"), MolFromSmarts("Cc1ccccc1"))
    ([0], [0])
    """
    match = mol.GetSubstructMatch(shared)
    kept = {
        mol.GetBondBetweenAtoms(match[bond.GetBeginAtomIdx()], match[bond.GetEndAtomIdx()]).GetIdx() for bond in shared.GetBonds()
    }
    atoms = sorted(set(range(mol.GetNumAtoms())) - set(match))
    return atoms, [bond.GetIdx() for bond in mol.GetBonds() if bond.GetIdx() not in kept]
