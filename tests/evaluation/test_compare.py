"""Runs side by side."""

from __future__ import annotations

import json
import os
import shutil

import pandas as pd
import pytest

import vaehub
from vaehub.cli.app import main
from vaehub.evaluation.compare import best_of, compare


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of one epoch and a better one of eight, and one with another likelihood."""
    folder = tmp_path_factory.mktemp("runs")
    config = {
        "domain": "toy",
        "latent": 2,
        "encoder": {"name": "mlp", "hidden": [16]},
        "decoder": {"name": "mlp", "hidden": [16]},
    }
    options = {
        "short": ["train.epochs=1"],
        "long": ["train.epochs=8", "optimizer.lr=5e-3"],
        "other": ["train.epochs=1", "likelihood=normal"],
    }
    for name, changes in options.items():
        vaehub.train(config, changes, folder / name, progress=False)
    return folder


def loaded(folder, *names):
    return compare({name: vaehub.load(folder / name) for name in names})


def test_figures_are_those_of_the_best_epoch_and_the_better_run_is_marked(runs):
    found = loaded(runs, "short", "long")
    history = pd.read_csv(runs / "long" / "metrics.csv")
    assert found.figures.loc["val_elbo", "long"] == history.val_elbo.max()
    assert found.figures.loc["best epoch", "long"] == history.val_elbo.idxmax() + 1
    assert found.best.loc["val_elbo"].tolist() == [False, True]
    assert not found.best.loc[["val_kl", "epochs", "seconds", "parameters"]].to_numpy().any()
    assert found.figures.loc["parameters", "short"] == found.figures.loc["parameters", "long"] > 1000
    assert set(found.differences.index) == {"train.epochs", "optimizer.lr"}
    assert found.differences.loc["train.epochs"].tolist() == ["1", "8"]
    assert found.notes == ()


def test_bounds_of_different_things_are_said_to_be_so(runs):
    found = loaded(runs, "short", "other")
    assert found.notes == ("the bounds are of different things, since the runs differ in likelihood.name",)


def test_equal_figures_have_no_best():
    assert not best_of(pd.DataFrame({"a": {"val_elbo": 1.0}, "b": {"val_elbo": 1.0}})).to_numpy().any()


def test_the_command_prints_both_tables_and_draws_curves(runs, tmp_path, capsys):
    paths = [str(runs / "short"), str(runs / "long")]
    assert main(["compare", *paths, "-o", str(tmp_path / "c.png")]) == 0
    out = capsys.readouterr().out
    elbo = next(line for line in out.splitlines() if line.startswith("val_elbo"))
    assert elbo.rstrip().endswith("*")
    assert elbo.count("*") == 1
    assert any(line.split() == ["train.epochs", "1", "8"] for line in out.splitlines())
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert main(["compare", *paths, "--json", "-o", str(tmp_path / "c.html")]) == 0
    assert set(json.loads(capsys.readouterr().out)["figures"]) == set(paths)


def test_the_page_has_the_tables_the_best_in_bold_and_the_curves(runs, tmp_path):
    page, again = tmp_path / "c.html", tmp_path / "again.html"
    for path in (page, again):
        assert main(["compare", *(str(runs / name) for name in ("short", "long", "other")), "-o", str(path)]) == 0
    text = page.read_text()
    assert page.read_bytes() == again.read_bytes()
    best = loaded(runs, "short", "long", "other").text("val_elbo", "long")
    assert f"<b>{best}</b>" in text
    assert "train.epochs" in text
    assert "the runs differ in likelihood.name" in text
    assert text.count("<svg") == 2  # for a screen and for a phone
    assert "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["short"], "give two runs or more, got 1"),
        (["short", "short"], "named twice"),
        (["short", "nowhere"], "no such run"),
        (["short", "long", "-o", "x.docx"], "no format has the suffix '.docx'"),
        (["short", "long/model.safetensors"], "history: a model file has no metrics.csv"),
    ],
)
def test_misuse_is_said_in_one_line(runs, arguments, message, capsys):
    given = [word if word.startswith("-") or word.endswith(".docx") else str(runs / word) for word in arguments]
    assert main(["compare", *given]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("damage", ["nothing", "no text", "a pipe"])
@pytest.mark.parametrize("command", ["compare", "doctor", "report"])
def test_a_damaged_table_of_epochs_is_named_and_does_not_block(runs, tmp_path, damage, command, capsys):
    run = tmp_path / "run"
    shutil.copytree(runs / "short", run)
    (run / "metrics.csv").unlink()
    if damage == "a pipe":
        os.mkfifo(run / "metrics.csv")
    else:
        (run / "metrics.csv").write_bytes(b"" if damage == "nothing" else bytes(range(256)))
    assert main([command, str(run), *([str(runs / "long")] if command == "compare" else [])]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {run}/metrics.csv: {'is a pipe' if damage == 'a pipe' else 'damaged ('}")
