"""The Python face of a trained model: what a user calls, and what they are told when they call it wrongly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub.config.build import build_vae
from vaehub.training.fit import train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = {"domain": {"name": "toy", "rows": 1000}, "latent": 3}
    options = ["encoder.hidden=[64]", "decoder.hidden=[64]", "train.epochs=30", "train.batch_size=32", "optimizer.lr=3e-3"]
    return train(config, options, tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def x(run):
    return run.data("test")[torch.arange(20)].x


def test_every_method_gives_numpy_of_the_right_shape(run, x):
    assert run.sample(4).shape == (4, 1, 8, 8)
    z = run.encode(x)
    assert z.shape == (20, 3)
    assert run.decode(z).shape == run.reconstruct(x).shape == (20, 1, 8, 8)
    assert run.interpolate(x[0], x[1], steps=5).shape == (5, 1, 8, 8)
    assert all(isinstance(a, np.ndarray) for a in (z, run.decode(z), run.sample(1)))


def test_numpy_and_torch_give_the_same(run, x):
    assert np.array_equal(run.encode(x), run.encode(x.numpy()))
    assert np.array_equal(run.encode(x), run.encode(x.double()))


def test_arrays_that_must_not_be_written_to_are_taken_without_a_warning(run, x):
    frozen = x.numpy().copy()
    frozen.setflags(write=False)
    assert np.array_equal(run.encode(frozen), run.encode(x))
    assert run.decode(np.zeros((2, 3))[:, ::-1]).shape == (2, 1, 8, 8)


def test_results_do_not_depend_on_the_size_of_batches(run, x):
    whole = run.encode(x)
    rows = np.concatenate([run.encode(x[i : i + 1]) for i in range(len(x))])
    assert np.allclose(whole, rows, atol=1e-6)


def test_reconstruct_is_decode_of_encode_and_interpolation_ends_at_the_rows(run, x):
    assert np.allclose(run.reconstruct(x), run.decode(run.encode(x)), atol=1e-6)
    strip = run.interpolate(x[0], x[1], steps=3)
    assert np.allclose(strip[[0, -1]], run.reconstruct(x[:2]), atol=1e-5)


def test_draws_that_are_read_again_are_so_after_loading_too(tmp_path):
    rows = torch.randn(80, 3) @ torch.ones(3, 3)
    run = vaehub.train({"latent": 2, "likelihood": "normal", "rereads": 2, "train": {"epochs": 3}}, data=rows, progress=False)
    run.save(tmp_path / "model.safetensors")
    loaded = vaehub.load(tmp_path / "model.safetensors")
    assert loaded.config.rereads == loaded.vae.rereads == 2
    assert np.array_equal(loaded.sample(1500, seed=4), run.sample(1500, seed=4))
    without = vaehub.Run(vaehub.load_config(run.config, ["rereads=0"]), run.codec, run.domain, build_vae(run.config, run.spec))
    without.vae.rereads = 0
    without.vae.load_state_dict(run.vae.state_dict())
    assert not np.allclose(without.sample(1500, seed=4), run.sample(1500, seed=4))


def test_samples_repeat_with_their_seed_and_noise_draws_from_the_likelihood(run):
    assert np.array_equal(run.sample(5, seed=3), run.sample(5, seed=3))
    assert not np.array_equal(run.sample(5, seed=3), run.sample(5, seed=4))
    assert set(np.unique(run.sample(5, noise=True))) == {0.0, 1.0}


def test_the_model_beats_independent_pixels(run):
    """A fitted Bernoulli for every pixel is the model that ignores z: the bound must be well above it."""
    train_x, test_x = (run.data(split)[torch.arange(200)].x for split in ("train", "test"))
    p = train_x.mean(0).clamp(0.01, 0.99)
    independent = -torch.nn.functional.binary_cross_entropy(p.expand_as(test_x), test_x, reduction="sum") / 200
    assert run.evaluate(samples=10)["elbo"] > independent + 3


def test_evaluate_orders_the_bounds_and_scores_rank_the_strange(run, x):
    figures = run.evaluate(samples=50)
    assert figures["elbo"] <= -figures["nll"] + 0.05
    assert np.isclose(figures["elbo"], figures["log_px"] - figures["kl"])
    scores = run.score(torch.cat([x, torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()]))
    assert scores.percentile[20:].mean() > scores.percentile[:20].mean() + 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.encode(np.zeros((3, 8, 8), np.float32)), r"rows of shape \(8, 8\)"),
        (lambda r: r.encode(np.full((3, 1, 8, 8), 255.0)), r"expects 0\.\.1, x spans \[255, 255\]"),
        (lambda r: r.encode(np.full((3, 1, 8, 8), np.nan)), "x holds 192 NaN"),
        (lambda r: r.encode(None), "^x: expected an array"),
        (lambda r: r.score("rows.npy"), "^x: expected an array"),
        (lambda r: r.decode(np.zeros((3, 7))), r"expects \(N, 3\)"),
        (lambda r: r.sample(0), "at least 1"),
        (lambda r: r.sample(2, cond=3), "takes no condition"),
        (lambda r: r.interpolate(np.zeros((1, 8, 8)), np.zeros((1, 8, 8)), steps=1), "at least 2"),
    ],
)
def test_misuse_is_said_in_one_line(run, call, message):
    with pytest.raises(vaehub.UsageError, match=message) as error:
        call(run)
    assert "\n" not in str(error.value)


def test_the_spread_of_a_code_comes_with_its_mean_when_asked_for(run, x):
    mean, std = run.encode(x, std=True)
    assert np.array_equal(mean, run.encode(x))
    q = run.vae.encoder(next(run.batches(run.rows(x))))
    assert np.allclose(std, q.stddev.detach(), atol=1e-6)


def test_a_run_says_what_it_is(run, tmp_path):
    text, html = repr(run), run._repr_html_()
    for word in ("domain=toy", "encoder=mlp/diag_normal", "latent=3", "device=cpu", "epochs=30", f"path={run.path}"):
        assert word in text
    assert f"best val_elbo={run.history.val_elbo.max():.2f}" in text
    assert html.startswith("<table><caption>Run</caption>")
    assert "<td>toy</td>" in html
    run.save(tmp_path / "m.safetensors")
    alone = vaehub.load(tmp_path / "m.safetensors")
    assert "epochs" not in repr(alone)
    with pytest.raises(vaehub.UsageError, match=r"history: a model file has no metrics\.csv"):
        _ = alone.history


def test_the_history_of_a_run_is_its_table_of_epochs(run):
    assert list(run.history.epoch) == list(range(30))
    assert {"train_elbo", "val_elbo", "lr", "seconds"} <= set(run.history)
    pd.testing.assert_frame_equal(vaehub.load(run.path).history, pd.read_csv(run.path / "metrics.csv"))


def test_no_rows_in_no_rows_out(run):
    assert run.encode(np.zeros((0, 1, 8, 8), np.float32)).shape == (0, 3)


def test_a_missing_run_is_named(tmp_path):
    with pytest.raises(vaehub.UsageError, match="no such run"):
        vaehub.load(tmp_path / "nothing")
    with pytest.raises(vaehub.UsageError, match="no model file"):
        vaehub.load(tmp_path)


def test_public_names_are_there():
    assert all(getattr(vaehub, name) for name in vaehub.__all__)
    assert set(vaehub.__all__) <= set(dir(vaehub))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = vaehub.nonsense


def test_training_is_still_a_function_after_it_was_called(small, tmp_path):
    """A submodule of the same name once took its place."""
    for number in range(2):
        vaehub.train(small(train={"epochs": 1}), out=tmp_path / str(number))
    assert callable(vaehub.train)
