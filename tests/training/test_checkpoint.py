"""Model files: whole or not at all, and harmless whatever is in them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

import vaehub
from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub.files.model_file import FORMAT, load_model, save_model
from vaehub.run import as_spec
from vaehub.training.checkpoints import AtomicCheckpoints
from vaehub.training.fit import train


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A trained model's file."""
    config = {
        "domain": "toy",
        "encoder": {"name": "mlp", "hidden": [4]},
        "decoder": {"name": "mlp", "hidden": [4]},
        "train": {"epochs": 1},
    }
    return train(config, out=tmp_path_factory.mktemp("runs") / "run").path / "model.safetensors"


def test_a_round_trip_keeps_every_bit(tmp_path):
    weights = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.randn(2, dtype=torch.float64)}
    save_model(tmp_path / "m", weights, {"config": {"x": [1, None]}})
    loaded, header = load_model(tmp_path / "m")
    assert all(torch.equal(weights[k], loaded[k]) for k in weights)
    assert header == {"config": {"x": [1, None]}}


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, monkeypatch):
    atomic_write(tmp_path / "f", b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_truncated_or_flipped_files_give_one_clear_error(model, tmp_path, data):
    content = model.read_bytes()
    header = 8 + struct.unpack("<Q", content[:8])[0]
    if data.draw(st.booleans()):
        broken = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        at = data.draw(st.integers(0, header - 1))
        broken = content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]
    path = tmp_path / "broken.safetensors"
    path.write_bytes(broken)
    with contextlib.suppress(UsageError):  # a flipped letter may also leave a model that loads; any other exception fails
        vaehub.load(path)


@pytest.mark.parametrize(
    "change", [{"shape": [0, 8, 8]}, {"cond": -1}, {"classes": -1}, {"shape": [10**30]}, {"shape": [2] * 99}]
)
def test_sizes_that_no_row_has_are_damage(change):
    with pytest.raises(ValueError, match="sizes that no row has"):
        as_spec({"shape": [1, 8, 8], "cond": 0, "classes": 0} | change)


class Bomb:
    """A pickle that leaves a file when it is read."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def hostile(canary: Path, good: dict[str, str], weights) -> list[bytes]:
    """Files that would do something if anything in them were executed or trusted."""
    code = f"__import__('pathlib').Path({str(canary)!r}).touch()"
    headers = [
        {"config": json.dumps({"domain": "os:system"})},
        {"config": json.dumps({"domain": {"name": "toy", "_target_": "os.system"}})},
        {
            "config": json.dumps(
                {"domain": {"name": "toy"}, "encoder": {"class_path": "os.system", "init_args": {"command": f"touch {canary}"}}}
            )
        },
        {"config": json.dumps({"domain": "toy", "trainer": {"_instantiator": "os.system"}})},
        {"config": json.dumps({"domain": "toy", "plugin": str(canary)})},
        {"config": f"!!python/object/apply:os.system ['touch {canary}']"},
        {"config": "[" * 5000},
        {"config": json.dumps({"domain": "toy", "latent": 10**9})},
        {"spec": json.dumps({"shape": [code], "cond": 0, "classes": 0})},
        {"spec": json.dumps({"shape": [10**12], "cond": 0, "classes": 0})},
        {"spec": "null"},
        {"codec": "[]"},
        {"format": "vaehub/999"},
    ]
    bad_header = b"{" * 100
    return [
        *(save(weights, good | h) for h in headers),
        pickle.dumps(Bomb(canary)),
        b"",
        b"\xff" * 8 + b"{}",
        struct.pack("<Q", 2**40) + b"{}",
        struct.pack("<Q", len(bad_header)) + bad_header,
        save({"other": torch.zeros(3)}, good),
        save({k: v.double().reshape(-1) for k, v in weights.items()}, good),
    ]


def test_hostile_files_execute_nothing(model, tmp_path):
    canary = tmp_path / "canary"
    weights, header = load_model(model)
    good = {"format": FORMAT} | {k: json.dumps(v) for k, v in header.items()}
    files = hostile(canary, good, weights)
    assert len(files) >= 20
    for number, content in enumerate(files):
        path = tmp_path / f"{number}.safetensors"
        path.write_bytes(content)
        with pytest.raises(UsageError):
            vaehub.load(path)
        assert not canary.exists(), number


def test_a_model_of_a_plugin_that_is_not_here_names_it(model, tmp_path):
    weights, header = load_model(model)
    header["plugins"] = {"spectra": "1.0"}
    header["config"]["likelihood"] = {"name": "raman"}
    save_model(tmp_path / "m", weights, header)
    with pytest.raises(UsageError, match=r"trained with spectra, not here: install it, or give --plugin"):
        vaehub.load(tmp_path / "m")


def test_a_pickled_resume_state_is_refused(tmp_path):
    canary = tmp_path / "canary"
    torch.save({"bomb": Bomb(canary)}, tmp_path / "last.ckpt")
    with pytest.raises(UsageError, match="cannot resume"):
        AtomicCheckpoints().load_checkpoint(tmp_path / "last.ckpt")
    assert not canary.exists()
