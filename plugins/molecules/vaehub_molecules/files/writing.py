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


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write molecules with what else is known of them: lines of SMILES and name to .smi, structures to .sdf, each also .gz, or a table.

    Arguments:
        frame: canonical molecules in the column `smiles`; a column `name` has their names, which are titles in .sdf.
        path: the file; its suffix says what is written.

    Raises:
        UsageError: for a suffix that nothing is written to.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_frame(pd.DataFrame({"smiles": ["CCO"], "name": ["ethanol"]}), Path(folder, "some.smi"))
    ...     print(Path(folder, "some.smi").read_text().strip())
    CCO ethanol
    """
    suffix = files.matched_suffix(path, tuple(STRUCTURES))
    if suffix is None:
        return files.write_table(frame, path)
    content = STRUCTURES[suffix.removesuffix(".gz")](frame)
    files.atomic_write(path, gzip.compress(content, mtime=0) if suffix.endswith(".gz") else content)


def describe_strings(texts: Sequence[str], policy: Policy) -> pd.DataFrame:
    """row, smiles, text and properties of strings."""
    smiles = canonical_or_empty(texts, policy)
    real = sorted({text for text in smiles if text})
    values = property_table(real, WRITTEN_PROPERTIES).set_index(pd.Index(real, dtype=object)).reindex(smiles)
    rows = pd.DataFrame({"row": range(1, len(texts) + 1), "smiles": smiles, "text": list(texts)})
    return rows.join(values.reset_index(drop=True))


def names_of(frame: pd.DataFrame) -> list[str]:
    """What each molecule is called: its name, else its row or its call, else nothing; on one line."""
    column = next((column for column in ("name", "row", "call") if column in frame), None)
    names = [""] * len(frame) if column is None else ["" if pd.isna(name) else str(name) for name in frame[column]]
    return [" ".join(name.split()) for name in names]


def smi_bytes(frame: pd.DataFrame) -> bytes:
    """SMILES and name, one molecule a line."""
    lines = (f"{smiles} {name}".rstrip() for smiles, name in zip(frame.smiles, names_of(frame), strict=True) if smiles)
    return "".join(f"{line}\n" for line in lines).encode()


def sdf_bytes(frame: pd.DataFrame) -> bytes:
    """Molecules with flat coordinates, their names as titles and all other columns as their properties."""
    out = StringIO()
    properties = frame.drop(columns="name", errors="ignore").to_dict("records")
    with SDWriter(out) as writer:
        for name, row in zip(names_of(frame), properties, strict=True):
            if row["smiles"]:
                mol = MolFromSmiles(row["smiles"])
                Compute2DCoords(mol)
                mol.SetProp("_Name", name)
                for column, value in row.items():
                    mol.SetProp(str(column), str(value))
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


STRUCTURES: Mapping[str, Callable[[pd.DataFrame], bytes]] = {".smi": smi_bytes, ".smiles": smi_bytes, ".sdf": sdf_bytes}
TABLES = tuple(suffix for suffix in files.SUFFIXES if suffix != ".txt")
FORMATS: Mapping[str, Callable[[pd.DataFrame], bytes]] = {
    **STRUCTURES, ".txt": smi_bytes, ".png": png_bytes, ".svg": svg_bytes,
}  # fmt: skip
