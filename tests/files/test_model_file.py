"""Model files: the same model is the same bytes, and what was changed since it was saved is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save

import vaehub
from vaehub.errors import UsageError
from vaehub.files.model_file import BEFORE, FORMAT, KEY, canonical, load_model, open_model, save_model
from vaehub.testing.damage import damaged
from vaehub.training.fit import train

SMALL = {
    "domain": "toy",
    "latent": 2,
    "encoder": {"name": "mlp", "hidden": [4]},
    "decoder": {"name": "mlp", "hidden": [4]},
    "train": {"epochs": 1},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A trained model's file."""
    return train(SMALL, out=tmp_path_factory.mktemp("runs") / "run").path / "model.safetensors"


def as_before(model):
    """The bytes of a model file as vaehub 0.1 wrote it."""
    weights, header = load_model(model)
    return save(weights, {"format": BEFORE[-1]} | {key: json.dumps(value) for key, value in header.items()})


def written(path, weights, header):
    """A file whose digest fits, whatever the header says."""
    save_model(path, weights, header)
    return path


def test_the_same_model_is_the_same_bytes_every_time(model, tmp_path):
    run = vaehub.load(model)
    for number in range(8):
        run.save(tmp_path / f"{number}.safetensors")
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {model.read_bytes()}


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool, torch.complex64]
)
@pytest.mark.parametrize("shape", [(), (0, 3), (4, 3)])
def test_tensors_of_every_kind_come_back(tmp_path, dtype, shape):
    given = {"a": torch.ones(shape).to(dtype), "b": torch.arange(6.0).view(2, 3).T, "c": torch.ones(1, 1).expand(1, 5)[:, :1]}
    save_model(tmp_path / "m", given, {"x": [1, None, float("inf")]})
    weights, header = load_model(tmp_path / "m")
    assert all(torch.equal(weights[name], tensor) and weights[name].dtype == tensor.dtype for name, tensor in given.items())
    assert header == {"x": [1, None, float("inf")]}


def test_a_flipped_bit_of_a_weight_or_of_the_header_is_found(model, tmp_path):
    content = model.read_bytes()
    header = 8 + struct.unpack("<Q", content[:8])[0]
    digit = content.index(b'"rows\\":400') + 8  # in the header: rows 400 -> 500
    assert content[digit : digit + 3] == b"400"
    for place in (len(content) - 1, header, header + (len(content) - header) // 2, digit):
        changed = bytearray(content)
        changed[place] ^= 0x01
        (tmp_path / "m").write_bytes(changed)
        with pytest.raises(UsageError, match="use another copy, or train again"):
            vaehub.load(tmp_path / "m")


def test_weights_of_another_file_are_found(model, tmp_path):
    weights, header = load_model(model)
    sha256 = open_model(model).digest
    exchanged = {name: tensor + 1 for name, tensor in weights.items()}
    (tmp_path / "m").write_bytes(save(exchanged, {KEY: canonical({"format": FORMAT, "header": header, "sha256": sha256})}))
    with pytest.raises(UsageError, match=r"m: damaged \(its SHA-256 is not that of what was saved\)"):
        vaehub.load(tmp_path / "m")


def test_a_file_of_the_format_before_still_loads(model, tmp_path):
    (tmp_path / "old.safetensors").write_bytes(as_before(model))
    old, new = vaehub.load(tmp_path / "old.safetensors"), vaehub.load(model)
    assert np.array_equal(old.sample(5), new.sample(5))
    assert old.state == new.state
    assert open_model(tmp_path / "old.safetensors").digest is None


def test_whole_numbers_in_place_of_weights_are_refused_in_a_file_without_digest_too(model, tmp_path):
    content = as_before(model)
    assert content.count(b'"F32"') > 1
    (tmp_path / "m").write_bytes(content.replace(b'"F32"', b'"I32"', 1))
    with pytest.raises(UsageError, match=r"1 weights do not fit .* int32 .* in the file, float32"):
        vaehub.load(tmp_path / "m")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_named(model, tmp_path, value):
    weights, header = load_model(model)
    name = sorted(weights)[1]
    weights[name] = weights[name].clone()
    weights[name].view(-1)[0] = value
    with pytest.raises(UsageError, match=f"m: weight {name} holds values that are not finite"):
        vaehub.load(written(tmp_path / "m", weights, header))


def test_a_model_in_another_precision_comes_back_in_it(model, tmp_path):
    run = vaehub.load(model)
    run.vae.double()
    run.save(tmp_path / "m")
    again = vaehub.load(tmp_path / "m")
    assert next(again.vae.parameters()).dtype == torch.float64
    assert np.array_equal(run.sample(4), again.sample(4))


@pytest.mark.slow
def test_every_json_type_at_every_place_of_the_header_is_one_line_or_a_model_that_works(model, tmp_path):
    weights, header = load_model(model)
    rows, complaints = np.zeros((3, 1, 8, 8), np.float32), []
    config = {key: header["config"][key] for key in ("latent", "domain", "encoder", "decoder")}
    parts = {key: header[key] for key in ("spec", "codec", "state", "plugins")} | {"config": config}
    for place, other in damaged(parts):
        content = {**header, **other} if isinstance(other, dict) else other
        try:
            run = vaehub.load(written(tmp_path / "m", weights, content))
            run.sample(2)
            assert "score" not in run.state or run.score(rows).notna().all(axis=None), place
        except UsageError as error:
            complaints.append(str(error))
    assert len(complaints) > 100
    assert [text for text in complaints if "\n" in text or len(text) > 500] == []


@pytest.mark.parametrize("key", ["config", "spec", "codec", "state", "plugins"])
@pytest.mark.parametrize("value", ["x", [1], 7, None])
def test_an_entry_of_another_type_names_the_file(model, tmp_path, key, value):
    weights, header = load_model(model)
    with pytest.raises(UsageError, match=rf"m: damaged \(.*{key}.*\); use another copy, or train again"):
        vaehub.load(written(tmp_path / "m", weights, header | {key: value}))


@pytest.mark.parametrize(
    "quantiles", [[0.0] * 100, [float("nan")] * 101, [*range(100), 0], [*range(50), float("nan"), *range(50)], ["x"] * 101, 7]
)
def test_quantiles_that_are_none_are_refused(model, tmp_path, quantiles):
    weights, header = load_model(model)
    header["state"]["score"]["elbo"] = quantiles
    with pytest.raises(UsageError, match=r"m: damaged \(ValueError: state\.score\.elbo"):
        vaehub.load(written(tmp_path / "m", weights, header))


@pytest.mark.parametrize("number", ["9" * 5000, "1e400", "Infinity", str(10**30)])
def test_numbers_that_no_size_has_are_one_line(model, tmp_path, number):
    weights, header = load_model(model)
    for place in ("shape", "latent"):
        text = canonical({"format": FORMAT, "header": header, "sha256": "0" * 64})
        text = (
            text.replace('"shape":[1,', f'"shape":[{number},')
            if place == "shape"
            else text.replace('"latent":2', f'"latent":{number}')
        )
        (tmp_path / "m").write_bytes(save(weights, {KEY: text}))
        with pytest.raises(UsageError, match="m: ") as caught:
            vaehub.load(tmp_path / "m")
        assert len(str(caught.value)) < 400
