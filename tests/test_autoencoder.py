"""The estimator: scikit-learn's own checks, and what it promises besides."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import vaehub

QUICK = {"latent": 2, "epochs": 2, "hidden": (8,), "random_state": 0}


def plane(rows=300):
    """Rows near a plane in six dimensions, far from 0."""
    noise = np.random.default_rng(0)
    return 100 + 10 * noise.normal(size=(rows, 2)) @ noise.normal(size=(2, 6)) + noise.normal(size=(rows, 6))


@parametrize_with_checks([vaehub.Autoencoder(**QUICK)])  # all of them: none is declared to fail
def test_scikit_learn_finds_no_fault(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_codes_reconstruct_as_principal_components_do():
    x = plane()
    model = vaehub.Autoencoder(latent=2, random_state=0).fit(x)
    pca = PCA(2).fit(x)
    best = np.square(pca.inverse_transform(pca.transform(x)) - x).mean()
    assert np.square(model.inverse_transform(model.transform(x)) - x).mean() < 2.5 * best
    assert x.var(0).mean() > 20 * best
    assert abs(model.sample(500, random_state=1).mean() - x.mean()) < 5


def test_scores_are_log_densities_in_the_units_of_the_data():
    x = plane()
    model = vaehub.Autoencoder(**QUICK | {"epochs": 60}).fit(x)
    scaled = vaehub.Autoencoder(**QUICK | {"epochs": 60}).fit(x * 10)
    assert np.allclose(model.score_samples(x) - scaled.score_samples(x * 10), 6 * np.log(10), atol=1e-3)
    assert model.score(x) > model.score(x + 30)
    assert model.score(x) < PCA(2).fit(x).score(x) + 0.5
    gaps = x.copy()
    gaps[:, 0] = np.nan
    assert np.isfinite(model.score_samples(gaps)).all()


@pytest.mark.slow
def test_missing_values_are_filled_in():
    x = plane()
    gaps = x.copy()
    gaps[::3, 1] = np.nan
    model = vaehub.Autoencoder(latent=2, random_state=0, overrides=("encoder.mask=true",)).fit(gaps)
    filled = model.inverse_transform(model.transform(gaps))
    error = np.abs(filled[::3, 1] - x[::3, 1]).mean()
    assert error < 0.7 * np.abs(x[::3, 1] - np.nanmean(gaps[:, 1])).mean()


def test_it_works_in_a_pipeline_and_a_search_and_gives_frames_with_names():
    x, y = load_digits(return_X_y=True)
    x, y = x[:200], y[:200]
    codes = vaehub.Autoencoder(**QUICK)
    assert make_pipeline(clone(codes), LogisticRegression()).fit(x, y).predict(x).shape == (200,)
    search = GridSearchCV(codes, {"latent": [1, 2]}, cv=2).fit(x)
    assert search.best_params_["latent"] in (1, 2)
    frame = pd.DataFrame(plane(), columns=list("abcdef"))
    out = clone(codes).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == ["autoencoder0", "autoencoder1"]


def test_a_pickled_model_is_the_same_and_holds_no_rows():
    x = plane(3000)
    model = vaehub.Autoencoder(**QUICK).fit(x)
    kept = pickle.dumps(model)
    assert len(kept) < x.nbytes / 2
    again = pickle.loads(kept)
    assert np.array_equal(again.transform(x), model.transform(x))
    assert np.array_equal(again.sample(3, random_state=0), model.sample(3, random_state=0))


def test_results_repeat_with_their_random_state_alone():
    x = plane()
    a, b, other = (vaehub.Autoencoder(**QUICK | {"random_state": seed}).fit(x) for seed in (3, 3, 4))
    assert np.array_equal(a.transform(x), b.transform(x))
    assert not np.allclose(a.transform(x), other.transform(x))
    assert np.array_equal(a.sample(2, random_state=0), b.sample(2, random_state=0))


def test_nothing_is_printed_and_nothing_written(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    model = vaehub.Autoencoder(**QUICK).fit(plane())
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")
    assert len(model.run_.history) == 2
    assert model.run_.path is None


def test_misuse_is_said():
    with pytest.raises(vaehub.UsageError, match="bernoulli expects"):
        vaehub.Autoencoder(likelihood="bernoulli").fit(plane())
    with pytest.raises(vaehub.UsageError, match="no likelihood called 'gauss'"):
        vaehub.Autoencoder(likelihood="gauss").fit(plane())
    with pytest.raises(NotFittedError):
        vaehub.Autoencoder().sample()


@pytest.mark.slow
def test_scikit_learn_is_imported_on_use_alone():
    code = "import sys, vaehub; vaehub.train; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"VAEHUB_PLUGINS": "", "PYTHONPATH": ":".join(sys.path)})
