"""Molecules to files and pictures."""

from __future__ import annotations

import pandas as pd
import pytest
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub_molecules.chem.drawing import grid, grid_svg, svg
from vaehub_molecules.files.writing import write_molecules

TEXTS = ["OCC", "C1CC", "c1ccccc1C(=O)O"]
CANONICAL = ["CCO", "", "O=C(O)c1ccccc1"]


def test_lines_have_molecules_with_their_rows(tmp_path):
    write_molecules(TEXTS, tmp_path / "out.smi")
    assert (tmp_path / "out.smi").read_text() == "CCO 1\nO=C(O)c1ccccc1 3\n"


@pytest.mark.parametrize(
    ("suffix", "read"), [(".csv", pd.read_csv), (".tsv", lambda p: pd.read_csv(p, sep="\t")), (".parquet", pd.read_parquet)]
)
def test_tables_have_every_row(tmp_path, suffix, read):
    path = tmp_path / f"out{suffix}"
    write_molecules(TEXTS, path)
    frame = read(path)
    assert frame["smiles"].fillna("").tolist() == CANONICAL
    assert frame["text"].tolist() == TEXTS
    assert frame["mw"].round(1).fillna(0).tolist() == [46.1, 0, 122.1]


def test_structures_have_properties_and_rows(tmp_path):
    write_molecules(TEXTS, tmp_path / "out.sdf")
    found = list(Chem.SDMolSupplier(str(tmp_path / "out.sdf")))
    assert [Chem.MolToSmiles(mol) for mol in found] == ["CCO", "O=C(O)c1ccccc1"]
    assert found[1].GetProp("row") == found[1].GetProp("_Name") == "3"
    assert found[0].GetConformer().GetPositions().any()


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_pictures(tmp_path, suffix, start):
    write_molecules(TEXTS, tmp_path / f"out{suffix}")
    assert (tmp_path / f"out{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize("suffix", [".smi", ".SMI.gz", ".csv", ".csv.gz", ".parquet", ".feather", ".sdf", ".png"])
@pytest.mark.parametrize("texts", [[], ["("]], ids=["none", "invalid"])
def test_nothing_to_write_is_written(tmp_path, suffix, texts):
    write_molecules(texts, tmp_path / f"out{suffix}")
    assert (tmp_path / f"out{suffix}").exists()


def test_an_unknown_suffix_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"out\.sfd: no known suffix; give one of \.smi, .*\.sdf"):
        write_molecules(TEXTS, tmp_path / "out.sfd")
    assert not list(tmp_path.iterdir())


def test_a_drawing_is_one_element():
    drawing = svg("CCO")
    assert drawing.startswith("<svg")
    assert drawing.rstrip().endswith("</svg>")
    assert drawing.count("<svg") == 1
    assert svg("not a molecule").startswith("<svg")
    assert svg("not a molecule").count("path") < drawing.count("path")


def test_grids_grow_with_rows():
    one, two = (grid_svg(["CCO"] * n).decode() for n in (5, 6))
    assert "width='1300px' height='210px'" in one
    assert "width='1300px' height='420px'" in two
    assert grid(["CCO", ""], ["first"]) != grid(["CCO", ""], ["other"])
