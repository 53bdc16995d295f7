"""The training loop's own arithmetic: steps of the schedule, figures of an epoch, rows that do not fit, names that do not exist."""

from __future__ import annotations

import csv
import math
from typing import ClassVar

import pytest
import torch

import vaehub
from vaehub.config.build import build_domain
from vaehub.config.load import load_config
from vaehub.data.order import Order
from vaehub.data.rows import TensorData
from vaehub.errors import RunFailed, UsageError
from vaehub.evaluation.judge import Judge
from vaehub.training.callbacks import Bar, History
from vaehub.training.module import Training

ROWS, BATCH, EPOCHS = 320, 32, 5


@pytest.fixture
def train(small, tmp_path):
    """Train on rows in memory; gives the rows of metrics.csv."""

    def train(options=(), rows=None, **changes):
        config = load_config(small(**changes), options)
        domain = build_domain(config)
        if rows:
            domain.data = lambda split: rows.get(split, rows["train"])
        vaehub.train(config, out=tmp_path / "run", domain=domain, force=True, progress=False)
        return list(csv.DictReader((tmp_path / "run" / "metrics.csv").read_text().splitlines()))

    return train


def digits(n):
    return TensorData((torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(n)) < 0.5).float())


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ([], EPOCHS * 10),
        (["trainer.accumulate_grad_batches=4"], EPOCHS * 3),
        (["trainer.limit_train_batches=2"], EPOCHS * 2),
        (["trainer.max_steps=20"], 20),
        (["trainer.overfit_batches=2"], EPOCHS * 2),
    ],
)
def test_the_schedule_ends_with_the_last_optimiser_step(train, options, steps):
    rows = train(
        [*options, "optimizer.schedule=linear", "optimizer.lr=1e-3"],
        {"train": digits(ROWS)},
        train={"epochs": EPOCHS, "batch_size": BATCH},
    )
    assert int(rows[-1]["step"]) == steps
    for row in rows:
        assert math.isclose(float(row["lr"]), 1e-3 * (1 - int(row["step"]) / steps), abs_tol=1e-9)
    assert float(rows[-1]["lr"]) == 0


@pytest.mark.parametrize("options", [[], ["trainer.max_steps=3"], ["trainer.limit_train_batches=2"]])
@pytest.mark.parametrize("rows", [70, 640])
def test_epoch_figures_are_means_over_the_rows_that_were_seen(train, monkeypatch, rows, options):
    seen = []
    step = Training._add

    def spied(self, split, means, number):
        if split == "train":
            seen.append((number, float(means["elbo"])))
        step(self, split, means, number)

    monkeypatch.setattr(Training, "_add", spied)
    table = train([*options, "optimizer.lr=1e-12"], {"train": digits(rows)}, train={"epochs": 1, "batch_size": BATCH})
    expected = sum(n * value for n, value in seen) / sum(n for n, _ in seen)
    assert math.isclose(float(table[0]["train_elbo"]), expected, rel_tol=1e-5)
    assert -60 < float(table[0]["train_elbo"]) < -40  # 64 bits, nothing learnt: 64 log 2 nats


def with_value(value, row, n=1200):
    data = digits(n)
    data.rows.x[row, 0, 0, 0] = value
    return data


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize(
    ("value", "likelihood", "said"),
    [
        (255.0, "bernoulli", "bernoulli expects 0..1, x spans [0, 255]"),
        (float("nan"), "bernoulli", "x holds 1 NaN"),
        (float("nan"), "normal", "x holds 1 NaN"),
        (float("inf"), "normal", "normal expects any real number, x holds 1 Inf"),
        (float("-inf"), "laplace", "x holds 1 Inf"),
    ],
)
def test_one_bad_row_of_any_split_is_found_and_named(train, split, value, likelihood, said):
    with pytest.raises(UsageError) as error:
        train(rows={"train": digits(1200), split: with_value(value, 1111)}, likelihood=likelihood)
    assert f"domain: the {split} split, row 1111: " in str(error.value)
    assert said in str(error.value)


def test_rows_of_another_width_are_named(train):
    with pytest.raises(
        UsageError, match=r"the val split, row 0: x has rows of shape \(1, 8, 5\); this model expects \(1, 8, 8\)"
    ):
        train(rows={"train": digits(40), "val": TensorData(torch.zeros(20, 1, 8, 5))})


def test_a_validation_that_is_no_number_fails_the_run_and_names_the_rows(train, tmp_path, monkeypatch):
    validate = Training.validation_step

    def poisoned(self, index, number):
        fetched = self.fetch
        if self.current_epoch == 1:
            self.fetch = lambda split, rows: fetched(split, rows)._replace(
                x=torch.where((rows == 7).view(-1, 1, 1, 1), torch.nan, fetched(split, rows).x)
            )
        validate(self, index, number)
        self.fetch = fetched

    monkeypatch.setattr(Training, "validation_step", poisoned)
    with pytest.raises(RunFailed, match=r"the bound of 1 validation rows \(7\) is nan at epoch 1; the last finite state is kept"):
        train(rows={"train": digits(64)}, train={"epochs": 3, "eval_batch_size": 5}, likelihood="normal")
    assert vaehub.load(tmp_path / "run").sample(1).shape == (1, 1, 8, 8)
    assert (tmp_path / "run/model.safetensors").exists()
    assert (tmp_path / "run/resume/last.ckpt").exists()


@pytest.mark.parametrize(
    ("rows", "size", "sizes"),
    [
        (65, 32, [32, 33]),
        (33, 32, [33]),
        (64, 32, [32, 32]),
        (66, 32, [32, 32, 2]),
        (3, 2, [3]),
        (1, 32, [1]),
        (3, 1, [1, 1, 1]),
        (50 * 4 + 1, 4, [4] * 49 + [5]),
    ],
)
@pytest.mark.parametrize("alike", [False, True])
def test_a_last_batch_of_one_row_joins_the_one_before(rows, size, sizes, alike):
    data = TensorData(torch.zeros(rows, 1))
    data.lengths = torch.arange(rows) if alike else None
    order = Order(data, size)
    batches = list(order)
    assert sorted(map(len, batches)) == sorted(sizes)
    assert len(order) == len(batches)
    assert sorted(torch.cat(batches).tolist()) == list(range(rows))
    assert [b.tolist() for b in order] == [b.tolist() for b in batches]


def test_in_evaluation_batches_stay_as_they_are():
    assert [len(b) for b in Order(TensorData(torch.zeros(65, 1)), 32, shuffle=False)] == [32, 32, 1]


def test_batch_norm_takes_an_odd_number_of_rows(train):
    encoder = {"name": "mlp", "hidden": [8], "norm": "batch"}
    rows = train(rows={"train": digits(65)}, encoder=encoder, train={"epochs": 1, "batch_size": 32})
    assert int(rows[0]["step"]) == 2
    assert math.isfinite(float(rows[0]["train_elbo"]))
    for data, size, said in ((digits(1), 32, "a single training row"), (digits(9), 1, "train.batch_size=1")):
        with pytest.raises(UsageError, match=f"{said}: batch norm needs at least two rows in a batch"):
            train(rows={"train": data}, encoder=encoder, train={"epochs": 1, "batch_size": size})


def test_a_single_row_trains(train):
    assert math.isfinite(float(train(rows={"train": digits(1)})[0]["train_elbo"]))


@pytest.mark.parametrize("more", [[], ["train.early_stopping=2"]])
def test_a_misspelt_monitor_is_refused_before_training(train, tmp_path, more):
    with pytest.raises(UsageError, match=r"train\.monitor=val_elbow: no such figure; there are val_elbo, val_kl, val_log_px$"):
        train(["train.monitor=val_elbow", *more])
    assert not (tmp_path / "run").exists()


def test_a_figure_of_the_domain_can_be_monitored(small, tmp_path, monkeypatch):
    calls = iter(range(10))
    monkeypatch.setattr(Judge, "validate", lambda self, vae, data: {"sharpness": -float(next(calls))})
    run = vaehub.train(small(), ["train.monitor=val_sharpness"], tmp_path / "run", progress=False)
    assert run.sample(1).shape == (1, 1, 8, 8)
    with pytest.raises(UsageError, match="there are val_elbo, val_kl, val_log_px, val_sharpness"):
        vaehub.train(small(), ["train.monitor=val_sharpnes"], tmp_path / "other", progress=False)


@pytest.mark.parametrize("options", [["train.validate_every=5"], ["trainer.max_steps=3"]])
def test_a_run_without_validation_says_so_and_keeps_its_last_weights(small, tmp_path, capsys, options):
    vaehub.train(small(), options, tmp_path / "run")
    assert capsys.readouterr().out.count("no validation happened, so there is no best model: the last weights are kept\n") == 1
    assert (tmp_path / "run/model.safetensors").exists()


def test_what_stood_in_for_a_best_model_is_not_taken_for_one_when_a_run_goes_on(small, tmp_path):
    config = small(train={"epochs": 2, "validate_every": 9, "score_rows": 0})
    vaehub.train(config, out=tmp_path / "run", progress=False)
    vaehub.train(config, ["train.epochs=4"], tmp_path / "run", resume=True, progress=False)
    best, last = (vaehub.load(tmp_path / "run" / f"{name}.safetensors").vae.state_dict() for name in ("model", "last"))
    assert all(torch.equal(best[name], last[name]) for name in best)


def test_the_figures_of_an_epoch_are_printed_by_the_first_process_only():
    class Other:
        is_global_zero = False
        callbacks: ClassVar[list] = [History(None)]
        max_epochs = 5

    class Main(Other):
        is_global_zero = True

    lines = []

    class Shown:
        reach = staticmethod(lambda done, note=None: None)
        keep = staticmethod(lines.append)

    Other.callbacks[0].rows.append({"epoch": 0, "train_elbo": -1.5, "val_log_px": -1.0, "val_accuracy": 0.9, "seconds": 2.0})
    bar = Bar(Shown, "val_elbo", lines=True)
    bar.on_train_epoch_end(Other, None)
    assert lines == []
    bar.on_train_epoch_end(Main, None)
    assert lines == ["epoch 1/5  train_elbo -1.50  val_accuracy 0.90  2 s"]
