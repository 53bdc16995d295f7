"""Arrays as rows of a model, from memory or a file: bytes stay bytes, real numbers stay real numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vaehub.base import Spec
from vaehub.errors import UsageError
from vaehub_images.codec import ImageCodec
from vaehub_images.pixels import quantise
from vaehub_images.rows import rows_from

SHAPE = (1, 8, 8)
REAL = np.random.default_rng(0).random((5, *SHAPE), np.float32)


def codec_of(levels: int = 0, binarised: bool = False) -> ImageCodec:
    return ImageCodec(Spec(SHAPE, classes=levels), binarised=binarised)


def x_of(data) -> np.ndarray:
    return data[torch.arange(len(data))].x.numpy()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_real_numbers_are_not_rounded_to_bytes(tmp_path, suffix):
    codec = codec_of()
    codec.write(torch.from_numpy(REAL), tmp_path / f"x{suffix}")
    assert np.array_equal(x_of(codec.read(tmp_path / f"x{suffix}")), REAL)
    assert np.array_equal(x_of(codec.convert(REAL)), REAL)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64])
def test_bytes_of_any_integer_type(dtype):
    grey = np.arange(64).reshape(8, 8)
    assert np.array_equal(x_of(codec_of().convert(grey.astype(dtype)))[0, 0], np.float32(grey) / np.float32(255))


@pytest.mark.parametrize("given", [np.eye(8, dtype=bool), torch.eye(8, dtype=torch.bool), torch.eye(8, dtype=torch.bfloat16)])
def test_black_and_white(given):
    assert np.array_equal(x_of(codec_of().convert(given))[0, 0], np.eye(8))


@pytest.mark.parametrize("levels", [2, 4, 8, 16, 32, 64, 128, 256])
def test_real_numbers_and_bytes_have_the_same_level(levels):
    grey = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(quantise(levels)(grey.float() / 255), quantise(levels)(grey))


def test_levels_stay_what_they_are():
    x = np.random.default_rng(0).integers(0, 16, (3, *SHAPE))
    assert np.array_equal(x_of(codec_of(levels=16).convert(x)), x)
    with pytest.raises(UsageError, match=r"x: pixels span \[16, 16\]; .*0\.\.15 of an integer type, or bytes 0\.\.255 as uint8"):
        codec_of(levels=16).convert(np.full((8, 8), 16))


def test_grey_rows_of_a_black_and_white_model_depend_on_the_row_alone():
    codec = codec_of(binarised=True)
    whole = x_of(codec.convert(REAL))
    assert set(np.unique(whole)) == {0, 1}
    assert np.array_equal(np.concatenate([x_of(codec.convert(row)) for row in REAL]), whole)
    assert np.array_equal(x_of(codec.convert(whole)), whole)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "expected an array or a tensor of images, got NoneType"),
        ("x.png", "got str"),
        ([[0.0]], "got list"),
        (np.zeros((2, 9, 9)), r"shape \(2, 9, 9\); this model expects images \(N, 1, 8, 8\)"),
        (np.full((8, 8), 1.5), r"span \[1\.5, 1\.5\]"),
        (np.full((8, 8), np.nan), "nan"),
        (np.full((8, 8), np.inf), "inf"),
        (np.full((8, 8), 256), r"span \[256, 256\]"),
        (np.full((8, 8), "a"), "values of type <U1"),
    ],
)
def test_what_is_no_image_is_refused(given, message):
    with pytest.raises(UsageError, match=f"^x: .*{message}"):
        codec_of().convert(given)


def test_no_row_is_no_error():
    assert rows_from(np.zeros((0, 8, 8)), SHAPE, 0, "x").shape == (0, *SHAPE)


@pytest.mark.parametrize("state", [{"classes": 7}, {"depth": 99}, {"depth": "8"}, {"depth": [8]}])
def test_a_damaged_state_is_refused(state):
    whole = codec_of().to_json()
    assert ImageCodec.from_json(Spec(SHAPE), whole).to_json() == whole
    with pytest.raises(ValueError, match="Input should be"):  # which the reader of model files reports as damage
        ImageCodec.from_json(Spec(SHAPE), whole | state)
