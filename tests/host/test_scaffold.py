"""`vaehub new`: what it writes installs, conforms and trains as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from vaehub.errors import UsageError
from vaehub.host.discovery import host_version
from vaehub.host.scaffold import compatible, create

BUILD = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"


def python(*arguments, cwd, site=None):
    """Run this Python in `cwd`, with the packages of `site` in reach."""
    path = os.pathsep.join(filter(None, [str(site) if site else None, *sys.path]))
    environment = os.environ | {"PYTHONPATH": path, "VAEHUB_PLUGINS": "my_data", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=250)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return create("my_data", tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="module")
def site(package, tmp_path_factory):
    """A folder with the plugin installed in it, as pip would do from the wheel."""
    site = tmp_path_factory.mktemp("site")
    built = python("-c", BUILD, str(site), cwd=package)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(site / built.stdout.split()[-1]) as wheel:
        wheel.extractall(site)
    return site


@pytest.mark.slow
def test_its_own_tests_pass(package, site):
    result = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=package, site=site)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    assert "failed" not in result.stdout


@pytest.mark.slow
def test_check_is_green(package, site):
    result = python("-c", "from vaehub.cli.app import main; raise SystemExit(main())", "check", "my_data", cwd=package, site=site)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    assert "0 failed" in result.stdout
    for component in ("domain/my_data", "encoder/my_data_conv", "likelihood/my_data_logistic"):
        assert component in result.stdout


def test_nothing_is_left_to_fill_in(package):
    files = {
        path.relative_to(package).as_posix(): path.read_text()
        for path in package.rglob("*")
        if path.suffix in {".py", ".toml", ".md", ".yaml"}
    }
    assert {"pyproject.toml", "README.md", "my_data.yaml", "vaehub_my_data/plugin.py", "tests/test_my_data.py"} <= set(files)
    assert not [name for name, text in files.items() if "NAME" in text or "${" in text]
    assert tomllib.loads(files["pyproject.toml"])["project"]["entry-points"]["vaehub"] == {"my_data": "vaehub_my_data.plugin"}


def test_it_says_which_engine_it_fits_and_is_typed(package):
    about = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    assert about["dependencies"][0] == f"vaehub{compatible(host_version())}"
    assert (package / "vaehub_my_data" / "py.typed").exists()
    assert "Typing :: Typed" in about["classifiers"]


@pytest.mark.parametrize(
    ("version", "range"), [("0.2.0", ">=0.2,<0.3"), ("1.10.3rc1", ">=1.10,<1.11"), ("2", ">=2.0,<2.1"), ("0", ">=0.0,<0.1")]
)
def test_the_range_of_a_version(version, range):
    assert compatible(version) == range


def test_what_it_writes_is_clean(package):
    rules = ("--isolated", "--line-length", "130", "--target-version", "py311", "--select", "E,F,W,B,UP,C4,SIM,RUF")
    lint = python("-m", "ruff", "check", *rules, str(package), cwd=package)
    assert lint.returncode == 0, lint.stdout + lint.stderr


@pytest.mark.parametrize("name", ["My", "1st", "my-data", "class", "", "a b", "../up", "é"])
def test_bad_names_are_refused(name, tmp_path):
    with pytest.raises(UsageError, match="cannot name a plugin"):
        create(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_taken_is_refused(tmp_path):
    with pytest.raises(UsageError, match="installed already"):
        create("builtin", tmp_path)


def test_a_folder_in_use_is_left_alone(tmp_path):
    folder = tmp_path / "vaehub-mine"
    folder.mkdir()
    (folder / "precious").write_text("kept")
    with pytest.raises(UsageError, match="not empty"):
        create("mine", tmp_path)
    assert [path.name for path in folder.iterdir()] == ["precious"]


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "vaehub-mine").mkdir()
    assert (create("mine", tmp_path) / "vaehub_mine" / "domain.py").exists()
