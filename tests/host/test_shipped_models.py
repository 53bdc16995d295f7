"""Models that come with plugins, and are called by name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import vaehub
from vaehub.cli.app import main
from vaehub.errors import UsageError
from vaehub.host.discovery import examine, import_file
from vaehub.host.registry import Component, registry
from vaehub.host.shipped_models import located_model

HOOK = "from vaehub import hookimpl\n@hookimpl\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model file, and rows."""
    rows = np.arange(40.0).reshape(20, 2)
    run = vaehub.train({"latent": 1, "likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    path = tmp_path_factory.mktemp("package") / "model.safetensors"
    run.save(path)
    return path, rows, run


@pytest.fixture
def shipped(trained, monkeypatch, tmp_path):
    """The model under the name letters/small, in an empty current folder."""
    monkeypatch.setitem(registry().models, "letters/small", Component("letters/small", str(trained[0]), "letters"))
    monkeypatch.chdir(tmp_path)
    return trained


def test_a_shipped_model_is_loaded_by_its_name(shipped):
    path, rows, run = shipped
    assert located_model(Path("letters/small")) == path
    loaded = vaehub.load("letters/small")
    assert np.array_equal(loaded.encode(rows), run.encode(rows))
    assert loaded.path is None


def test_what_lies_at_the_path_goes_before_the_name(shipped):
    Path("letters/small").mkdir(parents=True)
    with pytest.raises(UsageError, match="letters/small: no model file here"):
        vaehub.load("letters/small")


def test_a_name_that_is_nearly_right_is_asked_about(shipped):
    with pytest.raises(UsageError, match=r"letters/smal: no such run, and no model of this name; did you mean 'letters/small'\?"):
        vaehub.load("letters/smal")


def test_a_name_that_two_plugins_give_is_an_error_that_names_both(shipped, monkeypatch):
    monkeypatch.setitem(registry().clashes, "letters/small", "'letters/small' is defined by both a and b")
    with pytest.raises(UsageError, match="defined by both a and b: uninstall one"):
        vaehub.load("letters/small")


def test_samples_of_a_shipped_model_go_to_the_current_folder(shipped, capsys):
    before = sorted(os.listdir(shipped[0].parent))
    assert main(["sample", "letters/small", "-n", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("samples.")
    assert sorted(os.listdir(shipped[0].parent)) == before
    assert len(list(Path().glob("samples.*"))) == 1


def plugin(source, tmp_path, as_package):
    """What discovery says of a plugin with this source."""
    (tmp_path / "plugin.py").write_text(source)
    module = import_file(tmp_path / "plugin.py", "plugin_with_models")
    module.__path__ = [str(tmp_path)] if as_package else []
    return examine("p", "1", "p", lambda: module)


def test_the_file_of_a_model_is_looked_for_in_the_package(tmp_path):
    found = plugin(HOOK + "def vaehub_models(): return {'letters/small': 'models/m.safetensors'}", tmp_path, as_package=True)
    assert found.models == {"letters/small": str(tmp_path / "models/m.safetensors")}


@pytest.mark.parametrize(
    ("returned", "as_package", "reason"),
    [
        ("{'small': 'm'}", True, 'expected "group/name" in small letters'),
        ("{'letters/small': 3}", True, "vaehub_models() must return a dict of strings"),
        ("{'letters/small': 'm'}", False, "is a single file"),
    ],
)
def test_a_hook_that_gives_something_else_makes_the_plugin_unusable(returned, as_package, reason, tmp_path):
    found = plugin(HOOK + f"def vaehub_models(): return {returned}", tmp_path, as_package)
    assert found.models == {}
    assert reason in found.status
