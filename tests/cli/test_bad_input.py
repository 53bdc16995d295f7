"""Every command of the engine with every kind of bad input: one line that names it, exit code 2, and nothing written or lost."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

import vaehub
from vaehub.cli.app import main

RUN = {"latent": 2, "likelihood": "normal", "train": {"epochs": 1}}
NETWORKS = {part: {"name": "mlp", "hidden": [4]} for part in ("encoder", "decoder")}
BAD = ("missing", "folder", "empty", "junk", "suffix", "pipe")
OUTPUTS = ("below a file", "folder", "suffix", "nowhere")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of a table, rows and codes for it, and beside them what is no input and no output."""
    path = tmp_path_factory.mktemp("bad")
    rows = np.random.default_rng(0).normal(size=(30, 3))
    np.savetxt(path / "rows.csv", rows, delimiter=",", header="a,b,c", comments="")
    np.save(path / "codes.npy", np.zeros((3, 2), np.float32))
    (path / "good.yaml").write_text(json.dumps({"domain": {"name": "arrays", "path": "rows.csv"}} | RUN | NETWORKS))
    vaehub.train(RUN | NETWORKS, data=path / "rows.csv", out=path / "run", progress=False)
    return path


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def bad(folder, kind, suffix):
    """A path to something that is no input of this suffix."""
    path = folder / (f"{kind}{suffix}" if kind != "suffix" else "table.docx")
    if not path.exists():
        match kind:
            case "folder":
                path.mkdir()
            case "empty":
                path.touch()
            case "junk":
                path.write_bytes(bytes(range(256)) * 20)
            case "suffix":
                path.write_text("a,b,c\n1,2,3\n")
            case "pipe":
                os.mkfifo(path)
    return path


def no_output(folder, kind):
    """A path at which no file can be written."""
    return {
        "below a file": folder / "good.yaml" / "out.csv",
        "folder": folder / "run",
        "suffix": folder / "out.docx",
        "nowhere": "/proc/out.csv",
    }[kind]


INPUTS = {  # command: words in which {} is the input
    **{name: ([name, "run", "{}", "-o", "out.csv"], ".csv") for name in ("score", "encode", "reconstruct", "interpolate")},
    "encode parquet": (["encode", "run", "{}", "-o", "out.csv"], ".parquet"),
    "encode npz": (["encode", "run", "{}", "-o", "out.csv"], ".npz"),
    **{
        f"decode {suffix}": (["decode", "run", "{}", "-o", "out.csv"], suffix)
        for suffix in (".npy", ".csv", ".parquet", ".arrow")
    },
    "train data": (["train", "good.yaml", "domain.path={}", "-o", "new"], ".csv"),
    "train config": (["train", "{}", "-o", "new"], ".yaml"),
    **{f"{name} run": ([name, "{}"], ".safetensors") for name in ("evaluate", "doctor", "report")},
    "compare run": (["compare", "run", "{}"], ".safetensors"),
    "sample run": (["sample", "{}", "-o", "out.csv"], ".safetensors"),
    "train init": (["train", "good.yaml", "--init", "{}", "-o", "new"], ".safetensors"),
    "plugin file": (["plugins", "--plugin", "{}"], ".py"),
}
WRITING = {
    **{name: [name, "run", "rows.csv"] for name in ("score", "encode", "reconstruct", "interpolate")},
    "decode": ["decode", "run", "codes.npy"],
    "sample": ["sample", "run"],
    "compare": ["compare", "run", "run/model.safetensors"],
}


def refuses(words, capsys, name):
    """The command ends in one line of error that names the path."""
    before = sorted(os.listdir())
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr().err.splitlines()
    errors = [line for line in said if line.startswith("error: ")]
    assert errors == said[-1:]
    assert name in errors[0]
    assert "--debug" not in errors[0]
    assert sorted(os.listdir()) == before


GOOD = {("train config", "empty"), ("train config", "suffix"), ("plugin file", "empty")}  # a config is told by what it says
CASES = [(case, kind) for case in INPUTS for kind in BAD if (case, kind) not in GOOD]


@pytest.mark.parametrize(("case", "kind"), CASES)
def test_an_input_that_is_none_is_named_and_nothing_is_written(here, case, kind, capsys):
    words, suffix = INPUTS[case]
    path = bad(here, kind, suffix)
    refuses([word.format(path) for word in words], capsys, path.name)


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("command", WRITING)
def test_a_place_that_cannot_be_written_to_is_named_and_what_is_there_stays(here, command, kind, capsys):
    model = (here / "run" / "model.safetensors").read_bytes()
    path = no_output(here, kind)
    refuses([*WRITING[command], "-o", path], capsys, os.path.basename(path) if kind != "below a file" else "good.yaml")
    assert (here / "run" / "model.safetensors").read_bytes() == model
