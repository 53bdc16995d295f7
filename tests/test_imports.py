"""The floors of the house: who may import whom, lazy imports and those for type checking included."""

from __future__ import annotations

import ast
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pytest

import vaehub
from vaehub.model import nets

ROOT = Path(__file__).parents[1]
PLUGINS = ("images", "molecules", "recommender", "timeseries")


def sources() -> dict[str, Path]:
    """Every module of the engine and the plugins, and its file."""
    roots = [(ROOT, ROOT / "vaehub"), *((ROOT / "plugins" / p, ROOT / "plugins" / p / f"vaehub_{p}") for p in PLUGINS)]
    found = {}
    for base, package in roots:
        for path in package.rglob("*.py"):
            name = ".".join(path.relative_to(base).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = sources()


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in whole}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & MODULES.keys()


EDGES = {name: imported(path) - {name} for name, path in MODULES.items()}


def cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected sets of more than one module, by Kosaraju's two passes."""
    order: list[str] = []
    seen: set[str] = set()

    def finish(start: str, graph: dict[str, set[str]], out: list[str]) -> None:
        stack = [(start, iter(sorted(graph[start])))]
        seen.add(start)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                out.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(sorted(graph[following]))))

    for name in sorted(edges):
        if name not in seen:
            finish(name, edges, order)
    backwards: dict[str, set[str]] = defaultdict(set, {name: set() for name in edges})
    for name, targets in edges.items():
        for target in targets:
            backwards[target].add(name)
    seen.clear()
    found = []
    for name in reversed(order):
        if name not in seen:
            members: list[str] = []
            finish(name, backwards, members)
            if len(members) > 1:
                found.append(sorted(members))
    return found


def test_the_search_for_cycles_finds_them():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_the_engine_has_no_cycle_of_imports():
    engine = {
        name: {n for n in targets if n.startswith("vaehub.")} for name, targets in EDGES.items() if name.startswith("vaehub.")
    }
    assert len(engine) > 100
    assert cycles(engine) == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_has_no_cycle_of_imports(plugin):
    package = f"vaehub_{plugin}"
    own = {
        name: {target for target in targets if target.split(".")[0] == package}
        for name, targets in EDGES.items()
        if name.split(".")[0] == package
    }
    assert len(own) > 10
    assert cycles(own) == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_no_plugin_imports_another(plugin):
    own = f"vaehub_{plugin}"
    for name, targets in EDGES.items():
        if name.split(".")[0] == own:
            assert {t.split(".")[0] for t in targets} <= {"vaehub", own}, name


@pytest.mark.parametrize(
    ("room", "never"), [("model", "files"), ("host", "cli"), ("base", "model"), ("data", "model"), ("files", "run")]
)
def test_no_room_imports_one_above_it(room, never):
    rooms = {name: targets for name, targets in EDGES.items() if name.startswith(f"vaehub.{room}")}
    assert rooms
    for name, targets in rooms.items():
        assert not [t for t in targets if t == f"vaehub.{never}" or t.startswith(f"vaehub.{never}.")], name


ROOMS = ("arguments", "cli", "evaluation", "files", "hints", "jobs", "model", "report", "signals", "sparse", "testing")
OFFERED = {
    "vaehub": {*vaehub.__all__, *ROOMS},
    "vaehub.model": {*import_module("vaehub.model").__all__, "nets"},
    **{f"vaehub.{room}": {*import_module(f"vaehub.{room}").__all__} for room in ROOMS if room not in ("model", "testing")},
    "vaehub.model.nets": {*nets.__all__},
}


def outside_the_surface(tree: ast.Module) -> list[str]:
    """What a module takes from the engine that is not offered to plugins."""
    taken: list[tuple[str, str]] = []
    local: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            local |= {alias.name: alias.name for alias in node.names if alias.name == "vaehub"}
            taken += [(alias.name, "*") for alias in node.names if alias.name.startswith("vaehub.")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vaehub":
            taken += [(str(node.module), alias.name) for alias in node.names]
            local |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names if f"{node.module}.{a.name}" in OFFERED}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in local:
            taken.append((local[node.value.id], node.attr))
    return [f"{module}.{name}" for module, name in taken if name not in OFFERED.get(module, ())]


def test_what_is_outside_the_surface_is_found():
    text = "from vaehub import files, Spec, nosuch\nimport vaehub.run\nfrom vaehub.files.guard import guarded\nfiles.guarded, files.sync"
    found = outside_the_surface(ast.parse(text))
    assert found == ["vaehub.nosuch", "vaehub.run.*", "vaehub.files.guard.guarded", "vaehub.files.sync"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_nothing_but_the_public_surface(plugin):
    modules = {name: path for name, path in MODULES.items() if name.split(".")[0] == f"vaehub_{plugin}"}
    found = {name: outside_the_surface(ast.parse(path.read_text("utf-8"))) for name, path in modules.items()}
    assert len(found) > 10
    assert {name: names for name, names in found.items() if names} == {}


def test_every_name_of_the_surface_is_there():
    for module, names in OFFERED.items():
        for name in names - {"testing", "cli", "nets"}:
            assert getattr(import_module(module), name, None) is not None or f"{module}.{name}" in MODULES, f"{module}.{name}"


def test_the_engine_knows_no_plugin():
    for name, targets in EDGES.items():
        if name.startswith("vaehub."):
            assert not [t for t in targets if t.startswith("vaehub_")], name
