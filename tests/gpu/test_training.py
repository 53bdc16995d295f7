"""Training on a device: bits, where rows lie, precision, and memory that runs out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import vaehub
from vaehub.data.rows import Subset, TensorData
from vaehub.evaluation.judge import Judge
from vaehub.files.model_file import load_model
from vaehub.host.registry import registry
from vaehub.signals import Interrupted
from vaehub.training.fit import train
from vaehub.training.module import Training

DEEP = {"encoder": {"name": "mlp", "hidden": [32, 32], "dropout": 0.1, "norm": "batch"}}


def equal(a, b):
    """Whether two model files hold the same bits."""
    a, b = (load_model(path)[0] for path in (a, b))
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_learns_and_is_used_on_the_device(small, tmp_path, device, on):
    run = train(small(train={"epochs": 8, "batch_size": 32}), ["optimizer.lr=3e-3", on], tmp_path / "run", progress=False)
    assert run.history.val_elbo.iloc[-1] > run.history.val_elbo.iloc[0] + 5
    on_cpu, rows = run.encode(run.data("test")), run.data("test")
    run.to(device)
    assert run.device.type == device.type
    assert np.allclose(run.encode(rows), on_cpu, atol=1e-2)
    assert run.sample(3).shape == (3, 1, 8, 8)
    assert run.reconstruct(rows).shape == (200, 1, 8, 8)
    assert len(run.score(rows)) == 200
    assert run.evaluate("test", samples=20)["elbo"] == pytest.approx(run.history.val_elbo.max(), abs=4)


def test_the_same_seed_gives_the_same_bits(small, tmp_path, on):
    for name in "ab":
        train(small(**DEEP), [on], tmp_path / name, progress=False)
    assert equal(tmp_path / "a/model.safetensors", tmp_path / "b/model.safetensors")


def test_a_stopped_run_goes_on_to_the_same_bits(small, tmp_path, on, monkeypatch):
    config = small(**DEEP, train={"epochs": 4, "batch_size": 64})
    train(config, [on], tmp_path / "whole", progress=False)
    step = Training.training_step

    def stopping(self, index, number):
        if (self.current_epoch, number) == (2, 3):
            raise KeyboardInterrupt
        return step(self, index, number)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "training_step", stopping)
        patch.setattr("vaehub.training.storage.HOLDING", 0.0)
        with pytest.raises(Interrupted):
            train(config, [on], tmp_path / "stopped", progress=False)
    assert not equal(tmp_path / "whole/last.safetensors", tmp_path / "stopped/last.safetensors")
    train(config, [on], tmp_path / "stopped", resume=True, progress=False)
    for name in ("last", "model"):
        assert equal(tmp_path / f"whole/{name}.safetensors", tmp_path / f"stopped/{name}.safetensors")


class Placed(TensorData):
    """Rows that know whether they have been moved to the training device, or refuse to be."""

    fits, moved = True, False

    def to(self, device):
        if not self.fits:
            raise torch.OutOfMemoryError("no room")
        rows = super().to(device)
        placed = Placed(rows.rows.x, labels=rows.labels)
        placed.moved = True
        return placed


@pytest.mark.parametrize("fits", [True, False])
def test_steps_read_rows_on_the_device_where_they_fit_and_the_judge_reads_the_domains_own(
    small, on, device, fits, monkeypatch, caplog
):
    seen, judged, fetch = [], [], Training.fetch

    def watched(self, split, index):
        batch = fetch(self, split, index)
        seen.append((self.resident[split].moved, batch.x.device.type))
        return batch

    def validate(self, vae, data):
        judged.append((data.moved, next(vae.parameters()).device.type))
        return {"rows": float(len(data[torch.arange(3)].x))}

    monkeypatch.setattr(Training, "fetch", watched)
    monkeypatch.setattr(Judge, "validate", validate)
    monkeypatch.setattr(Placed, "fits", fits)
    x = (torch.rand(120, 6) > 0.5).float()
    codec = registry().load("domain", "toy").codec_type(vaehub.Spec((6,)))
    domain = vaehub.InMemory(codec, {"train": Placed(x), "val": Placed(x[:40])})
    run = train(small(domain="toy", train={"epochs": 1}), [on], domain=domain, progress=False)
    assert set(seen) == {(fits, device.type)}
    assert judged == [(False, device.type)]
    assert run.history.val_rows.tolist() == [3]
    assert ("the data do not fit" in caplog.text) != fits


def test_a_view_of_rows_goes_to_the_device_and_back(device):
    rows = Subset(TensorData(torch.arange(12.0).view(6, 2), labels=torch.arange(6)), torch.tensor([4, 1, 5]))
    there = rows.to(device)
    assert there[torch.arange(3, device=device)].x.device.type == device.type
    assert there.labels.tolist() == [4, 1, 5]
    assert torch.equal(there.to("cpu")[torch.arange(3)].x, rows[torch.arange(3)].x)


def test_products_are_in_bfloat16_and_densities_in_full_precision(small, on, monkeypatch):
    kinds, step = set(), Training.training_step

    def watched(self, index, number):
        terms = self.vae(self.fetch("train", index))
        kinds.update(t.dtype for t in (terms.log_px, terms.kl))
        kinds.add(("layer", self.vae.encoder.net(self.fetch("train", index).x.flatten(1)).dtype))
        return step(self, index, number)

    monkeypatch.setattr(Training, "training_step", watched)
    run = train(small(train={"epochs": 1}), [on, "trainer.precision=bf16-mixed"], progress=False)
    assert kinds == {torch.float32, ("layer", torch.bfloat16)}
    assert {p.dtype for p in run.vae.parameters()} == {torch.float32}


@pytest.fixture
def little_memory(device, monkeypatch):
    """A device on which 64 MiB are left; on the CPU, a step that says so."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 2**26) / total)
        yield
        torch.cuda.set_per_process_memory_fraction(1.0)
        return
    monkeypatch.setattr(Training, "fetch", lambda *_: torch.empty(2**50))
    yield


@pytest.mark.usefixtures("little_memory")
def test_memory_that_runs_out_names_the_option_to_change(small, tmp_path, on):
    wide = small(encoder={"name": "mlp", "hidden": [1024, 1024]}, objective={"name": "iwae", "samples": 4000})
    said = r"out of memory at train\.batch_size=400; try train\.batch_size=200 or trainer\.precision=bf16-mixed"
    with pytest.raises(vaehub.RunFailed, match=said):
        train(wide, [on, "train.batch_size=400"], tmp_path / "run", progress=False)
    assert vaehub.load(tmp_path / "run" / "last.safetensors").sample(1).shape == (1, 1, 8, 8)
