"""A fitted imputer as a folder: written whole or not at all, read by later versions, refused in one line where it is damaged."""

import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub.testing.damage import damaged
from vaehub_timeseries import Imputer


def waves(seed):
    """Three noisy waves with gaps."""
    rng, t = np.random.default_rng(seed), np.arange(240)
    wave = np.sin(t / 3 + rng.random())
    values = np.stack([20 + 5 * wave, 3 * np.cos(t / 3), -wave + 0.5 * np.cos(t / 3)], 1) + 0.2 * rng.standard_normal((240, 3))
    index = pd.date_range("2024-03-30", periods=240, freq="h")
    return pd.DataFrame(values, index=index, columns=list("abc")).mask(rng.random((240, 3)) < 0.25)


@pytest.fixture(scope="module")
def frame():
    return waves(0)


@pytest.fixture(scope="module")
def imputer(frame):
    return Imputer(window=12).fit(frame)


def test_saved_and_loaded(imputer, frame, tmp_path):
    imputer.save(tmp_path / "saved")
    loaded = Imputer.load(tmp_path / "saved")
    new = waves(4)
    for data in (frame, new):
        pd.testing.assert_frame_equal(loaded.transform(data), imputer.transform(data), check_exact=True)
    assert loaded.get_params() == imputer.get_params()
    pd.testing.assert_frame_equal(loaded.errors_, imputer.errors_)
    assert not list((tmp_path / "saved").rglob("*.pkl"))
    with pytest.raises(UsageError, match="nothing"):
        Imputer.load(tmp_path / "nothing")
    (tmp_path / "saved" / "imputer.safetensors").write_bytes(b"x" * 50)
    with pytest.raises(UsageError, match="safetensors"):
        Imputer.load(tmp_path / "saved")


def test_the_same_imputer_is_the_same_bytes_in_a_flat_folder(imputer, tmp_path):
    imputer.save(tmp_path / "saved")
    before = contents(tmp_path / "saved")
    imputer.save(tmp_path / "saved")
    assert contents(tmp_path / "saved") == before
    assert before.keys() <= {"imputer.safetensors", "process.safetensors", "vae.safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def contents(folder):
    """The bytes of every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_imputer_saved_by_an_older_version_is_read(imputer, frame, tmp_path):
    imputer.save(tmp_path / "old")
    (tmp_path / "old" / "model").mkdir()
    for name in ("process.safetensors", "vae.safetensors"):
        if (tmp_path / "old" / name).exists():
            (tmp_path / "old" / name).rename(tmp_path / "old" / "model" / name)
    pd.testing.assert_frame_equal(Imputer.load(tmp_path / "old").transform(frame), imputer.transform(frame), check_exact=True)


def test_an_imputer_saved_before_there_were_limits_and_indicators_is_read(imputer, frame, tmp_path):
    imputer.save(tmp_path / "old")
    file = tmp_path / "old" / "imputer.safetensors"
    tensors, header = load_model(file)
    old = header["imputer"]
    del old["indicated"], old["schema"]["reading"]["freq"]
    for name in ("max_gap", "limit_area", "add_indicator", "freq"):
        del old["params"][name]
    save_model(file, tensors, {"imputer": old})
    loaded = Imputer.load(tmp_path / "old")
    pd.testing.assert_frame_equal(loaded.transform(frame), imputer.transform(frame), check_exact=True)
    assert loaded.get_params() == imputer.get_params()


def test_limits_and_indicators_are_saved(frame, tmp_path):
    imputer = Imputer(window=12, max_gap=1, limit_area="inside", add_indicator=True, freq="h").fit(frame)
    imputer.save(tmp_path / "saved")
    loaded = Imputer.load(tmp_path / "saved")
    assert loaded.get_params() == imputer.get_params()
    pd.testing.assert_frame_equal(loaded.transform(frame), imputer.transform(frame), check_exact=True)
    assert loaded.get_feature_names_out().tolist() == imputer.get_feature_names_out().tolist()


KILLED = """
import os, shutil, sys
from itertools import count
from vaehub_timeseries.impute.imputer import Imputer

imputer = Imputer.load("new")
for deadly in count():
    shutil.copytree("kept", f"target{deadly}")
    if child := os.fork():
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        continue
    moves = count()
    for name in ("fsync", "rename", "replace", "mkdir"):
        def dying(*given, do=getattr(os, name), **options):
            if next(moves) == deadly:
                os.kill(os.getpid(), 9)
            return do(*given, **options)
        setattr(os, name, dying)
    imputer.save(f"target{deadly}")
    os._exit(0)
"""


@pytest.mark.slow
def test_an_imputer_killed_while_saving_over_another_is_the_old_one_or_the_new_one(imputer, tmp_path):
    old = Imputer(window=12).fit(waves(5))
    old.save(tmp_path / "kept")
    imputer.save(tmp_path / "new")
    subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=True)
    targets = sorted(tmp_path.glob("target*"))
    assert len(targets) > 5
    for target in targets:
        Imputer.load(target)
        assert contents(target) in [contents(tmp_path / name) for name in ("kept", "new")]


def test_a_column_named_by_a_date_is_found_again(tmp_path):
    values = waves(6)
    frame = values.set_axis([date(2024, 1, 1), date(2024, 1, 2), (date(2024, 1, 3), "x")], axis=1)
    fitted = Imputer(window=12, columns=list(frame.columns)).fit(frame)
    fitted.save(tmp_path / "saved")
    loaded = Imputer.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.transform(frame), fitted.transform(frame), check_exact=True)
    assert loaded.get_params()["columns"] == tuple(frame.columns)


@pytest.mark.slow
def test_every_json_type_at_every_place_of_the_header_is_one_line_or_an_imputer(imputer, tmp_path):
    imputer.save(tmp_path / "saved")
    file = tmp_path / "saved" / "imputer.safetensors"
    tensors, header = load_model(file)
    complaints = []
    for _, other in damaged(header["imputer"]):
        save_model(file, tensors, {"imputer": other})
        try:
            Imputer.load(tmp_path / "saved")
        except UsageError as error:
            complaints.append(str(error))
    assert len(complaints) > 100
    assert [text for text in complaints if "\n" in text or not text.startswith(str(tmp_path / "saved"))] == []
