"""A prior that is fitted to the codes of a trained encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import vaehub
from vaehub.errors import RunFailed, UsageError
from vaehub.training.second_stage import codes

CONFIG = {
    "latent": 2,
    "likelihood": "normal",
    "objective": {"name": "elbo", "beta": 0.01},  # so that codes lie in clusters, far from N(0, I)
    "train": {"epochs": 30, "batch_size": 32, "score_rows": 0},
    "optimizer": {"lr": 1e-2},
}
PRIORS = {"flow": {"name": "flow", "layers": 4, "hidden": [32]}, "mixture": {"name": "mixture", "components": 8}}


def clusters(n, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.array([[3.0, 3.0, 0.0], [-3.0, 0.0, 3.0], [0.0, -3.0, -3.0]])
    return (centres[rng.integers(3, size=n)] + 0.1 * rng.standard_normal((n, 3))).astype(np.float32)


@pytest.fixture(scope="module")
def run():
    return vaehub.train(CONFIG, data=clusters(300), progress=False)


def log_density(run, rows):
    with torch.no_grad():
        return float(run.vae.prior().log_prob(torch.from_numpy(run.encode(rows))).mean())


def distance(x):
    """Mean distance of rows to the nearest row of the data."""
    return np.linalg.norm(x[:, None] - clusters(300)[None], axis=-1).min(1).mean()


@pytest.mark.parametrize("prior", PRIORS)
def test_codes_of_unseen_rows_are_likelier_and_draws_are_like_the_data(run, prior):
    better = vaehub.fit_prior(run, PRIORS[prior], clusters(300), epochs=60, batch_size=64, lr=1e-2)
    unseen = clusters(200, seed=1)
    assert log_density(better, unseen) > log_density(run, unseen) + 1
    assert distance(better.sample(200)) < 0.7 * distance(run.sample(200))
    assert list(better.history.columns) == ["epoch", "train_log_pz", "val_log_pz"]


def test_codes_without_noise_are_means(run):
    rows = clusters(40)
    means, _ = codes(run, run.rows(rows), draws=2, noise=0.0)
    assert np.allclose(np.sort(means[:, 1].numpy(), 0), np.sort(run.encode(rows), 0), atol=1e-6)
    half, whole = (codes(run, run.rows(rows), draws=200, noise=noise)[0].std(1).mean() for noise in (0.5, 1.0))
    assert float(half) == pytest.approx(float(whole) / 2, rel=0.1)


def test_a_prior_of_means_is_sharper(run):
    sharp = vaehub.fit_prior(run, PRIORS["mixture"], clusters(300), noise=0.0, epochs=60, lr=1e-2)
    wide = vaehub.fit_prior(run, PRIORS["mixture"], clusters(300), epochs=60, lr=1e-2)
    assert log_density(sharp, clusters(200, seed=1)) > log_density(wide, clusters(200, seed=1))


def test_encoder_and_decoder_stay_as_they_are_and_so_does_the_run(run):
    before = {name: weight.clone() for name, weight in run.vae.state_dict().items()}
    better = vaehub.fit_prior(run, PRIORS["flow"], clusters(50), epochs=1)
    rows = clusters(20)
    assert np.array_equal(better.reconstruct(rows), run.reconstruct(rows))
    assert run.config.prior.name == "standard_normal"
    assert all(torch.equal(before[name], weight) for name, weight in run.vae.state_dict().items())


def test_it_is_saved_and_loaded_with_its_prior(run, tmp_path):
    better = vaehub.fit_prior(run, PRIORS["mixture"], clusters(50), epochs=1)
    better.save(tmp_path / "model.safetensors")
    loaded = vaehub.load(tmp_path / "model.safetensors")
    assert loaded.config.prior.name == "mixture"
    assert np.array_equal(loaded.sample(5, seed=3), better.sample(5, seed=3))


def test_the_same_seed_gives_the_same_prior(run):
    first, again = (vaehub.fit_prior(run, PRIORS["mixture"], clusters(50), epochs=2, seed=4) for _ in range(2))
    assert np.array_equal(first.sample(5), again.sample(5))


def test_a_prior_of_the_same_form_goes_on_from_its_weights(run):
    first = vaehub.fit_prior(run, PRIORS["mixture"], clusters(300), epochs=60, batch_size=64, lr=1e-2)
    again = vaehub.fit_prior(first, PRIORS["mixture"], clusters(300), epochs=1, lr=1e-6)
    mean = dict(first.vae.prior.named_parameters())["mean"]
    assert torch.allclose(dict(again.vae.prior.named_parameters())["mean"], mean, atol=1e-4)


def test_a_prior_with_a_condition_is_fitted_to_it():
    rows = clusters(300)
    labels = rows.argmax(1)
    run = vaehub.train(CONFIG, data={"x": rows, "cond": np.eye(3, dtype=np.float32)[labels]}, progress=False)
    better = vaehub.fit_prior(run, "conditional_normal", epochs=60, lr=1e-2)
    assert better.history.val_log_pz.iloc[-1] > better.history.val_log_pz.iloc[0]


def test_what_cannot_be_fitted_is_refused(run):
    with pytest.raises(UsageError, match="prior: standard_normal has nothing to learn; choose mixture or flow"):
        vaehub.fit_prior(run, "standard_normal", clusters(50))
    with pytest.raises(UsageError, match="did you mean 'flow'"):
        vaehub.fit_prior(run, "flo", clusters(50))
    with pytest.raises(UsageError, match="data: a single row"):
        vaehub.fit_prior(run, "flow", clusters(1))
    with pytest.raises(UsageError, match="epochs"):
        vaehub.fit_prior(run, "flow", clusters(50), epochs=0)
    with pytest.raises(UsageError, match=r"noise.*a number from 0 to 1"):
        vaehub.fit_prior(run, "flow", clusters(50), noise=1.5)


def test_a_rate_that_breaks_it_is_told(run):
    with pytest.raises(RunFailed, match="lower lr"):
        vaehub.fit_prior(run, PRIORS["flow"], clusters(50), epochs=1, lr=1e30)
