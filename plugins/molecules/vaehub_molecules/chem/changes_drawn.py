"""A molecule drawn beside another: in the same orientation, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping

from rdkit.Chem import Mol, MolFromSmarts, MolFromSmiles, rdFMCS
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Chem.rdDepictor import Compute2DCoords, GenerateDepictionMatching2DStructure

from vaehub_molecules.chem.drawing import PANEL, svg, with_style

MARK = (1.0, 0.82, 0.55)  # colour of what differs
SECONDS = 3  # on the clock, for the largest common part of two molecules


def changed_svg(smiles: str, references: Mapping[str, str]) -> tuple[str, str]:
    """An SVG element of a molecule in which that is marked which a reference does not have, and which reference that is.

    Arguments:
        smiles: the molecule.
        references: molecules by what they are called; the first is taken that shares a third of the molecule's atoms, and none if none does.

    >>> drawn, name = changed_svg("CCc1ccccc1", {"the lead": "CCO", "its parent": "Cc1ccccc1"})
    >>> drawn[:4], name
    ('<svg', 'its parent')
    """
    mol = MolFromSmiles(smiles)
    for name, text in references.items():
        other = MolFromSmiles(text)
        if text != smiles and other is not None and (shared := common_part(mol, other)) is not None:
            return marked_svg(mol, other, shared), name
    return svg(smiles), ""


def marked_svg(mol: Mol, other: Mol, shared: Mol) -> str:
    """A molecule laid out as another is, with all marked that is not in the part that they share."""
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
