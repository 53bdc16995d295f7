"""A run is not judged by rows that it may have learnt from: its model file says what was in each split."""

from __future__ import annotations

import numpy as np
import pytest

from vaehub import UsageError, load, train
from vaehub.files import load_model, save_model

CONFIG = {"domain": "arrays", "latent": 1, "likelihood": "normal", "train": {"epochs": 1, "score_rows": 0}}


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.random.default_rng(0).normal(size=(60, 3)))
    return path


@pytest.fixture
def run(rows, tmp_path):
    train(CONFIG, {"domain.path": str(rows)}, out=tmp_path / "run", progress=False)
    return tmp_path / "run"


def test_the_same_data_are_judged_as_before(run):
    assert load(run).evaluate() == load(run).evaluate()


def test_a_file_that_has_grown_is_refused(run, rows):
    np.save(rows, np.concatenate([np.load(rows), np.ones((5, 3))]))
    with pytest.raises(UsageError, match=r"run: the data have changed since the model was trained \(the rows of .*test"):
        load(run).evaluate()
    assert load(run).encode(np.zeros((2, 3))).shape == (2, 1)  # which needs no training data


def test_a_copy_of_the_model_knows_its_data_too(run, rows, tmp_path):
    load(run).save(tmp_path / "copy.safetensors")
    load(tmp_path / "copy.safetensors").data("test")
    np.save(rows, np.load(rows) + 1)
    with pytest.raises(UsageError, match="the data have changed"):
        load(tmp_path / "copy.safetensors").data("test")


def test_a_model_of_before_says_that_it_cannot_tell(run):
    weights, header = load_model(run / "model.safetensors")
    del header["splits"]
    save_model(run / "model.safetensors", weights, header)
    with pytest.warns(UserWarning, match="without a record of its data"):
        load(run).data("test")


def test_training_does_not_go_on_with_other_rows(run, rows):
    options = {"domain.path": str(rows), "train.epochs": 2}
    before = np.load(rows)
    np.save(rows, np.concatenate([before, np.ones((5, 3))]))
    with pytest.raises(UsageError, match="the data have changed"):
        train(CONFIG, options, out=run, resume=True, progress=False)
    np.save(rows, before)
    assert len(train(CONFIG, options, out=run, resume=True, progress=False).history) == 2
