"""Molecules as pictures: one as SVG for a page, many as a grid in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rdkit.Chem import Mol, MolFromSmiles
from rdkit.Chem.Draw import rdMolDraw2D

from vaehub_molecules.chem.rdkit_log import silence_rdkit

PANEL = (260, 190)  # pixels of one molecule
COLUMNS = 5


def svg(smiles: str) -> str:
    """An SVG element of one molecule; empty paper for what is no molecule.

    >>> svg("CCO")[:4]
    '<svg'
    """
    drawer = with_style(rdMolDraw2D.MolDraw2DSVG(*PANEL))
    silence_rdkit()
    mol = MolFromSmiles(smiles)
    if mol is not None and mol.GetNumAtoms():
        rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol)
    drawer.FinishDrawing()
    text: str = drawer.GetDrawingText()
    return text[text.index("<svg") :]


def with_style(drawer: Any) -> Any:
    """A drawer with the look of all pictures here: bonds of one width, and small molecules not blown up."""
    options = drawer.drawOptions()
    options.fixedBondLength, options.bondLineWidth, options.padding = 26, 1.6, 0.06
    options.legendFontSize, options.clearBackground = 14, True
    return drawer


def grid(smiles: Sequence[str], legends: Sequence[str] = ()) -> bytes:
    """A PNG of molecules row by row, a legend under each; an empty place for what is no molecule."""
    drawer = drawn_grid(rdMolDraw2D.MolDraw2DCairo, smiles, legends)
    data: bytes = drawer.GetDrawingText()
    return data


def grid_svg(smiles: Sequence[str], legends: Sequence[str] = ()) -> bytes:
    """The same as SVG."""
    text: str = drawn_grid(rdMolDraw2D.MolDraw2DSVG, smiles, legends).GetDrawingText()
    return text.encode()


def drawn_grid(kind: Any, smiles: Sequence[str], legends: Sequence[str]) -> Any:
    """A drawer with all molecules in their places."""
    columns = max(1, min(COLUMNS, len(smiles)))
    lines = max(1, -(-len(smiles) // columns))
    drawer = with_style(kind(PANEL[0] * columns, (PANEL[1] + 20) * lines, PANEL[0], PANEL[1] + 20))
    mols = [prepared_molecule(text) for text in smiles]
    drawer.drawOptions().prepareMolsBeforeDrawing = False
    if mols:
        drawer.DrawMolecules(mols, legends=[*legends, *[""] * (len(mols) - len(legends))])
    drawer.FinishDrawing()
    return drawer


def prepared_molecule(smiles: str) -> Mol:
    """A molecule ready to be drawn; one without atoms for what is none."""
    silence_rdkit()
    mol = MolFromSmiles(smiles)
    return Mol() if mol is None or not mol.GetNumAtoms() else rdMolDraw2D.PrepareMolForDrawing(mol)
