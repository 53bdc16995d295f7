"""What `pip install` gives: wheels with their configs, which train a model in an environment that knows nothing of the clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [ROOT, *sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))]
SMALL = ["latent=2", "encoder={name: mlp, hidden: [4]}", "decoder={name: mlp, hidden: [4]}", "domain.validation=59000"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with all packages, installed from their wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", folder / "built", *PACKAGES]
    subprocess.run([*pip, *build], check=True)
    wheels = sorted((folder / "built").glob("*.whl"))
    assert len(wheels) == len(PACKAGES)
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", folder / "site", *wheels], check=True)
    return folder / "site"


def run(installed, folder, *words):
    """What a command of the installed packages prints."""
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_installed_wheels_train_a_model_by_the_name_of_a_config(installed, tmp_path):
    home = run(installed, tmp_path, "-c", "import vaehub, vaehub_images; print(vaehub.__file__, vaehub_images.__file__)")
    assert all(word.startswith(str(installed)) for word in home.split())

    listed = {line.split()[0] for line in run(installed, tmp_path, "-m", "vaehub", "configs").splitlines()[1:]}
    assert listed == {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    text = run(installed, tmp_path, "-m", "vaehub", "init", "timeseries_masked")
    assert text == (ROOT / "configs" / "timeseries_masked.yaml").read_text()

    settings = ["train.epochs=1", "train.score_rows=0", "trainer.limit_train_batches=2", "train.eval_batch_size=1000"]
    run(installed, tmp_path, "-m", "vaehub", "train", "mnist", *SMALL, *settings)
    run(installed, tmp_path, "-m", "vaehub", "sample", "runs/mnist", "-n", "3", "-o", "three.npy")
    assert (tmp_path / "three.npy").is_file()


@pytest.mark.slow
def test_an_editable_install_has_no_copies_of_the_configs(tmp_path):
    code = f"from hatchling.build import build_editable; print(build_editable({str(tmp_path)!r}))"
    name = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "plugins" / "images", check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    listing = subprocess.run([sys.executable, "-m", "zipfile", "-l", tmp_path / name], check=True, capture_output=True, text=True)
    assert ".pth" in listing.stdout
    assert ".yaml" not in listing.stdout
