"""Molecules from files of every kind, and the report of what was read."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem

from vaehub.errors import UsageError
from vaehub.files.tables import write_table
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.data import sample_path
from vaehub_molecules.files import read_molecules, read_strings
from vaehub_molecules.search.pool import read_leads, read_pool


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        raw = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write


def written(suffix, text, name):
    """A file of one molecule, drawn with its stereo groups where the format has them."""
    if suffix == ".sdf":
        mol = Chem.MolFromSmiles(text)
        mol.SetProp("_Name", name)
        return Chem.MolToV3KMolBlock(mol) + "$$$$\n"
    return f"{text} {name}\n" if suffix == ".smi" else f"smiles,name\n{text},{name}\n"


def rows(path, **options):
    return read_molecules(path, **options).frame.to_dict("list")


@pytest.mark.parametrize("name", ["a.smi", "a.smiles", "a.txt", "A.SMI", "a.smi.gz"])
def test_lines_of_smiles(write, name):
    assert rows(write(name, "OCC ethanol\n\nCO methanol 2\r\n")) == {"smiles": ["CCO", "CO"], "name": ["ethanol", "methanol 2"]}


@pytest.mark.parametrize("header", ["smiles", "SMILES Name", "canonical_smiles\tID"])
def test_headers_are_told_from_molecules(write, header):
    assert rows(write("a.smi", f"{header}\nOCC\nCO\n")) == {"smiles": ["CCO", "CO"]}


def test_no_header_and_no_name(write):
    assert rows(write("a.smi", "\ufeffOCC\nCO")) == {"smiles": ["CCO", "CO"]}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_keep_their_columns(write, name, separator):
    lines = ["id,Canonical SMILES,logp,note", "007,OCC,1.5,", '012,CO,,"a ""b"""']
    found = read_molecules(write(name, "\n".join(lines).replace(",", separator)))
    assert list(found.frame) == ["smiles", "id", "logp", "note"]
    assert found.frame["id"].tolist() == ["007", "012"]
    assert found.frame["logp"].iloc[0] == 1.5
    assert pd.isna(found.frame["logp"].iloc[1])
    assert found.frame["note"].tolist() == ["", 'a "b"']


def test_parquet(tmp_path):
    frame = pd.DataFrame({"mol": ["OCC", None, "CO"], "y": [1.0, 2.0, 3.0], "smiles_": ["", "", ""]})
    frame.to_parquet(tmp_path / "a.parquet")
    found = read_molecules(tmp_path / "a.parquet", column="mol")
    assert found.frame["smiles"].tolist() == ["CCO", "CO"]
    assert found.frame["y"].tolist() == [1.0, 3.0]
    assert [(line.number, line.reason) for line in found.rejected] == [(2, "no molecule here")]


def test_sdf(tmp_path):
    path = tmp_path / "a.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for smiles, name, value in (("C[C@H](N)C(=O)O", "ala", "1.5"), ("CO", "", "2")):
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("_Name", name)
            mol.SetProp("activity", value)
            writer.write(mol)
    path.write_text(path.read_text() + "broken\n\n\nnot a count line\nM  END\n$$$$\n")
    found = read_molecules(path)
    assert found.frame.to_dict("list") == {"smiles": ["C[C@H](N)C(=O)O", "CO"], "name": ["ala", ""], "activity": [1.5, 2.0]}
    assert [(line.number, line.reason) for line in found.rejected] == [(3, "an SDF record that RDKit cannot read")]


def test_rejected_lines_have_number_text_and_reason(write, tmp_path):
    found = read_molecules(write("a.smi", "CO\nxx x\n\nOC\n[2H]C\nCCO"))
    assert found.frame["smiles"].tolist() == ["CO", "CCO"]
    assert found.duplicates == 1
    assert [(line.number, line.text, line.reason) for line in found.rejected] == [
        (2, "xx", "not SMILES"),
        (5, "[2H]C", "an isotope (2H)"),
    ]
    found.write_rejected(tmp_path / "rejected.csv")
    with (tmp_path / "rejected.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["number", "text", "reason"],
            ["2", "xx", "not SMILES"],
            ["5", "[2H]C", "an isotope (2H)"],
        ]
    assert found.lines() == [
        f"{found.path}: 5 read, 2 kept, 1 duplicates merged, 2 rejected",
        "  1 rejected: not SMILES",
        "  1 rejected: an isotope",
    ]


def test_rows_that_do_not_fit_the_header_are_rejected(write):
    found = read_molecules(write("a.csv", "smiles,y\nCO,1\nCCO\nC,2,3\n\nCC,4\n"))
    assert found.frame.to_dict("list") == {"smiles": ["CO", "CC"], "y": [1, 4]}
    assert [(line.number, line.rejected.detail) for line in found.rejected] == [
        (3, "1, the header has 2"),
        (4, "3, the header has 2"),
    ]


def test_the_first_of_duplicates_is_kept(write):
    found = read_molecules(write("a.csv", "smiles,y\nOCC,1\nCCO,2\n"))
    assert (found.frame.to_dict("list"), found.duplicates, found.read) == ({"smiles": ["CCO"], "y": [1]}, 1, 2)


def test_the_policy_counts(write):
    path = write("a.smi", "C[C@H](N)C(=O)O.Cl\nC[Si](C)(C)C\n")
    found = read_molecules(path, Policy(stereo="drop", elements=("C", "N", "O")))
    assert found.frame["smiles"].tolist() == ["CC(N)C(=O)O"]
    assert found.rejected[0].reason == "an element that is not allowed (Si)"


def test_a_share_of_bad_lines(write):
    found = read_molecules(write("a.smi", "CO\nCC\nC\nxx\n"))
    found.check(0.25)
    with pytest.raises(
        UsageError, match=r"1 of 4 rejected \(25.0%\), more than max_bad=0.2 allows: 1 not SMILES; the first is number 4: 'xx'"
    ):
        found.check(0.2)


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.smi", "", {}, "no molecule in it, the file is empty"),
        ("a.smi", "SMILES\n\n", {}, "no molecule in it, the file is empty"),
        ("a.csv", "", {}, "no molecule in it, the file is empty"),
        ("a.csv", "smiles,y\n", {}, "no molecule in it, the file is empty"),
        ("a.sdf", "\n\n", {}, "no molecule in it, the file is empty"),
        ("a.smi", "xx\nyy\n", {}, "none of 2 is accepted: 2 not SMILES; the first is number 1: 'xx', not SMILES"),
        ("a.csv", "a,b\nCO,1\n", {}, r"no column looks like SMILES \(columns: 'a', 'b'\); name it with column=…"),
        (
            "a.csv",
            "CCO,1.0\nCCN,2.0\n",
            {},
            r"no column looks like SMILES \(columns: 'CCO', '1.0'\); put a line of names before it",
        ),
        ("a.csv", "CCO,ethanol\nCCN,b\n", {}, "put a line of names before it if it has none, else name it with column=…"),
        ("a.csv", "smiles,SMILES\nCO,CO\n", {}, "columns 'smiles' and 'SMILES' both look like SMILES"),
        ("a.csv", "smiles,y\nCO,1\n", {"column": "smile"}, r"column='smile': no such column .*did you mean 'smiles'\?"),
        ("a.csv", "x,x\nCO,1\n", {"column": "x"}, "column='x': there are 2 of this name"),
        ("a.smi", "CO\n", {"column": "x"}, "column='x': the file has no named columns"),
        ("a.sdf", "CO\n", {"column": "x"}, "column='x': an SDF file holds structures"),
        ("a.pdf", "CO\n", {}, "no known suffix; give one of .smi, .smiles, .txt, .*.csv, .tsv, .parquet, .*.sdf"),
        ("a.parquet", "CO\n", {}, "damaged"),
        ("a.parquet.gz", "CO\n", {}, "damaged"),
        ("a.csv", 'smiles,y\n"' + "C" * 200_000, {}, "damaged .*field limit"),
    ],
)
def test_files_that_give_no_molecules(write, name, content, options, message):
    path = write(name, content)
    with pytest.raises(UsageError, match=message) as caught:
        read_molecules(path, **options)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_damaged_and_absent_files(write, tmp_path):
    whole = gzip.compress(b"CO\n" * 1000)
    for name, content in (("cut.smi.gz", whole[:-10]), ("torn.smi.gz", b"\x1f\x8bnothing")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=f"{name}: (damaged|Not a gzipped|Compressed)"):
            read_molecules(tmp_path / name)
    with pytest.raises(UsageError, match=r"absent\.smi: no such file"):
        read_molecules(tmp_path / "absent.smi")


def test_files_larger_than_memory_are_not_read(write, monkeypatch):
    monkeypatch.setattr("vaehub_molecules.files.smi.MAX_BYTES", 1000)
    with pytest.raises(UsageError, match="unpack to more than 1,000"):
        read_molecules(write("bomb.smi.gz", "C" * 100_000))


@pytest.mark.parametrize("name", ["a.smi", "a.csv", "a.smi.gz", "a.sdf"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(write, name, encoding, end):
    molecules = {"ä": "OCC", "b": "CCN", "c": "CCC"}
    text = {
        ".smi": "".join(f"{smiles} {name}\n" for name, smiles in molecules.items()),
        ".csv": "smiles,name\n" + "".join(f"{smiles},{name}\n" for name, smiles in molecules.items()),
        ".sdf": "".join(written(".sdf", smiles, name) for name, smiles in molecules.items()),
    }[Path(name.removesuffix(".gz")).suffix]
    assert rows(write(name, text.replace("\n", end).encode(encoding))) == {
        "smiles": ["CCO", "CCN", "CCC"],
        "name": ["ä", "b", "c"],
    }


def test_the_separator_that_excel_declares_and_decimal_commas(write):
    found = read_molecules(write("a.csv", "sep=;\r\nsmiles;pIC50\r\nCO;5,3\r\nCC;7\r\nxx;1\r\n"))
    assert found.frame.to_dict("list") == {"smiles": ["CO", "CC"], "pIC50": [5.3, 7.0]}
    assert [line.number for line in found.rejected] == [5]


@pytest.mark.parametrize("suffix", [".smi", ".csv", ".sdf"])
def test_racemates_are_no_enantiomers_in_any_file(write, suffix):
    found = read_molecules(write(f"a{suffix}", written(suffix, "C[C@H](N)C(=O)O |&1:1|", "rac-alanine")))
    assert found.frame.to_dict("list") == {"smiles": ["CC(N)C(=O)O"], "name": ["rac-alanine"]}
    assert found.lines()[1:] == ["  1 changed: stereo of a racemate, or of a configuration that is not known, dropped"]
    kept = read_molecules(write(f"b{suffix}", written(suffix, "C[C@H](N)C(=O)O |a:1|", "alanine")))
    assert kept.frame.to_dict("list") == {"smiles": ["C[C@H](N)C(=O)O"], "name": ["alanine"]}
    assert not kept.changed


@pytest.mark.parametrize("suffix", [".smi", ".csv", ".sdf"])
def test_strings_of_files_say_the_same(write, suffix):
    texts = ["C[C@H](N)C(=O)O |&1:1|", "OCC", "CCO |Sg:n:1:3:ht|"]
    header = "smiles,name\n" if suffix == ".csv" else ""
    path = write(f"a{suffix}", header + "".join(written(suffix, text, "x").removeprefix(header) for text in texts))
    assert read_strings(path) == ["CC(N)C(=O)O", "CCO" if suffix == ".sdf" else "OCC", ""]


def test_names_that_begin_with_a_bar_and_extensions_without_a_name(write):
    found = read_molecules(write("a.smi", "C[C@H](N)C(=O)O\t|&1:1|\nCO a | b\nCC |c\n"))
    assert found.frame.to_dict("list") == {"smiles": ["CC(N)C(=O)O", "CO", "CC"], "name": ["", "a | b", "|c"]}


def test_every_change_is_counted_and_listed(write, tmp_path):
    found = read_molecules(write("a.smi", "CCN.Cl\nCCN\nCC(=O)O[Na]\nxx\n"))
    assert found.frame["smiles"].tolist() == ["CCN", "CC(=O)[O-]"]
    assert found.changes() == {
        "salts or solvents taken away": 2,
        "bonds to a metal made ionic": 1,
        "left as an ion of a salt (charges=neutralise makes acids and bases of these)": 1,
    }
    found.write_changed(tmp_path / "changed.csv")
    with (tmp_path / "changed.csv").open(newline="") as file:
        assert list(csv.reader(file))[:2] == [
            ["number", "text", "smiles", "changes"],
            ["1", "CCN.Cl", "CCN", "salts or solvents taken away"],
        ]


@pytest.mark.parametrize("read", [lambda path, policy: list(read_leads(path, policy).smiles), read_pool], ids=["leads", "pool"])
def test_a_search_is_told_of_leads_and_pools_that_are_changed(write, read):
    path = write("a.smi", "CCN.Cl\nC[C@H](N)C(=O)O |&1:1|\nCO\n")
    with pytest.warns(UserWarning, match=r"a\.smi: 2 molecules changed: 1 salts or solvents taken away, 1 stereo of a racemate"):
        assert read(path, Policy()) == ["CCN", "CC(N)C(=O)O", "CO"]


def test_titles_of_sdf_records(write):
    mol = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    other = Chem.MolToMolBlock(Chem.MolFromSmiles("CO"))
    records = f">ethanol <5 %{mol}>  <name>\nspirit\n\n>  <y>\n1\n\n$$$$\n{other}>  <y>\n2\n\n$$$$\n"
    assert rows(write("a.sdf", records)) == {
        "smiles": ["CCO", "CO"],
        "title": [">ethanol <5 %", ""],
        "name": ["spirit", ""],
        "y": [1, 2],
    }


def test_feather(tmp_path):
    write_table(pd.DataFrame({"smiles": ["OCC"], "y": [1.5]}), tmp_path / "a.feather")
    assert rows(tmp_path / "a.feather") == {"smiles": ["CCO"], "y": [1.5]}


def test_one_molecule(write):
    assert rows(write("a.smi", "CO")) == {"smiles": ["CO"]}


def test_packed_in_pieces(tmp_path):
    path = tmp_path / "a.smi.gz"
    path.write_bytes(gzip.compress(b"CO\n") + gzip.compress(b"CC\n"))
    assert rows(path) == {"smiles": ["CO", "CC"]}


def test_the_sample_is_canonical():
    with gzip.open(sample_path(), "rt") as file:
        written = file.read().split()
    assert len(written) == len(set(written)) == 10_000
    assert (sample_path().parent / "ATTRIBUTION.md").is_file()
    assert [Chem.CanonSmiles(smiles) for smiles in written[:200]] == written[:200]
