"""The commands: what they write, what they say, and that a mistake is one line and leaves nothing behind."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from PIL import Image

import vaehub
from vaehub.cli.app import main
from vaehub_molecules.files import read_molecules

PHENOL, ANISOLE = "Oc1ccc(C)cc1", "COc1ccc(C)cc1"


@pytest.fixture
def here(run, molecules_file, monkeypatch, tmp_path):
    """The commands are run in a folder of their own, beside a model and the molecules that it was trained on."""
    (tmp_path / "model").symlink_to(run.path)
    (tmp_path / "some.smi").write_text("\n".join(molecules_file.read_text().split()[:40]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def works(capsys, here):
    """Run a command that must succeed in silence; gives the lines that it printed."""

    def run(*words):
        code = main(list(map(str, words)))
        printed = capsys.readouterr()
        assert (code, printed.err) == (0, "")
        return printed.out.splitlines()

    return run


@pytest.fixture
def fails(capsys, here):
    """Run a command that must end in one line of error and write nothing; gives that line."""

    def run(*words):
        before = sorted(here.rglob("*"))
        assert main(list(map(str, words))) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        (line,) = printed.err.strip().splitlines()
        assert line.startswith("error: ")
        assert sorted(here.rglob("*")) == before
        return line

    return run


def test_clean_writes_what_is_kept_and_what_is_not(works, here):
    (here / "raw.csv").write_text("name,smiles\na,OCC\nb,CCO\nc,C1CC\nd,CN\n")
    printed = works("molecules", "clean", "raw.csv", "-o", "clean.csv")
    assert printed[:2] == [
        "raw.csv: 4 read, 2 kept, 1 duplicates merged, 1 rejected",
        "  1 rejected: a ring number without its pair",
    ]
    assert pd.read_csv("clean.csv").to_dict("list") == {"smiles": ["CCO", "CN"], "name": ["a", "d"]}
    assert pd.read_csv("rejected.csv").to_dict("list")["text"] == ["C1CC"]


@pytest.mark.parametrize("name", ["clean.smi", "clean.sdf", "clean.smi.gz", "clean.csv"])
def test_clean_keeps_names_and_tells_what_it_changed(works, here, name):
    (here / "raw.csv").write_text("name,smiles\nmetformin,CN(C)C(=N)N=C(N)N.Cl\nacetate,CC(=O)O[Na]\n")
    printed = works("molecules", "clean", "raw.csv", "-o", name, "--charges", "neutralise")
    assert printed == [
        "raw.csv: 2 read, 2 kept, 0 duplicates merged, 0 rejected",
        "  2 changed: salts or solvents taken away",
        "  1 changed: bonds to a metal made ionic",
        "  1 changed: neutralised",
        name,
        "changed.csv",
    ]
    again = read_molecules(here / name).frame
    assert again.to_dict("list") == {"smiles": ["CN(C)C(=N)N=C(N)N", "CC(=O)O"], "name": ["metformin", "acetate"]}
    assert pd.read_csv("changed.csv")["number"].tolist() == [2, 3]


def test_clean_replaces_its_input_only_where_that_is_asked_for(works, fails, here):
    (here / "own.csv").write_text("smiles\nOCC\nCCO\n")
    assert "own.csv: is the input itself" in fails("molecules", "clean", "own.csv", "-o", "own.csv")
    works("molecules", "clean", "own.csv", "-o", "own.csv", "--force")
    assert (here / "own.csv").read_text() == "smiles\nCCO\n"


def test_neighbours(works):
    printed = works("molecules", "neighbours", "model", PHENOL, "-k", 2, "--among", "some.smi", "-o", "near.csv")
    found = pd.read_csv("near.csv")
    assert found["rank"].tolist() == [1, 2, 1, 2]
    assert all(any(smiles in line for line in printed) for smiles in found["smiles"])


@pytest.mark.parametrize("name", ["way.png", "way.svg", "way.csv"])
def test_a_way(works, here, name):
    printed = works("molecules", "interpolate", "model", PHENOL, ANISOLE, "--steps", 4, "-o", name)
    assert printed[-1] == name
    assert (here / name).stat().st_size > 50
    assert PHENOL in printed[2] or "Cc1ccc(O)cc1" in printed[2]


def test_reconstruct_counts_what_came_back(works):
    printed = works("molecules", "reconstruct", "model", "some.smi", "-o", "back.csv")
    share = pd.read_csv("back.csv", keep_default_na=False)["exact"].mean()
    assert f"40 molecules: {share:.1%} came back exactly" in printed[-1]


def test_metrics_of_a_file_beside_others(capsys, here, monkeypatch):
    """The figures of a file of any program: repeated and invalid lines count, and there is no run."""
    monkeypatch.setattr("vaehub_molecules.metrics.fcd.find_spec", lambda name: None)
    (here / "new.smi").write_text("OCC\nCCO\nC1CC\nCN\n")
    (here / "test.csv").write_text("smiles\nCCO\nCN\n")
    words = ["molecules", "metrics", "new.smi", "--reference", "test.csv", "--train", "test.csv", "--json"]
    assert main(words) == 0
    printed = capsys.readouterr()
    figures = json.loads(printed.out)
    assert (figures["validity"], figures["novelty"], figures["SNN"]) == (0.75, 0, pytest.approx(1))
    assert figures["uniqueness"] == pytest.approx(2 / 3)
    assert figures["known_rings"] == figures["known_rings_unseen"] == 1
    assert printed.err == "warning: FCD is left out: it needs fcd_torch; pip install 'vaehub-molecules[metrics]'\n"


def test_metrics_without_a_reference(works, here):
    (here / "new.smi").write_text("OCC\nCCO\n")
    printed = works("molecules", "metrics", "new.smi")
    assert printed[1].split()[:2] == ["validity", "1.000"]
    assert not [line for line in printed if line.startswith(("novelty", "SNN"))]


def test_metrics_of_a_run_are_those_of_evaluate(fails):
    assert "for the figures of a run: vaehub evaluate model" in fails("molecules", "metrics", "model")


@pytest.mark.parametrize("name", ["new.smi", "new.csv", "new.sdf", "new.png", "new.parquet"])
def test_samples_in_every_form(capsys, here, name):
    assert main(["sample", "model", "-n", "12", "-o", name]) == 0
    *_, counts, likeness = capsys.readouterr().out.splitlines()
    assert counts.startswith("12 drawn, ")
    assert likeness.startswith("known ring systems ")
    assert (here / name).stat().st_size > 50
    if name == "new.png":
        with Image.open(name) as picture:
            assert min(picture.size) > 200


def test_samples_that_are_valid_and_unlike_those_trained_on_are_warned_of_in_a_line(capsys, here, run):
    config = vaehub.load_config(run.config, ["decoder.temperature=4"])
    vaehub.Run(config, run.codec, run.domain, run.vae).save("hot.safetensors")
    assert main(["sample", "hot.safetensors", "-n", "200", "-o", "new.smi"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: the drawn molecules are valid, but not like those trained on: ")
    assert line.endswith("or train longer")


BAD = {
    "empty": ("", "no molecule in it, the file is empty"),
    "rejected": (
        "C1CC\nxx\n",
        "none of 2 is accepted: 1 a ring number without its pair, 1 not SMILES; the first is number 1: 'C1CC'",
    ),
    "one": ("CCO\n", "1 different molecules; at least 3 are needed"),
}


@pytest.mark.parametrize("case", BAD)
def test_too_little_to_train_on(fails, here, case):
    content, words = BAD[case]
    (here / "bad.smi").write_text(content)
    (here / "c.yaml").write_text(
        "{domain: {name: smiles, path: bad.smi}, encoder: gru, decoder: gru, likelihood: categorical, latent: 2}"
    )
    assert words in fails("train", "c.yaml", "--out", "new")


@pytest.mark.parametrize("case", ["empty", "rejected"])
@pytest.mark.parametrize("words", [["clean", "bad.smi", "-o", "out.csv"], ["reconstruct", "model", "bad.smi", "-o", "out.csv"]])
def test_too_little_to_look_at(fails, here, case, words):
    content, printed = BAD[case]
    (here / "bad.smi").write_text(content)
    assert printed in fails("molecules", *words)


MISTAKES = [
    (["neighbours", "model", "xx"], "'xx': not SMILES"),
    (["neighbours", "model", "[Au]"], "Au"),
    (["neighbours", "model", "CCO", "--among", "none.smi"], "none.smi: no such file"),
    (["interpolate", "model", "CCO", "C1CC"], "'C1CC': a ring number without its pair"),
    (["interpolate", "model", "CCO", "CCN", "-o", "way.doc"], ".doc"),
    (["neighbours", "nowhere", "CCO"], "nowhere"),
]


@pytest.mark.parametrize(("words", "message"), MISTAKES, ids=lambda part: " ".join(part) if isinstance(part, list) else "")
def test_a_mistake_is_one_line(fails, words, message):
    assert message in fails("molecules", *words)
