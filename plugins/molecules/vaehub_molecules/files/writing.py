"""Molecules to files, by the suffix."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path

import pandas as pd
from rdkit.Chem import MolFromSmiles, SDWriter
from rdkit.Chem.rdDepictor import Compute2DCoords

from vaehub import files
from vaehub_molecules.chem.canonical import DEFAULT_POLICY, canonical_or_empty
from vaehub_molecules.chem.drawing import grid, grid_svg
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.properties import property_table

WRITTEN_PROPERTIES = ("qed", "logp", "sa", "mw")  # properties beside each molecule
MAX_DRAWN = 100  # molecules in a picture at most


def write_molecules(texts: Sequence[str], path: Path, policy: Policy = DEFAULT_POLICY) -> None:
    """Write strings, as a model spells them, to .smi, .sdf, a table (.csv, .parquet …), each also .gz, or a picture (.png, .svg).

    Tables have all rows: `smiles` is canonical and empty where a row is no molecule, `text` what was spelt. The other formats have the
    molecules alone; the name of each is its row, counted from 1.

    Arguments:
        texts: strings, molecules or not.
        path: the file; its suffix says what is written.
        policy: which molecules are accepted.

    Raises:
        UsageError: for a suffix that nothing is written to.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_molecules(["OCC", "C1CC"], Path(folder, "new.smi"))
    ...     print(Path(folder, "new.smi").read_text().strip())
    CCO 1
    """
    files.check_output(path, known=(*FORMATS, *TABLES))
    frame = describe_strings(texts, policy)
    if files.matched_suffix(path, TABLES):
        return files.write_table(frame, path)
    suffix = files.suffix_of(path, tuple(FORMATS))
    content = FORMATS[suffix.removesuffix(".gz")](frame)
    files.atomic_write(path, gzip.compress(content, mtime=0) if suffix.endswith(".gz") else content)


def describe_strings(texts: Sequence[str], policy: Policy) -> pd.DataFrame:
    """row, smiles, text and properties of strings."""
    smiles = canonical_or_empty(texts, policy)
    real = sorted({text for text in smiles if text})
    values = property_table(real, WRITTEN_PROPERTIES).set_index(pd.Index(real, dtype=object)).reindex(smiles)
    rows = pd.DataFrame({"row": range(1, len(texts) + 1), "smiles": smiles, "text": list(texts)})
    return rows.join(values.reset_index(drop=True))


def smi_bytes(frame: pd.DataFrame) -> bytes:
    """SMILES and row, one molecule a line."""
    real = frame[frame.smiles != ""]
    return "".join(f"{smiles} {row}\n" for smiles, row in zip(real.smiles, real.row, strict=True)).encode()


def sdf_bytes(frame: pd.DataFrame) -> bytes:
    """Molecules with flat coordinates, all other columns as their properties."""
    out = StringIO()
    with SDWriter(out) as writer:
        for row in frame[frame.smiles != ""].to_dict("records"):
            mol = MolFromSmiles(row["smiles"])
            Compute2DCoords(mol)
            for name, value in row.items():
                mol.SetProp(str(name), str(value))
            writer.write(mol)
    return out.getvalue().encode()


def legends(frame: pd.DataFrame) -> list[str]:
    """What stands under each molecule of a picture."""
    return [
        f"{row.row}: QED {row.qed:.2f}, logP {row.logp:.1f}" if row.smiles else f"{row.row}: no molecule"
        for row in frame.itertuples()
    ]


def png_bytes(frame: pd.DataFrame) -> bytes:
    """A picture of the first molecules."""
    shown = frame.head(MAX_DRAWN)
    return grid(shown.smiles.tolist(), legends(shown))


def svg_bytes(frame: pd.DataFrame) -> bytes:
    """The same as SVG."""
    shown = frame.head(MAX_DRAWN)
    return grid_svg(shown.smiles.tolist(), legends(shown))


TABLES = tuple(suffix for suffix in files.SUFFIXES if suffix != ".txt")
FORMATS: Mapping[str, Callable[[pd.DataFrame], bytes]] = {
    ".smi": smi_bytes, ".smiles": smi_bytes, ".txt": smi_bytes, ".sdf": sdf_bytes, ".png": png_bytes, ".svg": svg_bytes,
}  # fmt: skip
