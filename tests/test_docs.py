"""Every code block in the README and the docs runs as it stands, in order, on a tenth of the data."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "docs/arrays.md", "docs/plugins.md", "docs/timeseries.md", "docs/recommender.md", "docs/molecules.md"]
PAGES += [f"plugins/{name}/README.md" for name in ("images", "molecules", "recommender", "timeseries")]
FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```", re.S | re.M)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the configs as shipped, but for a smaller training split of MNIST and one epoch of series."""
    (tmp_path / "configs").mkdir()
    for path in (ROOT / "configs").glob("mnist*.yaml"):
        config = yaml.safe_load(path.read_text())
        domain = config["domain"] if isinstance(config["domain"], dict) else {"name": config["domain"]}
        config["domain"] = domain | {"validation": 59_000}
        (tmp_path / "configs" / path.name).write_text(yaml.safe_dump(config))
    for path in (ROOT / "configs").glob("timeseries*.yaml"):
        config = yaml.safe_load(path.read_text())
        config["train"]["epochs"] = 1
        (tmp_path / "configs" / path.name).write_text(yaml.safe_dump(config))
    for path in (ROOT / "configs").glob("recommender*.yaml"):
        shutil.copy(path, tmp_path / "configs")
    for name in ("arrays", "images_folder"):
        shutil.copy(ROOT / "configs" / f"{name}.yaml", tmp_path / "configs")
    pictures(tmp_path / "my_pictures")
    shutil.make_archive(str(tmp_path / "my_pictures"), "zip", tmp_path / "my_pictures")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pictures(folder):
    """Forty small PNGs of a user's own."""
    noise = np.random.default_rng(0)
    folder.mkdir()
    for number in range(40):
        Image.fromarray(noise.integers(0, 256, (36, 32, 3), dtype=np.uint8)).save(folder / f"{number}.png")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page, place):
    blocks = FENCE.findall((ROOT / page).read_text())
    assert blocks
    for language, file, code in blocks:
        if file:
            (place / file).write_text(code)
        command = {"bash": ["bash", "-euo", "pipefail", "-c", code], "python": [sys.executable, "-c", code]}[language]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{page}:\n{code}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text())
    assert targets or page != "README.md"
    assert not [t for t in targets if not (ROOT / page).parent.joinpath(t).exists()]


def test_the_page_of_the_public_surface_says_what_the_docstrings_say():
    spec = importlib.util.spec_from_file_location("surface", ROOT / "docs" / "surface.py")
    surface = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(surface)
    assert surface.page() == surface.PAGE.read_text("utf-8"), "write it anew: python docs/surface.py"
    assert "|  |" not in surface.page()
