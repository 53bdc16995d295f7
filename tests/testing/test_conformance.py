"""The conformance checks: intact parts pass, and each check is failed by a part with the fault that it is for."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from vaehub.errors import UsageError
from vaehub.host.discovery import KINDS, PluginInfo, discover, examine
from vaehub.host.registry import registry
from vaehub.testing import CHECKS, Result, cases, check, conformance

HERE = str(Path(__file__).parent)
INTACT = {
    "likelihoods": ("Unit",),
    "networks": ("Linear", "LinearDecoder"),
    "latents": ("Diagonal", "LearntNormal", "ByCondition"),
    "objectives": ("Bound", "Layer"),
    "domains": ("Forty",),
}
OF_PLUGINS = {"plugin_loads", "plugin_states_its_version", "plugin_offers_something", "listing_it_imports_no_torch"}

test_the_core_conforms = conformance("builtin")


@pytest.fixture(scope="module")
def broken():
    """The package of broken parts."""
    sys.path.insert(0, HERE)
    try:
        yield importlib.import_module("broken_parts")
    finally:
        sys.path.remove(HERE)


@pytest.fixture
def plugins(monkeypatch):
    """A registry of its own for every test, to add plugins to."""
    fresh = type(registry())(discover())
    for module in ("vaehub.testing.suite", "vaehub.testing.parts", "vaehub.testing.plugins", "vaehub.config.schema"):
        monkeypatch.setattr(f"{module}.registry", lambda: fresh)
    return fresh


def test_every_fault_is_named(broken, plugins):
    plugins.add(examine("broken", "1.0", "tests", lambda: broken))
    found = {(case.bench.key, case.check.name): case for case in cases("broken")}
    missed = [
        f"{component} passes {name}: {result}"
        for component, names in broken.FAULTS.items()
        for name in names
        if (result := found[component, name].run()).status != "failed" or not result.message
    ]
    assert not missed
    assert len(broken.FAULTS) >= 15


def test_every_check_can_fail(broken):
    named = set().union(*broken.FAULTS.values()) | OF_PLUGINS
    assert {check.name for check in CHECKS} == named
    assert len(named) >= 40


def test_checks_say_what_they_ask():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.purpose.endswith(".") for check in CHECKS)


def test_what_is_intact_passes(broken, plugins):
    """The parts that the broken ones derive from: the one fault is all that tells them apart."""
    homes = {name: importlib.import_module(f"broken_parts.{home}") for home, names in INTACT.items() for name in names}
    targets = {f"{kind(getattr(home, name))}/{name.lower()}": f"{home.__name__}:{name}" for name, home in homes.items()}
    plugins.add(PluginInfo("intact", "1.0", "tests", components=targets))
    results = check("intact")
    assert len({r.component for r in results}) == len(targets) + 1
    assert [r for r in results if r.status == "failed"] == []


def kind(cls):
    return next(base.__name__.lower() for base in cls.__mro__ if base.__name__.lower() in KINDS)


def statuses(name):
    return {result.check: result for result in check(name)}


def test_a_plugin_that_does_not_load(plugins):
    plugins.add(PluginInfo("lame", "-", "nowhere", status="ImportError: no module named numppy"))
    results = statuses("lame")
    assert results["plugin_loads"].status == "failed"
    assert "numppy" in results["plugin_loads"].message
    assert results["plugin_states_its_version"].status == "failed"
    assert results["plugin_offers_something"].status == "failed"


def test_a_plugin_that_imports_torch_to_be_listed(plugins, tmp_path, monkeypatch):
    (tmp_path / "heavy.py").write_text(
        "import torch\nfrom vaehub import hookimpl\n\n\n@hookimpl\ndef vaehub_components():\n    return {}\n"
    )
    (tmp_path / "torch.py").write_text("'Stands in for torch, whose import takes seconds.'\n")
    info = tmp_path / "heavy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[vaehub]\nheavy = heavy\n")
    monkeypatch.syspath_prepend(tmp_path)
    plugins.add(PluginInfo("heavy", "1.0", "heavy"))
    result = statuses("heavy")["listing_it_imports_no_torch"]
    assert result.status == "failed"
    assert "torch" in result.message


def test_known_failures_are_skipped_until_they_pass(broken, plugins, monkeypatch):
    likelihoods = importlib.import_module("broken_parts.likelihoods")
    monkeypatch.setattr(
        likelihoods.SquaredError, "known_failures", {"density_sums_to_one": "by custom", "documented": "old"}, raising=False
    )
    plugins.add(
        PluginInfo("known", "1.0", "tests", components={"likelihood/squared_error": "broken_parts.likelihoods:SquaredError"})
    )
    results = statuses("known")
    assert results["density_sums_to_one"] == Result(
        "density_sums_to_one", "likelihood/squared_error", "skipped", "known failure: by custom"
    )
    assert results["documented"].status == "failed"
    assert "mended" in results["documented"].message


def test_an_example_gives_what_has_no_default(broken, plugins):
    targets = {f"domain/{name.lower()}": f"broken_parts.domains:{name}" for name in ("FromFile", "FromFileOnly")}
    plugins.add(PluginInfo("needy", "1.0", "tests", components=targets))
    results = {(r.component, r.check): r for r in check("needy")}
    assert [r for r in results.values() if r.component == "domain/fromfile" and r.status == "failed"] == []
    assert results["domain/fromfileonly", "options_have_defaults"].status == "failed"
    assert results["domain/fromfileonly", "rows_fit_the_spec"].status == "skipped"


def test_unknown_plugin():
    with pytest.raises(UsageError, match="did you mean 'builtin'"):
        check("bultin")


def test_vaehub_is_the_core():
    assert [str(case) for case in cases("vaehub")] == [str(case) for case in cases("builtin")]
