"""Planted faults are named, healthy runs are left in peace."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict

import pytest
import torch

from vaehub.base import Encoder, Objective, Step
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import load_config
from vaehub.data.rows import Subset, TensorData
from vaehub.data.seeds import seeded
from vaehub.evaluation.doctor import CHECKS, Checkup, Finding, diagnose
from vaehub.evaluation.doctor.loss import weight_of_kl
from vaehub.evaluation.doctor.rows import classifier
from vaehub.model.objectives import ELBO, IWAE, TCVAE
from vaehub.run import Run

BASE = {
    "domain": {"name": "toy", "rows": 1000},
    "latent": 4,
    "encoder": {"hidden": [64]},
    "decoder": {"hidden": [64]},
    "optimizer": {"lr": 3e-3},
    "train": {"epochs": 16, "batch_size": 50},
}


def fitted(path, *overrides, rows=None, rate=lambda epoch: 1.0):
    """A run, really trained, in a loop without files and callbacks: a second instead of ten."""
    config = load_config(BASE, overrides)
    domain = build_domain(config)
    train, val = domain.data("train"), domain.data("val")
    train = train if rows is None else Subset(train, rows(train))
    with seeded("fitted"):
        vae, objective = build_vae(config, domain.codec.spec), build_objective(config, domain.codec.spec)
        vae.prior.initialise(train[torch.arange(min(len(train), 100))])
        table = epochs(config, vae, objective, train, val, rate)
    write(path, table)
    return Run(config, domain.codec, domain, vae, {}, path)


def epochs(config, vae, objective, train, val, rate):
    optimizer = torch.optim.Adam(vae.parameters(), config.optimizer.lr)
    table, step = [], 0
    for epoch in range(config.train.epochs):
        optimizer.param_groups[0]["lr"] = config.optimizer.lr * rate(epoch)
        logs = []
        for index in torch.randperm(len(train)).split(config.train.batch_size):
            loss, log = objective(vae(train[index], objective.samples), Step(step, epoch, len(train)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            logs.append({"loss": loss.detach(), **log})
            step += 1
        with torch.no_grad():
            val_elbo = float(vae(val[torch.arange(len(val))]).elbo.mean())
        means = {f"train_{name}": float(sum(log[name] for log in logs)) / len(logs) for name in logs[0]}
        table.append({"epoch": epoch, "step": step, **means, "val_elbo": val_elbo})
    return table


def write(path, table):
    path.mkdir(parents=True, exist_ok=True)
    with (path / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


HEALTHY = {
    "elbo": [],
    "conditional": ["domain.classes=true"],
    "gaps": ["domain.gaps=0.3", "encoder.mask=true"],
    "warm-up, full covariance, mixture": [
        "objective.schedule=linear",
        "objective.warmup=5",
        "posterior=full_normal",
        "prior=mixture",
    ],
}


@pytest.mark.parametrize("overrides", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_run_raises_no_alarm(overrides, tmp_path):
    assert diagnose(fitted(tmp_path / "run", *overrides)) == []


TRAINED = {
    "posterior collapse": {"overrides": ["objective.beta=12"]},
    "wrong loss scale": {"overrides": ["objective.beta=64"]},
    "KL weight too small": {"overrides": ["objective.beta=0.001"]},
    "KL weight never reached": {"overrides": ["objective.schedule=linear", "objective.warmup=400"]},
    "prior far from posterior": {"overrides": ["objective.beta=0.01"]},
    "overfitting": {"overrides": ["domain.rows=60", "train.epochs=150", "train.batch_size=20"]},
    "under-training": {"overrides": ["optimizer.lr=2e-5"]},
    "divergence": {"overrides": [], "rate": lambda epoch: 1.0 if epoch < 8 else 300.0},
    "mode dropping": {"overrides": [], "rows": lambda data: (data.labels < 7).nonzero()[:, 0]},
    "likelihood scale collapse": {"overrides": ["likelihood.name=normal", "likelihood.scale=5e-4", "train.epochs=1"]},
}


@pytest.mark.parametrize(("name", "how"), TRAINED.items(), ids=TRAINED)
def test_a_fault_of_training_is_named(name, how, tmp_path):
    run = fitted(tmp_path / "run", *how["overrides"], rows=how.get("rows"), rate=how.get("rate", lambda epoch: 1.0))
    require(diagnose(run), name)


def require(findings, name):
    """The fault is among the findings, with numbers and with an option to change."""
    found = {finding.name: finding for finding in findings}
    assert name in found, sorted(found)
    assert any(c.isdigit() for c in found[name].evidence)
    assert found[name].advice
    json.dumps([asdict(finding) for finding in findings])


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("runs") / "healthy")


@pytest.fixture
def patient(healthy, tmp_path):
    """A copy of a healthy run, to be harmed."""
    domain, vae = build_domain(healthy.config), build_vae(healthy.config, healthy.spec)
    vae.load_state_dict(healthy.vae.state_dict())
    (tmp_path / "metrics.csv").write_text((healthy.path / "metrics.csv").read_text())
    return Run(healthy.config, healthy.codec, domain, vae, {}, tmp_path)


def nan_weight(run):
    with torch.no_grad():
        next(run.vae.decoder.parameters())[0] = math.nan


def nan_metric(run):
    lines = (run.path / "metrics.csv").read_text().splitlines()
    lines[3] = ",".join(["nan" if i == 2 else cell for i, cell in enumerate(lines[3].split(","))])
    (run.path / "metrics.csv").write_text("\n".join(lines))


def nan_rows(run):
    data = run.domain.data
    run.domain.data = lambda split: TensorData(
        data(split).rows.x.where(torch.arange(64).view(8, 8) > 5, math.nan), labels=data(split).labels
    )


def blind_decoder(run):
    with torch.no_grad():
        run.vae.decoder.net[0].weight.zero_()


def idle_units(run):
    with torch.no_grad():
        run.vae.encoder.net[-1].weight[:3] = 0


def cut_short(run):
    lines = (run.path / "metrics.csv").read_text().splitlines()
    (run.path / "metrics.csv").write_text("\n".join(lines[:9]))


def leak(run):
    data = run.domain.data
    run.domain.data = lambda split: data("train")


class BatchStatistics(Encoder):
    """Standardises every batch by itself, in evaluation too."""

    def __init__(self, encoder):
        super().__init__(encoder.spec, encoder.posterior)
        self.encoder = encoder

    def forward(self, batch):
        return self.encoder(batch._replace(x=(batch.x - batch.x.mean()) / batch.x.std()))


def batch_statistics(run):
    run.vae.encoder = BatchStatistics(run.vae.encoder)


HARMED = [
    ("NaN", nan_weight),
    ("NaN", nan_metric),
    ("NaN", nan_rows),
    ("dead units", idle_units),
    ("decoder ignores z", blind_decoder),
    ("stopped early", cut_short),
    ("splits overlap", leak),
    ("rows depend on each other", batch_statistics),
]


@pytest.mark.parametrize(("name", "harm"), HARMED, ids=[harm.__name__ for _, harm in HARMED])
def test_a_planted_fault_is_named(name, harm, patient):
    harm(patient)
    require(diagnose(patient), name)


def test_unscaled_inputs_are_named(tmp_path):
    run = fitted(tmp_path / "run", "likelihood=normal", "train.epochs=1")
    data = run.domain.data
    run.domain.data = lambda split: TensorData(1000 * data(split).rows.x)
    require(diagnose(run), "inputs badly scaled")


def test_the_worst_comes_first_and_every_check_is_documented(patient):
    blind_decoder(patient)
    cut_short(patient)
    ranks = [("error", "warning", "note").index(finding.severity) for finding in diagnose(patient)]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1
    assert all(check.__doc__ for check in CHECKS)
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS) >= 16


def test_a_finding_reads_as_one_line():
    assert str(Finding("dead units", "warning", "3 of 9", "set latent=3")) == "warning: dead units: 3 of 9. Advice: set latent=3"


class Averaged(Objective):
    """log p(x|z) averaged over the 64 pixels."""

    def forward(self, terms, step):
        return terms.kl.mean() - terms.log_px.mean() / 64, {}


@pytest.mark.parametrize(
    ("objective", "weight"),
    [
        (ELBO(), 1),
        (ELBO(beta=3.5), 3.5),
        (ELBO(beta=2, free_bits=0.5), 2),
        (ELBO(schedule="linear", warmup=8), 0.5),
        (IWAE(samples=3), 1),
        (Averaged(), 64),
        (TCVAE(), None),
    ],
)
def test_the_objective_tells_what_the_kl_weighs(objective, weight, healthy):
    terms = healthy.vae(healthy.data("val")[torch.arange(20)], objective.samples)
    found = weight_of_kl(objective, terms, Step(4, 4, 1000))
    assert found == (None if weight is None else pytest.approx(weight, rel=1e-5))


def test_the_classifier_learns_the_digits(healthy):
    train, val = healthy.data("train"), healthy.data("val")
    classify = classifier(train.rows.x.flatten(1), train.labels)
    assert (classify(val.rows.x.flatten(1)) == val.labels).float().mean() > 0.85


def test_a_model_file_without_run_folder_is_examined_too(healthy):
    bare = Run(healthy.config, healthy.codec, healthy.domain, healthy.vae)
    assert diagnose(bare) == []
    assert Checkup(bare).curve("train_elbo").empty


def test_a_single_validation_row_is_examined_without_a_word(patient):
    """Warnings are errors here: no deviation of one row may be asked for."""
    data = patient.domain.data
    patient.domain.data = lambda split: Subset(data(split), torch.arange(1)) if split == "val" else data(split)
    assert "decoder ignores z" not in {finding.name for finding in diagnose(patient)}
