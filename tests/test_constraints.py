"""What the pyproject.toml files admit at least is what `make oldest` tests."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "pyproject.toml", *sorted((ROOT / "plugins").glob("*/pyproject.toml"))]
NOT_TESTED = {"mlflow"}  # no test needs it
NO_CPU_BUILD = {"torch"}  # the lowest build for the CPU alone is a newer one


def plain(name):
    return name.lower().replace("_", "-")


def bounds():
    """(file, package, lowest version) of every dependency that has one."""
    for file in FILES:
        project = tomllib.loads(file.read_text())["project"]
        extras = project.get("optional-dependencies", {}).values()
        for dependency in [*project["dependencies"], *(each for extra in extras for each in extra)]:
            found = re.match(r"([\w.-]+)>=([\d.]+)$", dependency)
            if found and plain(found[1]) not in NOT_TESTED:
                yield file.parent.name, plain(found[1]), found[2]


def test_every_lower_bound_is_the_version_of_the_oldest_environment():
    lines = (ROOT / "constraints" / "oldest.txt").read_text().splitlines()
    pins = {plain(name): version for name, version in (line.split("==") for line in lines if "==" in line)}
    found = list(bounds())
    assert len(found) > 40
    for file, package, lowest in found:
        if package in NO_CPU_BUILD:
            assert tuple(map(int, pins[package].split("."))) >= tuple(map(int, lowest.split(".")))
        else:
            assert re.fullmatch(rf"{re.escape(lowest)}(\.0)*", pins[package]), (
                f"{file}: {package}>={lowest}, tested {pins[package]}"
            )


def test_all_pyproject_files_have_one_lower_bound_for_a_package():
    seen = {}
    for file, package, lowest in bounds():
        assert seen.setdefault(package, lowest) == lowest, f"{file}: {package}"
