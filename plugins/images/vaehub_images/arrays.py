"""Arrays from files: .npy, .npz and IDX. Nothing is unpickled, and a header that promises more than the file holds is refused."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from vaehub import UsageError, files

UNSIGNED_BYTE = 8  # code of the element type in an IDX header


def read_npy(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The array of an .npy file."""
    with files.guarded(files.regular_file(path)):
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)), None


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """`x`, or the only array, and `labels` where there are any."""
    with files.opened_npz(path) as found:
        images = [name for name in found.files if name != "labels"]
        if "x" not in images and len(images) != 1:
            raise UsageError(
                f"{path}: holds {', '.join(found.files) or 'nothing'}; name the images `x` (and their classes `labels`)"
            )
        return found["x" if "x" in images else images[0]], found["labels"] if "labels" in found.files else None


def read_idx(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """An IDX file of bytes, plain or .gz: the format of MNIST."""
    content = files.read_gzip(path) if path.suffix == ".gz" else files.read_bytes(path)
    with files.guarded(path):
        start, kind, dimensions = struct.unpack(">HBB", content[:4])
        if (start, kind) != (0, UNSIGNED_BYTE):
            raise ValueError("no IDX file of unsigned bytes")
        shape, first = struct.unpack(f">{dimensions}I", content[4 : 4 * dimensions + 4]), 4 * dimensions + 4
        if len(content) - first != math.prod(shape):
            raise ValueError(f"its header says {math.prod(shape):,} bytes, the file has another length")
        return np.frombuffer(content, np.uint8, offset=first).reshape(shape), None


def write_idx(path: Path, array: np.ndarray) -> None:
    """Bytes of any shape as an IDX file."""
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape) + array.tobytes())
