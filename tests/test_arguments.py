"""Every public function with every argument of a wrong kind: one clear line, never a TypeError from deep inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vaehub
from vaehub.errors import UsageError
from vaehub.testing.arguments import cases, refusal

X = np.zeros((3, 1, 8, 8), np.float32)
CONFIG = {"domain": {"name": "toy", "rows": 60}, "encoder": {"hidden": [4]}, "decoder": {"hidden": [4]}, "train": {"epochs": 1}}

CALLS = {  # each is called with one argument after another replaced; "run." stands for a method of a trained run
    "load": {"path": "run"},
    "load_config": {"source": CONFIG, "overrides": ()},
    "train": {
        "data": None,
        "init": None,
        "config": CONFIG,
        "overrides": (),
        "out": "out",
        "resume": False,
        "force": True,
        "domain": None,
        "progress": False,
    },
    "run.to": {"device": "cpu"},
    "run.data": {"split": "val"},
    "run.rows": {"x": X, "cond": None},
    "run.sample": {"n": 2, "cond": None, "seed": 0, "noise": False},
    "run.encode": {"x": X, "cond": None},
    "run.decode": {"z": np.zeros((2, 2)), "cond": None},
    "run.reconstruct": {"x": X, "cond": None, "seed": 0, "noise": False},
    "run.interpolate": {"a": X[:1], "b": X[1:2], "steps": 3, "cond": None},
    "run.score": {"x": X, "cond": None, "samples": 2, "seed": 0},
    "run.evaluate": {"split": "val", "samples": 2, "seed": 0},
    "run.save": {"path": "copy.safetensors"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a trained run."""
    path = tmp_path_factory.mktemp("arguments")
    vaehub.train(CONFIG, out=path / "run", progress=False)
    return path


ALSO = {  # what a message may name in place of the argument
    ("load", "path"): ("no such run", "no model file"),
    ("train", "init"): ("no such run", "no model file"),
    ("run.save", "path"): ("is a folder",),
    ("load_config", "source"): ("config",),
    ("load_config", "overrides"): ("override", "config"),
    ("train", "overrides"): ("override", "config"),
}


@pytest.mark.parametrize(("name", "argument", "kind"), cases(CALLS))
def test_a_wrong_argument_is_refused_in_one_line(name, argument, kind, folder, monkeypatch):
    monkeypatch.chdir(folder)
    owner, _, method = name.rpartition(".")
    function = getattr(vaehub.load("run") if owner else vaehub, method)
    said = refusal(function, CALLS[name], argument, kind)
    if said is not None:
        assert [word for word in (argument, *ALSO.get((name, argument), ())) if word in said], f"does not name {argument}: {said}"
        assert argument in ("source", "config", "overrides") or "\n" not in said  # a config has a line for each mistake


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda run: run.sample(2.5), "n: should be a whole number of at least 1, not 2.5"),
        (lambda run: run.sample("5"), "n: should be a whole number of at least 1, not '5'"),
        (lambda run: run.evaluate("valid"), "split: 'valid' is none of train, val, test; did you mean 'val'?"),
        (lambda run: run.data("validation"), "did you mean 'val'?"),
        (lambda run: run.encode("x.npy"), "x: expected an array or a tensor of rows, got str; read a file with"),
        (lambda run: vaehub.train(X), "config: should be the path of a YAML file, .*, not ndarray of shape"),
        (lambda run: vaehub.train(CONFIG, domain=X), "domain: should be a vaehub.Domain, .*, not ndarray of shape"),
        (lambda run: vaehub.load(5), "path: should be a path, not 5"),
        (lambda run: run.to("gpu9"), "device"),
    ],
)
def test_what_is_said(call, said, folder):
    with pytest.raises(UsageError, match=said):
        call(vaehub.load(Path(folder) / "run"))


@pytest.mark.parametrize("cond", ["x", {"a": 1}, [None], np.array([["a"]]), np.zeros((3, 7))])
def test_a_condition_that_is_none_is_refused(cond, tmp_path):
    run = vaehub.train(CONFIG, {"domain.classes": True}, tmp_path / "run", progress=False)
    with pytest.raises(UsageError, match="cond"):
        run.sample(3, cond=cond)
