"""One conversion of arrays to rows of a model, whether they come from a file or from memory.

Rows (N, C, H, W) are kept as what they are: bytes 0 … 255, real numbers 0 … 1 (float32), or levels (int64).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from vaehub import UsageError


def rows_from(given: object, shape: tuple[int, ...], levels: int, name: str) -> Tensor:
    """Images of any layout and type as rows of a model.

    Arguments:
        given: array or tensor (N, C, H, W), (N, H, W, C), (N, H, W) or flat (N, C·H·W); a single image likewise, without N.
        shape: (C, H, W) of the model.
        levels: how many levels x has in the model, 0 where it is real.
        name: what to call the array in errors: its file, or "x".

    Returns:
        (N, C, H, W): uint8 where `given` has bytes or booleans, float32 for real numbers 0 … 1, int64 for levels.

    Raises:
        UsageError: another shape, another type, or values outside of the range of the type.

    >>> rows_from(np.full((2, 3, 3), 255, np.uint8), (1, 3, 3), 0, "x").shape
    torch.Size([2, 1, 3, 3])
    """
    if isinstance(given, Tensor):
        given = (given.float() if given.dtype == torch.bfloat16 else given).numpy(force=True)
    if not isinstance(given, np.ndarray):
        raise UsageError(f"{name}: expected an array or a tensor of images, got {type(given).__name__}")
    return torch.from_numpy(np.array(values(in_model_layout(given, shape, name), levels, name), order="C"))


def in_model_layout(array: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """The array as (N, C, H, W), of the same values."""
    channels, height, width = shape
    tail = array.shape[1:]
    if (array.ndim > 1 and tail in (shape, (math.prod(shape),))) or (channels == 1 and tail == (height, width)):
        return array.reshape(-1, *shape)
    if tail == (height, width, channels):
        return array.transpose(0, 3, 1, 2)
    if array.shape in (shape, (height, width), (math.prod(shape),)) and array.size == math.prod(shape):
        return array.reshape(1, *shape)
    raise UsageError(f"{name}: array of shape {array.shape}; this model expects images (N, {channels}, {height}, {width})")


def values(array: np.ndarray, levels: int, name: str) -> np.ndarray:
    """The values in one of the types that rows are kept in: bytes stay bytes, real numbers stay real numbers."""
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array
    if kind == "b":
        return array * np.uint8(255)
    if kind not in "iuf":
        raise UsageError(f"{name}: values of type {array.dtype}; pixels are bytes 0..255 or real numbers 0..1")
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    if kind == "f":
        if low >= 0 and high <= 1:
            return array.astype(np.float32)
    elif levels and low >= 0 and high < levels:
        return array.astype(np.int64)
    elif not levels and low >= 0 and high <= 255:
        return array.astype(np.uint8)
    whole = f"whole numbers 0..{levels - 1 if levels else 255} of an integer type{', or bytes 0..255 as uint8' if levels else ''}"
    raise UsageError(f"{name}: pixels span [{low:g}, {high:g}]; give real numbers in 0..1, or {whole}")
