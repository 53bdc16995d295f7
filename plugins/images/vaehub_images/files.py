"""Images from and to files, by suffix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vaehub import UsageError, files
from vaehub_images.arrays import read_idx, read_npy, read_npz
from vaehub_images.decoding import PictureFormat, decode_all
from vaehub_images.pictures import pictures
from vaehub_images.rows import rows_from

ARRAYS = {".npy": read_npy, ".npz": read_npz, ".idx": read_idx, ".gz": read_idx, "": read_idx}


class Images(NamedTuple):
    """Pixels (N, C, H, W) as `rows_from` gives them, where the source names them the class of each, and the bits of 16-bit pictures."""

    pixels: Tensor
    names: Sequence[str] | None
    depth: int | None = None


def read_images(path: Path, shape: tuple[int, ...], levels: int, depth: int | None) -> Images:
    """Images of one shape from a picture, a folder or zip of pictures, .npy, .npz or IDX.

    Arguments:
        path: the file or folder.
        shape: (C, H, W) of the model.
        levels: how many levels x has in the model, 0 where it is real.
        depth: bits of the 16-bit pictures that the model knows, None where it knows none.

    Raises:
        UsageError: names the file: not readable, no image in it, another shape, or labels that do not fit.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/x.npz", x=np.zeros((2, 3, 3), np.uint8), labels=["cat", "dog"])
        ...     images = read_images(Path(f"{folder}/x.npz"), (1, 3, 3), levels=0, depth=None)
        >>> images.pixels.shape, images.names
        (torch.Size([2, 1, 3, 3]), ['cat', 'dog'])
    """
    if path.is_dir() or path.suffix.lower() not in ARRAYS:
        return read_pictures(path, PictureFormat(shape[0], (shape[1], shape[2]), resize=False), depth)
    array, labels = ARRAYS[path.suffix.lower()](path)
    pixels = rows_from(array, shape, levels, str(path))
    if not len(pixels):
        raise UsageError(f"{path}: holds no image")
    if labels is not None and labels.shape != (len(pixels),):
        raise UsageError(f"{path}: {len(pixels)} images but labels of shape {labels.shape}")
    return Images(pixels, None if labels is None else [str(label) for label in labels.tolist()])


def read_pictures(path: Path, form: PictureFormat, depth: int | None = None, learn: bool = False) -> Images:
    """All pictures below a path, labelled if each lies in a sub-folder; depth, learn: see `decode_all`."""
    with pictures(path) as items:
        names = [item.label for item in items if item.label is not None]
        pixels, depth = decode_all(items, path, form, depth, learn)
    return Images(torch.from_numpy(pixels), names if len(names) == len(items) else None, depth)


def write_images(x: Tensor, path: Path, to_bytes: Callable[[Tensor], Tensor]) -> None:
    """Images to .png (a grid), a folder of PNGs (no suffix), .npy or .npz (x as it is).

    Arguments:
        x: (B, C, H, W).
        path: the file or folder.
        to_bytes: x as bytes, for pictures.

    Raises:
        UsageError: another suffix, or a place that cannot be written to.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from vaehub_images.pixels import to_bytes
        >>> with TemporaryDirectory() as folder:
        ...     write_images(torch.zeros(2, 1, 4, 4), Path(folder) / "new", to_bytes)
        ...     sorted(path.name for path in (Path(folder) / "new").iterdir())
        ['00000.png', '00001.png']
    """
    writers: dict[str, Callable[[], object]] = {
        ".png": lambda: picture(tiled(to_bytes(x))).save(path),
        ".npy": lambda: files.write_array(x.numpy(force=True), path),
        ".npz": lambda: files.write_array(x.numpy(force=True), path),
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
    """Images side by side on one, as square as can be unless `columns` says otherwise.

    Arguments:
        pixels: (N, C, H, W).
        columns: images in a row; 0: as square as can be.
        gap: pixels between images.
        fill: value between and behind them.

    Returns:
        (C, H', W').

    Example:
        >>> tiled(torch.zeros(3, 1, 4, 4), columns=2, gap=1).shape
        torch.Size([1, 9, 9])
    """
    count, channels, height, width = pixels.shape
    columns = columns or max(1, round((count * height / width) ** 0.5))
    rows = -(-count // columns)
    sheet = pixels.new_full((rows * columns, channels, height + gap, width + gap), fill)
    sheet[:count, :, :height, :width] = pixels
    grid: Tensor = sheet.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)
    sheet = grid.reshape(channels, rows * (height + gap), columns * (width + gap))
    return sheet[:, : sheet.shape[1] - gap, : sheet.shape[2] - gap]
