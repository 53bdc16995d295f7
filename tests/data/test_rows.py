"""Rows that are not what a model expects: a right result or one clear line, never a traceback."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub.convert import as_array, as_tensor
from vaehub.data.rows import TensorData


@pytest.fixture(scope="module")
def run():
    config = {"domain": {"name": "toy", "rows": 100}, "latent": 2, "encoder": {"name": "mlp", "hidden": [8]}}
    return vaehub.train(config | {"decoder": {"name": "mlp", "hidden": [8]}, "train": {"epochs": 1}}, progress=False)


@pytest.fixture(scope="module")
def x(run):
    return run.data("test")[torch.arange(20)].x


def test_booleans_bytes_halves_doubles_and_foreign_byte_orders_are_the_same_rows(run, x):
    codes = run.encode(x)
    for given in (x.bool(), x.half(), x.bfloat16(), x.double(), x.byte(), x.numpy().astype(">f4"), x.numpy().astype(">u2")):
        assert np.array_equal(run.encode(given), codes)
    assert np.array_equal(run.encode(x.numpy()[::-1]), codes[::-1])
    assert np.array_equal(run.encode(x.numpy().astype(bool)), codes)


def test_no_rows_in_no_rows_out(run, x):
    none = x[:0]
    assert run.encode(none).shape == (0, 2)
    assert run.encode(none, std=True)[1].shape == (0, 2)
    assert run.reconstruct(none).shape == run.decode(np.zeros((0, 2))).shape == (0, 1, 8, 8)
    with pytest.raises(vaehub.UsageError, match="at least one row"):
        run.score(none)


@pytest.mark.parametrize("kind", [torch.int8, torch.float32, torch.bool])
def test_masks_of_any_type_hide_alike(run, x, kind):
    mask = torch.ones(x.shape, dtype=kind)
    mask[:, :, :4] = 0
    hidden = torch.where(mask.bool(), x, torch.nan)
    assert np.array_equal(run.encode(TensorData(hidden, mask=mask)), run.encode(x * mask))
    assert np.isfinite(run.reconstruct(TensorData(hidden, mask=mask))).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": torch.zeros(3)}, "labels: 3 rows do not go with the 20 rows of x"),
        ({"cond": torch.zeros(19, 2)}, "cond: 19 rows do not go"),
        ({"y": torch.zeros(2, 2)}, "y: 2 rows do not go"),
        ({"mask": torch.full((20, 1, 8, 8), 0.5)}, "mask: expected True or 1"),
        ({"mask": torch.ones(20, 9)}, "mask: shape"),
    ],
)
def test_what_does_not_belong_to_the_rows_is_refused_before_training(x, options, message):
    with pytest.raises(vaehub.UsageError, match=message):
        TensorData(x, **options)


@pytest.mark.parametrize(
    "given",
    [
        np.array(["a"]),
        np.zeros((2, 2), complex),
        np.zeros(2, "M8[s]"),
        [[1, 2], [3]],
        None,
        "x.csv",
        {},
        pd.DataFrame({"a": ["x"]}),
    ],
)
def test_what_is_no_number_is_refused_by_the_same_line_everywhere(run, given):
    for call in (run.encode, run.reconstruct, run.score, run.decode, as_tensor, as_array):
        with pytest.raises(vaehub.UsageError) as error:
            call(given)
        assert "\n" not in str(error.value)


def test_labels_that_cannot_be_balanced_are_named(small):
    domain = vaehub.InMemory(*in_memory(torch.tensor([-1, 0, 1] * 20)))
    with pytest.raises(vaehub.UsageError, match=r"train\.balanced: row 0 has the label -1"):
        vaehub.train(small(), ["train.balanced=true"], domain=domain, progress=False)


def in_memory(labels):
    """A codec and splits of sixty toy rows with these labels."""
    from vaehub.config.build import build_domain
    from vaehub.config.load import load_config

    toy = build_domain(load_config({"domain": "toy"}))
    rows = TensorData(toy.data("train")[torch.arange(60)].x, labels=labels)
    return toy.codec, {"train": rows, "val": rows}


@pytest.mark.parametrize("precision", ["bf16-true", "16-true", "transformer-engine"])
def test_precisions_in_which_densities_are_rounded_are_refused_with_a_better_one(small, precision):
    with pytest.raises(vaehub.UsageError, match=rf"trainer\.precision: {precision} .*bf16-mixed"):
        vaehub.train(small(), [f"trainer.precision={precision}"], progress=False)


def test_double_precision_trains(small):
    run = vaehub.train(small(train={"epochs": 1}), ["trainer.precision=64-true"], progress=False)
    assert np.isfinite(run.evaluate(samples=2)["nll"])


def test_a_split_that_does_not_exist_is_named(run):
    with pytest.raises(vaehub.UsageError, match="split: 'tset' is none of train, val, test"):
        run.evaluate("tset")
    with pytest.raises(vaehub.UsageError, match="split: 'valid'"):
        run.data("valid")
