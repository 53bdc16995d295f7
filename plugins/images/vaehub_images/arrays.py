"""Images from array files: .npy, .npz and IDX. Nothing is unpickled, and a header that promises more than the file holds is refused."""

from __future__ import annotations

import gzip
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaehub.errors import UsageError

UNSIGNED_BYTE = 8  # code of the element type in an IDX header
MAX_BYTES = 8 << 30  # of one unpacked file
BROKEN = (
    *(ValueError, EOFError, KeyError, NotImplementedError, MemoryError, SyntaxError, TypeError),
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),  # numpy tokenises the header of an .npy
)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What may go wrong while a file is read, as a UsageError that names it."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; check the path and its permissions") from error
    except BROKEN as error:
        raise UsageError(f"{path}: damaged or not what its suffix says ({error})") from error


@contextmanager
def opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An .npz, its unpacked size checked first."""
    with reading(path):
        with zipfile.ZipFile(path) as archive:
            if (size := sum(entry.file_size for entry in archive.infolist())) > MAX_BYTES:
                raise UsageError(f"{path}: unpacks to {size:,} bytes, more than {MAX_BYTES:,}; split it")
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays


def read_npy(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The array of an .npy file."""
    with reading(path):
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)), None


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """`x`, or the only array, and `labels` where there are any."""
    with opened(path) as arrays:
        images = [name for name in arrays.files if name != "labels"]
        if "x" not in images and len(images) != 1:
            raise UsageError(
                f"{path}: holds {', '.join(arrays.files) or 'nothing'}; name the images `x` (and their classes `labels`)"
            )
        return arrays["x" if "x" in images else images[0]], arrays["labels"] if "labels" in arrays.files else None


def read_idx(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """An IDX file of bytes, plain or .gz: the format of MNIST."""
    with reading(path), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        start, kind, dimensions = struct.unpack(">HBB", file.read(4))
        if (start, kind) != (0, UNSIGNED_BYTE):
            raise ValueError("no IDX file of unsigned bytes")
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        count = math.prod(shape)
        if count > MAX_BYTES or len(content := file.read(count + 1)) != count:
            raise ValueError(f"its header says {count:,} bytes, the file has another length")
        return np.frombuffer(content, np.uint8).reshape(shape), None


def write_idx(path: Path, array: np.ndarray) -> None:
    """Bytes of any shape as an IDX file."""
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape) + array.tobytes())


def as_bytes(array: np.ndarray, path: Path) -> np.ndarray:
    """Pixels as bytes: bytes stay, booleans and numbers in [0, 1] are scaled. Raises UsageError on anything else."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array * np.uint8(255)
    if array.dtype.kind not in "iuf" or not array.size:
        raise UsageError(f"{path}: {array.size} values of type {array.dtype}; pixels are bytes 0..255 or real numbers 0..1")
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu" and low >= 0 and high <= 255:
        return array.astype(np.uint8)
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        return (array * np.float64(255)).round().astype(np.uint8)
    raise UsageError(
        f"{path}: pixels span [{low:g}, {high:g}]; store real numbers in 0..1, or whole numbers 0..255 of an integer type"
    )


def as_images(array: np.ndarray, shape: tuple[int, int, int], path: Path) -> Tensor:
    """Bytes (N, C, H, W) from (H, W), (N, H, W), (N, C, H, W), (N, H, W, C) or flat rows; UsageError where the size is another."""
    channels, height, width = shape
    tail = array.shape[1:]
    if (array.ndim > 1 and tail in (shape, (math.prod(shape),))) or (channels == 1 and tail == (height, width)):
        images = array.reshape(-1, *shape)
    elif tail == (height, width, channels):
        images = array.transpose(0, 3, 1, 2)
    elif array.shape in (shape, (height, width)) and array.size == math.prod(shape):
        images = array.reshape(1, *shape)
    else:
        raise UsageError(f"{path}: array of shape {array.shape}; this model expects images (N, {channels}, {height}, {width})")
    return torch.from_numpy(np.array(as_bytes(images, path), order="C"))
