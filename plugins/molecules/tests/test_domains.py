"""Sets of molecules as domains: splits, what a model file keeps, conditions."""

import base64
import gzip
import warnings
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import vaehub
from vaehub.errors import UsageError
from vaehub_molecules.domains.conditions import Conditions
from vaehub_molecules.domains.examples import example_molecules
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.domains.moses import Moses
from vaehub_molecules.domains.property_values import property_values
from vaehub_molecules.domains.scaffold import BITS, scaffold
from vaehub_molecules.domains.scales import Scales
from vaehub_molecules.domains.smiles import Smiles
from vaehub_molecules.domains.zinc250k import Zinc250k


def written(folder: Path, lines, name="some.smi") -> str:
    (folder / name).write_text("\n".join(lines))
    return str(folder / name)


def split_of(domain, name):
    return set(domain.frame(name)["smiles"])


@given(st.sets(st.text(max_size=9), max_size=50), st.sets(st.text(max_size=9), max_size=50))
def test_known_holds_what_it_was_given_and_travels_as_text(inside, outside):
    known = HashedSet.from_text(HashedSet.of(inside).to_text())
    assert len(known) == len(inside)
    queries = sorted(inside | outside)
    assert known.holds(queries).tolist() == [q in inside for q in queries]


def test_known_is_small():
    strings = [f"C{i}" for i in range(20_000)]
    assert len(HashedSet.of(strings).to_text()) < 5 * len(strings)


def test_scales_leave_unknown_values_out():
    values = np.array([[1.0, 5.0], [3.0, np.nan], [5.0, 5.0]])
    scales = Scales.restore(Scales.of(("a", "b"), values).state())
    scaled = scales.scaled(torch.tensor(values))
    assert scaled[:, 0].tolist() == pytest.approx([-1.2247449, 0, 1.2247449])
    assert scaled[0, 1] == 0
    assert torch.allclose(scales.units(scaled)[:, 0], torch.tensor(values[:, 0]))


def test_splits_depend_on_molecules_not_on_the_order_of_lines(tmp_path):
    a = Smiles(path=written(tmp_path, example_molecules(), "a.smi"), val=0.2, test=0.1)
    b = Smiles(path=written(tmp_path, example_molecules()[::-1], "b.smi"), val=0.2, test=0.1)
    for name in ("train", "val", "test"):
        assert split_of(a, name) == split_of(b, name)
    parts = [split_of(a, name) for name in ("train", "val", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert split_of(Smiles(path=a.path, seed=1), "val") != split_of(a, "val")


def test_changed_molecules_are_told_and_written_to_the_run(tmp_path):
    domain = Smiles(path=written(tmp_path, [*example_molecules(), "CCN.Cl", "[13CH3]O"]), isotopes="drop")
    words = r"2 molecules changed: 1 salts or solvents taken away, 1 isotope labels dropped; see changed\.csv"
    with pytest.warns(UserWarning, match=words):
        domain.frame("train")
    domain.record(tmp_path)
    assert [row.split(",")[1:3] for row in (tmp_path / "changed.csv").read_text().splitlines()] == [
        ["text", "smiles"],
        ["CCN.Cl", "CCN"],
        ["[13CH3]O", "CO"],
    ]


@pytest.mark.parametrize(("name", "meant"), [("act", "Act"), ("y", " y"), ("QED", "qed")])
def test_properties_that_are_misspelt(name, meant):
    frame = pd.DataFrame({"smiles": ["CO"], "Act": [1.0], " y": [2.0]})
    with pytest.raises(UsageError, match=f"no column and no property '{name}'; did you mean '{meant}'"):
        property_values(frame, [name])


def test_rejected_lines_are_written_to_the_run(tmp_path):
    domain = Smiles(path=written(tmp_path, [*example_molecules(), "C1CC", "this is none"]))
    with pytest.warns(UserWarning, match=r"2 lines rejected; see rejected\.csv"):
        domain.frame("train")
    domain.record(tmp_path)
    rows = (tmp_path / "rejected.csv").read_text().splitlines()
    assert len(rows) == 3
    assert rows[1].startswith(f"{len(example_molecules()) + 1},C1CC,")


def test_too_many_rejected_lines(tmp_path):
    domain = Smiles(path=written(tmp_path, [*example_molecules()[:8], "C1CC", "zzz"]), max_bad=0.1)
    with pytest.raises(UsageError, match="rejected"):
        domain.frame("train")


@pytest.mark.parametrize("lines", [["CCO"], ["CCO", "OCC"], ["CCO", "CCN"]])
def test_too_few_molecules(tmp_path, lines):
    with pytest.raises(UsageError, match="at least 3"):
        Smiles(path=written(tmp_path, lines)).data("train")


@pytest.mark.parametrize("domain", [Smiles(), Moses(), Zinc250k()])
def test_no_path(domain):
    with pytest.raises(UsageError, match=r"domain\.path"):
        domain.data("train")


def test_moses_keeps_its_test_set_and_takes_so_many_rows(tmp_path):
    for name, part in (("train", example_molecules()[::2]), ("test", example_molecules()[1::2])):
        (tmp_path / f"{name}.csv.gz").write_bytes(
            gzip.compress(("SMILES,SPLIT\n" + "\n".join(f"{s},{name}" for s in part)).encode())
        )
    domain = Moses(path=str(tmp_path), rows=50)
    assert [len(domain.data(name)) for name in ("train", "val")] == [50, 13]
    assert split_of(domain, "test") == set(example_molecules()[1::2])
    assert not split_of(domain, "train") & split_of(domain, "val")


def test_zinc_takes_the_published_split_where_it_is_there(tmp_path):
    written(tmp_path, example_molecules(), "zinc250k.smi")
    drawn = Zinc250k(path=str(tmp_path))
    assert [len(drawn.frame(name)) for name in ("val", "test")] == [len(example_molecules()) // 10] * 2
    written(tmp_path, example_molecules()[:10], "jtvae_valid.smi")
    written(tmp_path, example_molecules()[10:30], "jtvae_test.smi")
    published = Zinc250k(path=str(tmp_path))
    assert [len(published.frame(name)) for name in ("val", "test")] == [10, 20]
    assert len(published.frame("train")) == len(example_molecules()) - 30


def test_zinc_is_read_from_its_published_table_and_what_is_left_out_is_counted(tmp_path):
    rows = "".join(f'"{smiles}\n",1.5,0.7,2.0\n' for smiles in [*example_molecules()[:50], "C1CC"])
    (tmp_path / "250k_rndm_zinc_drugs_clean_3.csv").write_text("smiles,logP,qed,SAS\n" + rows)
    domain = Zinc250k(path=str(tmp_path))
    with pytest.warns(UserWarning, match=r"1 of \d+ published molecules are left out, the first is 'C1CC': a ring number"):
        found = set.union(*(split_of(domain, name) for name in ("train", "val", "test")))
    assert found == set(example_molecules()[:50])


def test_unseen_symbols_name_the_molecule_and_the_symbol(tmp_path):
    domain = Smiles(path=written(tmp_path, example_molecules()), tokenizer="atoms")
    domain.data("train")
    path = tmp_path / "new.smi"
    path.write_text("CCO\nCC[Se]C\n")
    with pytest.raises(UsageError, match=r"CC\[Se\]C.*\[Se\]"):
        domain.codec.read(path)


def test_properties_come_from_the_file_or_from_rdkit(tmp_path):
    table = "\n".join(["smiles,activity", *(f"{s},{i if i % 3 else ''}" for i, s in enumerate(example_molecules()))])
    domain = Smiles(path=written(tmp_path, [table], "table.csv"), properties=["activity", "heavy"])
    y = domain.data("train")[torch.arange(100)].y
    assert y.shape == (100, 2)
    assert 0 < int(y[:, 0].isnan().sum()) < 100
    assert not y[:, 1].isnan().any()
    with pytest.raises(UsageError, match="no property 'actvity'"):
        Smiles(path=str(tmp_path / "table.csv"), properties=["actvity"]).codec  # noqa: B018


def test_conditions_by_name_by_place_and_wrong():
    conditions = Conditions(Scales(("qed", "logp"), [0.5, 2.0], [0.1, 1.0]), scaffold=True)
    by_name = conditions.read(["logp=3", "qed=0.6", "scaffold=C1CCCCC1"])
    assert by_name.shape == (2 + BITS,)
    assert torch.equal(by_name, conditions.read([0.6, 3, "C1CCCCC1"]))
    assert by_name[:2].tolist() == pytest.approx([1, 1])
    for wrong, message in (
        (["qed=0.6"], "logp=…"),
        (["qed=a", "logp=1", "scaffold=C"], "no number"),
        (["qef=0.6"], "Did you mean|did you mean"),
        (["1", "2", "C", "4"], "takes 3"),
        (["1", "2", "C1CC"], "scaffold"),
    ):
        with pytest.raises(UsageError, match=message):
            conditions.read(wrong)


def test_a_scaffold_is_rings_and_what_links_them():
    assert scaffold("CCc1ccc(CC2CCNCC2)cc1") == "c1ccc(CC2CCNCC2)cc1"
    assert scaffold("CCO") == ""


def test_a_cvae_is_told_properties_and_scaffold(tmp_path):
    domain = {"name": "smiles", "path": written(tmp_path, example_molecules()), "condition": ["logp"], "scaffold": True}
    small = {
        "encoder": {"name": "gru", "width": 16},
        "decoder": {"name": "gru", "width": 16},
        "likelihood": "categorical",
        "latent": 3,
    }
    train = {"epochs": 1, "batch_size": 64, "score_rows": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        run = vaehub.train({"domain": domain, **small, "train": train}, out=tmp_path / "run")
    again = vaehub.load(tmp_path / "run")
    cond = ["logp=1.5", "scaffold=c1ccccc1"]
    assert np.array_equal(run.sample(5, cond=cond), again.sample(5, cond=cond))
    assert again.spec.cond == 1 + BITS
    with pytest.raises(UsageError, match="conditional"):
        again.sample(5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "expected SMILES strings or a frame of them, got None"),
        ([1, 2], "expected SMILES"),
        (["CCO", "C1CC"], "row 1: 'C1CC'"),
        (pd.DataFrame({"molecule": ["CCO"]}), "name that of the molecules `smiles`"),
    ],
)
def test_what_is_no_molecule_is_refused(tmp_path, given, message):
    domain = Smiles(path=written(tmp_path, example_molecules()))
    with pytest.raises(UsageError, match=message):
        domain.codec.convert(given)


def test_each_string_stays_a_row_in_its_canonical_form(tmp_path):
    smiles = example_molecules()[:3]
    domain = Smiles(path=written(tmp_path, example_molecules()))
    rows = domain.codec.convert([smiles[0], f" {smiles[0]} ", smiles[2]])
    assert torch.equal(rows.x, domain.codec.vocabulary.rows([smiles[0], smiles[0], smiles[2]]))
    assert domain.codec.convert(rows.x).equal(rows.x)


def test_known_molecules_that_are_damaged_or_a_bomb_are_refused():
    text = HashedSet.of(example_molecules()).to_text()
    assert len(HashedSet.from_text(text)) == len(set(example_molecules()))
    packed = bytearray(base64.b85decode(text))
    packed[len(packed) // 2] ^= 1
    bomb = base64.b85encode(zlib.compress(bytes(50_000_000), 9)).decode()
    for other in (base64.b85encode(packed).decode(), text[:-10], bomb):
        with pytest.raises((ValueError, zlib.error)):
            HashedSet.from_text(other)


@pytest.mark.parametrize("change", [{"means": ["x"]}, {"means": [float("nan")]}, {"deviations": [0.0]}, {"names": []}])
def test_scales_that_are_none_are_refused(change):
    with pytest.raises(ValueError, match=r"valid number|finite number|names, "):
        Scales.restore({"names": ["logp"], "means": [1.0], "deviations": [2.0]} | change)
