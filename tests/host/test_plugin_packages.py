"""What every package of the repository must have, compared across all of them, so that no plugin is forgotten."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import vaehub

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
HOMES = [ROOT, *PLUGINS]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", name, maxsplit=1)[0]).lower()


def project(home: Path) -> dict:
    return tomllib.loads((home / "pyproject.toml").read_text())["project"]


def package(home: Path) -> Path:
    return home / "vaehub" if home == ROOT else home / f"vaehub_{home.name}"


def imported(home: Path) -> set[str]:
    """Top-level modules that the package imports anywhere, but its own and those of Python."""
    found = set()
    for file in package(home).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {package(home).name}


def declared(home: Path) -> set[str]:
    about = project(home)
    optional = about.get("optional-dependencies", {})
    return {canonical(name) for name in (*about["dependencies"], *(name for names in optional.values() for name in names))}


@pytest.fixture(scope="module")
def distributions() -> dict[str, set[str]]:
    """The packages that bring a module; editable installs of this repository do not say so themselves."""
    known = {module: {canonical(name) for name in names} for module, names in packages_distributions().items()}
    return known | {package(home).name: {project(home)["name"]} for home in HOMES}


def test_there_are_plugins():
    assert {"images", "molecules", "recommender", "timeseries"} <= {home.name for home in PLUGINS}


@pytest.mark.parametrize("home", HOMES, ids=lambda home: package(home).name)
def test_types_reach_the_user(home):
    assert (package(home) / "py.typed").exists()
    assert "Typing :: Typed" in project(home)["classifiers"]


@pytest.mark.parametrize("home", HOMES, ids=lambda home: package(home).name)
def test_one_version(home):
    assert project(home)["version"] == vaehub.__version__


@pytest.mark.parametrize("home", PLUGINS, ids=lambda home: package(home).name)
def test_a_plugin_says_which_engine_it_fits(home):
    major, minor = map(int, vaehub.__version__.split(".")[:2])
    assert f"vaehub>={major}.{minor},<{major}.{minor + 1}" in project(home)["dependencies"]


@pytest.mark.parametrize("home", HOMES, ids=lambda home: package(home).name)
def test_every_import_is_declared(home, distributions):
    """Of optional ones as well, which may not be installed: their module has the name of their package."""
    missing = {module for module in imported(home) if not distributions.get(module, {canonical(module)}) & declared(home)}
    assert not missing


@pytest.mark.parametrize("home", PLUGINS, ids=lambda home: package(home).name)
def test_nothing_is_declared_in_vain(home, distributions):
    used = set().union(*(distributions.get(module, set()) for module in imported(home)))
    assert {canonical(name) for name in project(home)["dependencies"]} <= used


@pytest.mark.parametrize("home", PLUGINS, ids=lambda home: package(home).name)
def test_a_plugin_has_a_readme_and_keeps_the_contract(home):
    about = project(home)
    assert about["readme"] == "README.md"
    assert about["license"] == project(ROOT)["license"]
    assert about["requires-python"] == project(ROOT)["requires-python"]
    assert (home / "README.md").read_text().startswith(f"# {about['name']}")
    assert about["entry-points"]["vaehub"] == {home.name: f"{package(home).name}.plugin"}
    assert any(f'conformance("{home.name}")' in test.read_text() for test in (home / "tests").glob("test_*conformance.py"))


@pytest.mark.parametrize("home", PLUGINS, ids=lambda home: package(home).name)
def test_the_engine_offers_every_plugin_as_an_extra(home):
    assert project(ROOT)["optional-dependencies"][home.name] == [project(home)["name"]]
