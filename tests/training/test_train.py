"""Training end to end on a small real domain: files, bits, crashes."""

from __future__ import annotations

import csv
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import vaehub
from vaehub.base import Batch
from vaehub.data.order import Order
from vaehub.data.rows import TensorData
from vaehub.data.seeds import derive_seed, seeded
from vaehub.files.model_file import load_model
from vaehub.training.fit import train

ROOT = Path(__file__).parents[2]


def weights(path):
    return load_model(path)[0]


def metrics(run):
    return list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_leaves_its_files_and_learns(small, tmp_path):
    run = train(small(train={"epochs": 8, "batch_size": 32}), ["optimizer.lr=3e-3"], tmp_path / "run")
    rows = metrics(tmp_path / "run")
    assert [int(r["epoch"]) for r in rows] == list(range(8))
    assert float(rows[-1]["val_elbo"]) > float(rows[0]["val_elbo"]) + 5
    assert math.isclose(float(rows[-1]["val_elbo"]), float(rows[-1]["val_log_px"]) - float(rows[-1]["val_kl"]), rel_tol=1e-4)
    assert {"config.yaml", "model.safetensors", "last.safetensors", "metrics.csv", "resume"} <= {
        p.name for p in run.path.iterdir()
    }
    assert not list(run.path.rglob(".*.part"))


def test_the_saved_config_is_valid_input_and_gives_the_same_bits(small, tmp_path):
    train(small(), ["latent=3"], tmp_path / "a")
    train(tmp_path / "a" / "config.yaml", out=tmp_path / "b")
    assert equal(weights(tmp_path / "a/model.safetensors"), weights(tmp_path / "b/model.safetensors"))


def test_another_seed_gives_other_weights(small, tmp_path):
    train(small(), out=tmp_path / "a")
    train(small(), ["train.seed=1"], out=tmp_path / "b")
    assert not equal(weights(tmp_path / "a/model.safetensors"), weights(tmp_path / "b/model.safetensors"))


def test_training_leaves_the_callers_random_numbers_alone(small, tmp_path):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    train(small(train={"epochs": 1}), out=tmp_path / "a")
    assert torch.equal(torch.rand(3), expected)


def test_a_loaded_model_needs_no_training_data(small, tmp_path, monkeypatch):
    run = train(small(), out=tmp_path / "run")
    monkeypatch.setattr(type(run.domain), "data", lambda *_: pytest.fail("the training data were read"))
    loaded = vaehub.load(tmp_path / "run")
    assert loaded.codec.seen == 400
    assert np.array_equal(loaded.sample(5, seed=1), run.sample(5, seed=1))
    assert loaded.sample(5, seed=1).shape == (5, 1, 8, 8)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("objective", ["elbo", {"name": "iwae", "samples": 3, "dreg": True}, "tc_vae", "info_vae"])
def test_objectives_and_precisions_train(small, tmp_path, objective, precision):
    config = small(objective=objective, trainer={"precision": precision}, train={"epochs": 1, "batch_size": 64})
    run = train(config, out=tmp_path / "run")
    assert np.isfinite(run.sample(2)).all()


def test_rows_with_gaps_train_and_hidden_cells_do_not_matter(small, tmp_path):
    run = train(small(domain={"name": "toy", "gaps": 0.3}), out=tmp_path / "run")
    data = run.data("train")
    batch = data[torch.arange(4)]
    other = batch._replace(x=torch.where(batch.mask, batch.x, torch.full_like(batch.x, 5.0)))
    with seeded("same"):
        first = run.vae(batch)
    with seeded("same"):
        second = run.vae(other)
    assert torch.equal(first.log_px, second.log_px)
    assert first.log_px.isfinite().all()


def test_a_mask_for_whole_pixels_hides_every_channel():
    x = torch.tensor([1.0, float("nan")]).view(1, 1, 1, 2).expand(3, 2, 1, 2)
    mask = torch.tensor([True, False]).view(1, 1, 1, 2).expand(3, 1, 1, 2)
    assert torch.equal(Batch(x, mask=mask).without_hidden().x[0, 1, 0], torch.tensor([1.0, 0.0]))


def test_a_conditional_run_draws_what_is_asked_for(small, tmp_path):
    run = train(small(domain={"name": "toy", "classes": True}), out=tmp_path / "run")
    assert not np.allclose(run.sample(3, cond=1, seed=0), run.sample(3, cond=7, seed=0))
    with pytest.raises(vaehub.UsageError, match="conditional"):
        run.sample(3)


def test_nan_rows_stop_the_run_and_are_named(small, tmp_path):
    with pytest.raises(vaehub.UsageError, match=r"bernoulli expects 0\.\.1, x holds 64 NaN"):
        train(small(domain={"name": "toy", "poison": True}), out=tmp_path / "support")
    with pytest.raises(vaehub.RunFailed, match=r"training rows .*; the last finite state is kept"):
        train(small(), ["optimizer.lr=1e30", "likelihood=normal"], tmp_path / "nan")
    kept = weights(tmp_path / "nan" / "last.safetensors")
    assert vaehub.load(tmp_path / "nan").sample(2).shape == (2, 1, 8, 8)
    assert all(t.isfinite().all() for t in kept.values())


def test_a_folder_with_a_run_is_not_overwritten_unasked(small, tmp_path):
    train(small(train={"epochs": 1}), out=tmp_path / "run")
    before = (tmp_path / "run/model.safetensors").read_bytes()
    with pytest.raises(vaehub.UsageError, match="--force"):
        train(small(train={"epochs": 1}), out=tmp_path / "run")
    assert (tmp_path / "run/model.safetensors").read_bytes() == before
    with pytest.raises(vaehub.UsageError, match=r"other options \(latent=2 then and 3 now, train.seed=0 then and 4 now\)"):
        train(small(train={"epochs": 1, "seed": 4}, latent=3), out=tmp_path / "run", resume=True)
    with pytest.raises(vaehub.UsageError, match="expects"):
        train(small(domain={"name": "toy", "poison": True}), out=tmp_path / "run", force=True)
    assert (tmp_path / "run/model.safetensors").read_bytes() == before
    train(small(train={"epochs": 1}), ["train.seed=2"], out=tmp_path / "run", force=True)
    assert (tmp_path / "run/model.safetensors").read_bytes() != before


def test_input_that_does_not_fit_leaves_no_run_behind(small, tmp_path):
    with pytest.raises(vaehub.UsageError):
        train(small(domain={"name": "toy", "poison": True}), out=tmp_path / "run")
    train(small(train={"epochs": 1}), out=tmp_path / "run")


def test_a_run_without_a_single_good_validation_still_has_a_model(small, tmp_path):
    run = train(small(), ["train.validate_every=5"], tmp_path / "run")
    assert (tmp_path / "run" / "model.safetensors").exists()
    assert run.sample(1).shape == (1, 1, 8, 8)


def test_epochs_without_validation_have_no_validation_figures(small, tmp_path):
    train(small(train={"epochs": 4}), ["train.validate_every=2"], tmp_path / "run")
    assert [bool(row["val_elbo"]) for row in metrics(tmp_path / "run")] == [False, True, False, True]


def test_early_stopping_ends_a_run_that_no_longer_improves(small, tmp_path):
    options = ["train.epochs=60", "train.early_stopping=2", "optimizer.lr=0.1", "optimizer.schedule=constant"]
    train(small(), options, tmp_path / "run")
    rows = metrics(tmp_path / "run")
    best = max(range(len(rows)), key=lambda i: float(rows[i]["val_elbo"]))
    assert len(rows) < 60
    assert best == len(rows) - 3


KILLED = """
import os, signal, sys, torch, vaehub, vaehub.training.storage
from vaehub.host.registry import use_file
from pathlib import Path
torch.set_num_threads(1)
use_file(Path(sys.argv[1]))
vaehub.training.storage.SPACING = vaehub.training.storage.HOLDING = float(os.environ.get("SPACING", 0.05))
replaces = iter(range(10**9))
def die_while_saving(source, target, replace=os.replace):
    if next(replaces) == int(os.environ.get("DIE_AT_RENAME", -1)):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = die_while_saving
vaehub.train(sys.argv[2], out=sys.argv[3], resume="resume" in sys.argv)
"""


def start(config, out, *more, **environment):
    code = [sys.executable, "-c", KILLED, str(ROOT / "tests/toy.py"), str(config), str(out), *more]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.Popen(code, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process):
    error = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 0, error


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_a_run_ends_with_the_same_bits(small, tmp_path):
    config = small(
        encoder={"name": "mlp", "hidden": [64, 64], "dropout": 0.1, "norm": "batch"},
        objective={"name": "elbo", "schedule": "linear", "warmup": 4},
        train={"epochs": 12, "batch_size": 16, "early_stopping": 20},
    )
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    train(config, out=tmp_path / "whole")
    dice = random.Random(0)
    for kill in range(5):
        process = start(tmp_path / "config.yaml", tmp_path / "killed", *(["resume"] if kill else []))
        wait_for_epoch(tmp_path / "killed", 2 * kill + 1, process)
        time.sleep(dice.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finish(start(tmp_path / "config.yaml", tmp_path / "killed", "resume"))
    for name in ("model.safetensors", "last.safetensors"):
        assert equal(weights(tmp_path / "whole" / name), weights(tmp_path / "killed" / name)), name
    epochs = [r["epoch"] for r in metrics(tmp_path / "killed")]
    assert epochs == [str(i) for i in range(12)]


@pytest.mark.slow
@pytest.mark.parametrize("rename", [0, 1, 4, 6])  # the mark; the config; a model; the state to resume from
def test_killed_while_saving_and_resumed_a_run_ends_with_the_same_bits(small, tmp_path, rename):
    config = small(train={"epochs": 3, "batch_size": 64})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    train(config, out=tmp_path / "whole")
    process = start(tmp_path / "config.yaml", tmp_path / "killed", DIE_AT_RENAME=str(rename), SPACING="0")
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "killed").rglob(".*.part"))) == 1
    finish(start(tmp_path / "config.yaml", tmp_path / "killed", "resume"))
    assert equal(weights(tmp_path / "whole/model.safetensors"), weights(tmp_path / "killed/model.safetensors"))
    assert not list((tmp_path / "killed").rglob(".*.part"))


def wait_for_epoch(folder, rows, process):
    for _ in range(6000):
        if (folder / "metrics.csv").exists() and len((folder / "metrics.csv").read_text().splitlines()) > rows:
            return
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1].decode())
        time.sleep(0.01)


def test_tensorboard_gets_every_epoch_and_a_missing_logger_is_named(small, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(small(), ["train.logger=tensorboard"], tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert [e.step for e in events.Scalars("val_elbo")] == [7, 14]
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(vaehub.UsageError, match=r"vaehub\[mlflow\]"):
        train(small(), ["train.logger=mlflow"], tmp_path / "other")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("algorithm", ["norm", "value"])
def test_gradients_are_clipped_in_every_precision(small, tmp_path, precision, algorithm):
    """With gradients of 0 Adam's first steps are those of weight decay alone; Lightning itself refused to clip for a fused optimiser."""
    clip = [f"trainer.precision={precision}", "trainer.gradient_clip_val=1e-12", f"trainer.gradient_clip_algorithm={algorithm}"]
    train(small(train={"epochs": 1}), [*clip, "optimizer.lr=0.1"], tmp_path / "clipped")
    train(small(train={"epochs": 1}), ["optimizer.lr=1e-12"], tmp_path / "still")
    a, b = (weights(tmp_path / name / "last.safetensors") for name in ("clipped", "still"))
    assert all(torch.allclose(a[k], b[k], atol=1e-3) for k in a)


@pytest.mark.parametrize("option", ["trainer.precision=foo", "trainer.accelerator=abacus", "trainer.devices=-7"])
def test_what_lightning_refuses_is_said_in_one_line(small, tmp_path, option):
    with pytest.raises(vaehub.UsageError, match="trainer: ") as error:
        train(small(), [option], tmp_path / "run")
    assert "\n" not in str(error.value)


def test_order_is_a_function_of_seed_and_epoch_and_covers_every_row():
    data = TensorData(torch.zeros(103, 1))
    ranks = [Order(data, 10, seed=1, epoch=lambda: 3, rank=r, world=2) for r in range(2)]
    rows = [torch.cat(list(order)) for order in ranks]
    assert len(rows[0]) == len(rows[1])
    assert set(torch.cat(rows).tolist()) == set(range(103))
    assert torch.equal(torch.cat(list(Order(data, 7, seed=1, epoch=lambda: 3))), Order(data, 10, seed=1).permutation(3))
    assert [len(b) for b in Order(data, 10)] == [10] * 10 + [3]


def test_balanced_batches_draw_every_class_equally_often():
    labels = torch.tensor([0] * 950 + [1] * 50)
    drawn = labels[Order(TensorData(torch.zeros(1000, 1), labels=labels), 10, balanced=True).permutation(0)]
    assert 420 < drawn.sum() < 580


def test_seeds_differ_by_every_part_of_their_key():
    keys = [(a, b, c) for a in range(3) for b in range(3) for c in range(3)]
    assert len({derive_seed(*key) for key in keys}) == len(keys)
    assert derive_seed("step", 0) != derive_seed("val", 0)
