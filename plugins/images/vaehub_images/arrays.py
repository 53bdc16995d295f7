"""Arrays from files: .npy, .npz and IDX. Nothing is unpickled, and a header that promises more than the file holds is refused."""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vaehub.errors import UsageError
from vaehub_images.guard import check_unpacked, reading, regular_file

UNSIGNED_BYTE = 8  # code of the element type in an IDX header


@contextmanager
def opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An .npz, its unpacked size and the sizes in the headers of its arrays checked first."""
    packed = regular_file(path)
    with reading(path):
        with zipfile.ZipFile(path) as archive:
            check_unpacked(path, packed, sum(entry.file_size for entry in archive.infolist()))
            for entry in archive.infolist():
                if entry.filename.endswith(".npy"):
                    check_header(archive, entry)
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays


def check_header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Raise ValueError where the header of an array in an archive promises more bytes than its member has."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    if math.prod(shape) * dtype.itemsize > entry.file_size:
        raise ValueError(f"{entry.filename} says {shape}, and is too short for it")


def read_npy(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The array of an .npy file."""
    regular_file(path)
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
    packed = regular_file(path)
    with reading(path), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        start, kind, dimensions = struct.unpack(">HBB", file.read(4))
        if (start, kind) != (0, UNSIGNED_BYTE):
            raise ValueError("no IDX file of unsigned bytes")
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        count = math.prod(shape)
        check_unpacked(path, packed, count)
        if len(content := file.read(count + 1)) != count:
            raise ValueError(f"its header says {count:,} bytes, the file has another length")
        return np.frombuffer(content, np.uint8).reshape(shape), None


def write_idx(path: Path, array: np.ndarray) -> None:
    """Bytes of any shape as an IDX file."""
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape) + array.tobytes())
