"""Training without files, on with new rows, and from the weights of an earlier run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub.cli.app import main
from vaehub.training.fit import train


def same(a, b):
    """Whether two runs have the same weights, bit for bit."""
    pairs = zip(a.vae.state_dict().values(), b.vae.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.fixture
def run(small):
    return train(small(), progress=False)


def test_a_run_in_memory_has_the_bits_of_one_in_a_folder_and_writes_nothing(small, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    run = train(small(), progress=False)
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")
    other = train(small(), out=tmp_path / "run", progress=False)
    assert same(run, other)
    assert run.path is None
    assert run.state == other.state
    mine, theirs = (r.history.drop(columns="seconds") for r in (run, other))
    pd.testing.assert_frame_equal(mine, theirs, rtol=1e-4, check_dtype=False)


def test_a_run_in_memory_is_used_evaluated_and_saved_like_any_other(run, tmp_path):
    x = run.data("test")[torch.arange(5)].x
    assert run.evaluate(samples=2)["rows"] == 200
    assert len(run.score(x)) == 5
    run.save(tmp_path / "m.safetensors")
    assert np.array_equal(vaehub.load(tmp_path / "m.safetensors").encode(x), run.encode(x))
    with pytest.raises(vaehub.UsageError, match="no run folder"):
        run.report()


def test_what_needs_a_folder_says_so(small):
    for options in ({"resume": True}, {"force": True}):
        with pytest.raises(vaehub.UsageError, match="give one with out="):
            train(small(), **options)
    with pytest.raises(vaehub.UsageError, match=r"train\.logger=tensorboard writes to a run folder"):
        train(small(), ["train.logger=tensorboard"])


def test_the_epoch_with_the_best_figure_is_kept(small):
    run = train(small(), ["train.epochs=4", "optimizer.lr=0.3", "optimizer.schedule=constant"], progress=False)
    best = run.history.val_elbo.max()
    assert run.evaluate("val", samples=1)["elbo"] == pytest.approx(best, abs=0.5)


def test_tuning_goes_on_with_new_rows_and_leaves_the_run_as_it_was(run):
    before = {name: t.clone() for name, t in run.vae.state_dict().items()}
    x = run.data("val")[torch.arange(100)].x
    better = run.tune(x, epochs=5, lr=3e-3)
    assert all(torch.equal(before[name], t) for name, t in run.vae.state_dict().items())
    assert not same(run, better)
    gain = better.score(x).elbo_score.mean() - run.score(x).elbo_score.mean()
    assert gain < -1
    assert len(better.history) == 5
    assert better.history.lr.max() <= 3e-3
    assert better.config == run.config
    assert same(better, run.tune(x, epochs=5, lr=3e-3))


def test_tuning_takes_the_domains_own_rows_or_other_ones_to_compare_by(run):
    assert len(run.tune(epochs=1).history) == 1
    x = run.data("val")[torch.arange(50)].x
    assert len(run.tune(x, val=x[:10], epochs=1).history) == 1
    with pytest.raises(vaehub.UsageError, match="rows of shape"):
        run.tune(np.zeros((5, 3)), epochs=1)
    with pytest.raises(vaehub.UsageError, match=r"train\.epochs"):
        run.tune(x, epochs=0)


def test_an_earlier_run_gives_its_weights_as_far_as_they_fit(run, small, capsys):
    still = ["optimizer.lr=1e-12"]
    assert same_codes(train(small(), still, init=run, progress=False), run)
    capsys.readouterr()
    wider = train(small(latent=3), [*still, "train.epochs=1"], init=run)
    said = capsys.readouterr().out
    assert "init: 5 of 8 weights taken from the given run; new are: " in said
    assert "(its shape is another)" in said
    own, other = wider.vae.state_dict(), run.vae.state_dict()
    assert torch.allclose(own["encoder.net.0.weight"], other["encoder.net.0.weight"], atol=1e-6)


def same_codes(a, b):
    """Whether two runs encode alike."""
    x = b.data("test")[torch.arange(20)].x
    return np.allclose(a.encode(x), b.encode(x), atol=1e-5)


def test_weights_of_which_none_fits_are_refused(run):
    x = np.random.default_rng(0).normal(size=(30, 2))
    config = {"latent": 5, "encoder": {"name": "mlp", "hidden": [7]}, "decoder": {"name": "mlp", "hidden": [7]}}
    with pytest.raises(vaehub.UsageError, match="init: none of the weights"):
        train(config | {"likelihood": "normal"}, data=x, init=run, progress=False)
    with pytest.raises(vaehub.UsageError, match="no such run"):
        train(config | {"likelihood": "normal"}, data=x, init="nowhere", progress=False)


def test_the_command_line_starts_from_a_run(run, small, tmp_path, capsys):
    run.save(tmp_path / "first.safetensors")
    config = tmp_path / "c.yaml"
    config.write_text(str(small(train={"epochs": 1})))
    out = str(tmp_path / "second")
    assert main(["train", str(config), "--init", str(tmp_path / "first.safetensors"), "--out", out]) == 0
    assert "init: 8 of 8 weights taken from" in capsys.readouterr().out
    assert main(["train", str(config), "--init", out, "--resume", "--out", out]) == 2
    assert "one of resume and init" in capsys.readouterr().err
