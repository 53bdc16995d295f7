"""Every shipped config is valid, complete, and trains two steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import vaehub
from vaehub.base import Step, estimate
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import load_config
from vaehub.data.check import check_rows
from vaehub.data.rows import Subset
from vaehub.data.seeds import seeded
from vaehub.testing.strays import Strays
from vaehub_molecules.domains.examples import example_molecules

CONFIGS = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))


def test_there_are_configs():
    assert {"arrays", "mnist", "mnist_cvae", "mnist_nll", "mnist_sota", "images_folder", "fashion_mnist"} <= {
        p.stem for p in CONFIGS
    }
    assert {"timeseries", *(f"timeseries_{kind}" for kind in ("masked", "gpvae", "not_miwae"))} <= {p.stem for p in CONFIGS}
    assert {"molecules", *(f"molecules_{kind}" for kind in ("moses", "cvae", "transformer"))} <= {p.stem for p in CONFIGS}
    models = ("mult_vae", "mult_dae", "recvae", "vamp", "ease")
    assert {"recommender", *(f"recommender_{model}" for model in models)} <= {p.stem for p in CONFIGS}


@pytest.fixture(scope="module")
def own_data(tmp_path_factory):
    """Overrides that point the configs for the user's own files at files: random pictures, random clothes, a table with gaps."""
    tmp_path = tmp_path_factory.mktemp("own")
    noise = np.random.default_rng(0)
    for number in range(40):
        (tmp_path / "pictures" / f"class{number % 2}").mkdir(parents=True, exist_ok=True)
        pixels = noise.integers(0, 256, (48, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"class{number % 2}" / f"{number}.png")
    (tmp_path / "fashion").mkdir()
    for prefix, n in (("train", 60_000), ("t10k", 10_000)):
        write_idx(tmp_path / "fashion" / f"{prefix}-images-idx3-ubyte", noise.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        write_idx(tmp_path / "fashion" / f"{prefix}-labels-idx1-ubyte", noise.integers(0, 10, n, dtype=np.uint8))
    table(tmp_path / "series.csv", noise)
    np.save(tmp_path / "rows.npy", noise.normal(size=(40, 5)))
    series = {path.stem: [f"domain.path={tmp_path / 'series.csv'}"] for path in CONFIGS if path.stem.startswith("timeseries")}
    likes(tmp_path / "likes.csv", noise)
    for name in (path.stem for path in CONFIGS if path.stem.startswith("recommender")):
        series[name] = [f"domain.path={tmp_path / 'likes.csv'}"]
    (tmp_path / "molecules.smi").write_text("\n".join(example_molecules()))
    for name in (path.stem for path in CONFIGS if path.stem.startswith("molecules")):
        series[name] = [f"domain.path={tmp_path / 'molecules.smi'}"]
    (tmp_path / "moses").mkdir()
    for part in ("train", "test"):
        (tmp_path / "moses" / f"{part}.smi").write_text("\n".join(example_molecules()))
    folders = {"arrays": "rows.npy", "images_folder": "pictures", "fashion_mnist": "fashion", "molecules_moses": "moses"}
    return series | {name: [f"domain.path={tmp_path / folder}"] for name, folder in folders.items()}


def table(path, noise):
    """240 hours of three walks, a fifth of the cells missing."""
    walks = noise.normal(size=(240, 3)).cumsum(0)
    frame = pd.DataFrame(walks, pd.date_range("2024-01-01", periods=240, freq="h", name="time"), ["a", "b", "c"])
    frame.mask(noise.random(walks.shape) < 0.2).to_csv(path)


def likes(path, noise):
    """Two hundred users with 12 of 40 items each, within 100 days."""
    items = np.concatenate([noise.choice(40, 12, replace=False) for _ in range(200)])
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(noise.integers(0, 100, len(items)), "D")
    pd.DataFrame({"user": np.repeat(np.arange(200), 12), "item": items, "time": days}).to_csv(path, index=False)


def write_idx(path, array):
    shape = b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_trains_two_steps(path, own_data, device):
    config = load_config(path, own_data.get(path.stem, []))
    assert load_config(config.to_dict()).to_dict() == config.to_dict()
    domain = build_domain(config)
    data, spec = domain.data("train"), domain.codec.spec
    with seeded("test"):
        vae, objective = build_vae(config, spec), build_objective(config, spec)
        batch = data[torch.arange(16)]
        check_rows(spec, vae.decoder.likelihood, batch)
        vae.encoder.initialise(data)
        vae.decoder.initialise(data)
        vae.prior.initialise(batch)
        objective.wire(vae)
        vae, objective, batch = vae.to(device), objective.to(device), data.to(device)[torch.arange(16, device=device)]
        optimizer = torch.optim.Adam(vae.parameters(), 1e-3)
        losses = [step(vae, objective, optimizer, batch, number) for number in range(2)]
    assert np.isfinite(losses).all()


def step(vae, objective, optimizer, batch, number):
    objective.prepare(Step(number))
    loss, _ = objective(vae(batch, objective.samples), Step(number))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    assert all(p.grad is not None for p in vae.parameters() if p.requires_grad)
    return loss.item()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_all_tensors_are_made_on_the_models_device(path, own_data):
    config = load_config(path, own_data.get(path.stem, []))
    domain = build_domain(config)
    data, spec = domain.data("train"), domain.codec.spec
    vae, objective = build_vae(config, spec), build_objective(config, spec)
    vae.encoder.initialise(data)
    vae.decoder.initialise(data)
    objective.wire(vae)
    batch = data[torch.arange(4)]
    with Strays(), seeded("test"):
        objective.prepare(Step(0))
        objective(vae(batch, objective.samples), Step(0))[0].backward()
        with torch.no_grad():
            z = vae.sample(len(batch.x), batch.cond, rereads=1)
            assert z.isfinite().all()
            estimate(vae.decoder(z, batch.cond))
            vae.decoder(z, batch.cond).sample()


def test_a_tensor_on_another_device_is_found():
    model = torch.nn.Linear(3, 2)
    with Strays():
        x = model(torch.zeros(4, 3, device="cpu"))
        x[torch.arange(2)] + 1 / torch.tensor(2.0)
        with pytest.raises(AssertionError, match=r"add mixes a tensor of shape \(2,\) on the default device"):
            x + torch.arange(2) * 2


TWO_STEPS = {
    "train": {"epochs": 1, "validate_every": 1, "batch_size": 16, "eval_batch_size": 64, "score_rows": 0},
    "trainer": {"limit_train_batches": 2, "limit_val_batches": 1},
}


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_run_of_two_steps_is_validated_and_used(path, own_data, device, on):
    run = vaehub.train(path, [*own_data.get(path.stem, []), on], progress=False, **TWO_STEPS)
    assert np.isfinite(run.history[["train_loss", "val_elbo", run.config.train.monitor]].to_numpy()).all()
    run.to(device)
    rows = Subset(run.data("val"), torch.arange(min(3, len(run.data("val")))))
    assert run.encode(rows).shape == (len(rows), run.config.latent)
    assert len(run.reconstruct(rows)) == len(rows)
