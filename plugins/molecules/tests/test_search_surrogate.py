"""The process on fingerprints says what its formula says, and chooses by it."""

import numpy as np
import pytest

from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.search.surrogate import evidence, fit, solve

SMILES = [f"{head}c1ccc({tail})cc1" for head in ("C", "CC", "CCC", "CO", "N", "F") for tail in ("C", "O", "N", "Cl", "C#N", "OC")]


@pytest.fixture(scope="module")
def rows():
    return fingerprints(SMILES)


@pytest.fixture(scope="module")
def y():
    return np.array([len(s) + 0.1 * s.count("N") for s in SMILES], dtype=float)


def test_prediction_is_the_posterior_in_closed_form(rows, y):
    train, test = np.arange(0, 36, 2), np.arange(1, 36, 2)
    gp = fit(rows[train], y[train])
    kernel = tanimoto(rows[train], rows[train]).astype(float) + gp.noise * np.eye(18)
    cross = tanimoto(rows[test], rows[train]).astype(float)
    mean, deviation = gp.predict(rows[test])
    centred = y[train] - y[train].mean()
    scale = centred @ np.linalg.inv(kernel) @ centred / 18
    assert np.allclose(mean, y[train].mean() + cross @ np.linalg.inv(kernel) @ centred, atol=1e-3)
    variance = scale * (1 - np.einsum("ij,jk,ik->i", cross, np.linalg.inv(kernel), cross))
    assert np.allclose(deviation**2, variance, rtol=1e-2, atol=1e-4)


def test_what_was_called_is_known_and_what_is_far_is_not(rows, y):
    gp = fit(rows, y)
    mean, deviation = gp.predict(np.concatenate([rows[:5], fingerprints(["O=S(=O)(Br)P(I)I"])]))
    assert np.allclose(mean[:5], y[:5], atol=0.3)
    assert mean[5] == pytest.approx(y.mean(), abs=0.5)
    assert deviation[5] > 3 * deviation[:5].max()


def test_the_noise_is_found_where_there_is_some(rows, y):
    noisy = y + np.random.default_rng(0).normal(0, 3 * y.std(), len(y))
    assert fit(rows, noisy).noise > fit(rows, y).noise


def test_evidence_is_that_of_the_normal_law(rows, y):
    """With the scale at its maximum, up to a constant that does not depend on the noise."""
    from scipy.stats import multivariate_normal

    kernel, centred = tanimoto(rows, rows).astype(float), y - y.mean()

    def exact(noise):
        weights = solve(kernel, centred, noise)[1]
        return multivariate_normal.logpdf(centred, cov=(centred @ weights / len(y)) * (kernel + noise * np.eye(len(y))))

    difference = [evidence(kernel, centred, noise) - exact(noise) for noise in (0.01, 0.1, 1.0)]
    assert np.allclose(difference, difference[0], atol=1e-6)


def test_equal_values_are_no_obstacle(rows):
    mean, deviation = fit(rows, np.ones(len(rows))).predict(rows)
    assert np.allclose(mean, 1.0)
    assert np.isfinite(deviation).all()
