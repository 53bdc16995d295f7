"""Molecules as pictures: one as SVG for a page, many as a grid in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rdkit.Chem import Mol, MolFromSmiles
from rdkit.Chem.Draw import rdMolDraw2D

PANEL = (260, 190)  # pixels of one molecule
COLUMNS = 5
MARK = (1.0, 0.87, 0.68)  # behind the atoms that are marked


def svg(smiles: str, size: tuple[int, int] = PANEL, pattern: Mol | None = None) -> str:
    """An SVG element of one molecule, atoms that match `pattern` marked; empty paper for what is no molecule."""
    drawer = with_style(rdMolDraw2D.MolDraw2DSVG(*size))
    draw_molecule(drawer, MolFromSmiles(smiles), pattern)
    drawer.FinishDrawing()
    text: str = drawer.GetDrawingText()
    return text[text.index("<svg") :]


def with_style(drawer: Any) -> Any:
    """A drawer with the look of all pictures here: bonds of one width, and small molecules not blown up."""
    options = drawer.drawOptions()
    options.fixedBondLength, options.bondLineWidth, options.padding = 26, 1.6, 0.06
    options.legendFontSize, options.clearBackground = 14, True
    options.setHighlightColour(MARK)
    return drawer


def draw_molecule(drawer: Any, mol: Mol | None, pattern: Mol | None) -> None:
    """One molecule on the paper of a drawer."""
    if mol is None or not mol.GetNumAtoms():
        return
    marked = [] if pattern is None else list(mol.GetSubstructMatch(pattern))
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol, highlightAtoms=marked)


def grid(smiles: Sequence[str], legends: Sequence[str] = (), columns: int = COLUMNS) -> bytes:
    """A PNG of molecules row by row, a legend under each; an empty place for what is no molecule."""
    drawer = drawn_grid(rdMolDraw2D.MolDraw2DCairo, smiles, legends, columns)
    data: bytes = drawer.GetDrawingText()
    return data


def grid_svg(smiles: Sequence[str], legends: Sequence[str] = (), columns: int = COLUMNS) -> bytes:
    """The same as SVG."""
    text: str = drawn_grid(rdMolDraw2D.MolDraw2DSVG, smiles, legends, columns).GetDrawingText()
    return text.encode()


def drawn_grid(kind: Any, smiles: Sequence[str], legends: Sequence[str], columns: int) -> Any:
    """A drawer with all molecules in their places."""
    columns = max(1, min(columns, len(smiles)))
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
    mol = MolFromSmiles(smiles)
    return Mol() if mol is None or not mol.GetNumAtoms() else rdMolDraw2D.PrepareMolForDrawing(mol)
