"""Images from and to files, by suffix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vaehub.errors import UsageError
from vaehub_images.arrays import as_images, read_idx, read_npy, read_npz
from vaehub_images.pictures import decode_all, pictures

ARRAYS = {".npy": read_npy, ".npz": read_npz, ".idx": read_idx, ".gz": read_idx, "": read_idx}


class Images(NamedTuple):
    """Bytes (N, C, H, W) and, where the source names them, the class of each."""

    pixels: Tensor
    names: Sequence[str] | None


def read_images(path: Path, shape: tuple[int, ...], resize: bool) -> Images:
    """Images of a shape (C, H, W) from a picture, a folder or zip of pictures, .npy, .npz or IDX. Raises UsageError."""
    channels, height, width = shape
    if path.is_dir() or path.suffix.lower() not in ARRAYS:
        return read_pictures(path, channels, (height, width), resize)
    array, labels = ARRAYS[path.suffix.lower()](path)
    pixels = as_images(array, (channels, height, width), path)
    if labels is not None and labels.shape != (len(pixels),):
        raise UsageError(f"{path}: {len(pixels)} images but labels of shape {labels.shape}")
    return Images(pixels, None if labels is None else [str(label) for label in labels.tolist()])


def read_pictures(path: Path, channels: int, size: tuple[int, int] | None, resize: bool) -> Images:
    """All pictures below a path, labelled if each lies in a sub-folder."""
    with pictures(path) as items:
        names = [item.label for item in items if item.label is not None]
        pixels = torch.from_numpy(decode_all(items, channels, size, resize))
    return Images(pixels, names if len(names) == len(items) else None)


def write_images(x: Tensor, path: Path, to_bytes: Callable[[Tensor], Tensor]) -> None:
    """Images x (B, C, H, W) to .png (a grid), a folder of PNGs, .npy or .npz. Raises UsageError."""
    writers: dict[str, Callable[[], object]] = {
        ".png": lambda: picture(tiled(to_bytes(x))).save(path),
        ".npy": lambda: np.save(path, x.numpy(force=True)),
        ".npz": lambda: np.savez_compressed(path, x=x.numpy(force=True)),
        "": lambda: write_folder(to_bytes(x), path),
    }
    if path.suffix.lower() not in writers:
        raise UsageError(f"{path}: images are written to .png, .npy, .npz or, without a suffix, to a folder of PNGs")
    try:
        writers[path.suffix.lower()]()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; choose a place that can be written to") from error


def write_folder(pixels: Tensor, path: Path) -> None:
    """A PNG for every image: 00000.png, 00001.png, …"""
    path.mkdir(parents=True, exist_ok=True)
    for row, image in enumerate(pixels):
        picture(image).save(path / f"{row:05d}.png")


def picture(pixels: Tensor) -> Image.Image:
    """Bytes (C, H, W) as a grey or RGB picture."""
    array = pixels.permute(1, 2, 0).numpy(force=True)
    return Image.fromarray(np.ascontiguousarray(array[..., 0] if array.shape[-1] == 1 else array))


def tiled(pixels: Tensor, columns: int = 0, gap: int = 0, fill: int = 0) -> Tensor:
    """Images (N, C, H, W) side by side on one (C, H', W'), as square as can be unless `columns` says otherwise."""
    count, channels, height, width = pixels.shape
    columns = columns or max(1, round((count * height / width) ** 0.5))
    rows = -(-count // columns)
    sheet = pixels.new_full((rows * columns, channels, height + gap, width + gap), fill)
    sheet[:count, :, :height, :width] = pixels
    grid: Tensor = sheet.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)
    sheet = grid.reshape(channels, rows * (height + gap), columns * (width + gap))
    return sheet[:, : sheet.shape[1] - gap, : sheet.shape[2] - gap]
