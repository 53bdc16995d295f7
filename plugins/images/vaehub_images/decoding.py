"""Pictures to pixels: orientation first, then transparency, colours and size; 16-bit levels are kept."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile

from vaehub import UsageError, files, hints
from vaehub_images.pictures import Picture

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
MAX_PIXELS = 64 << 20  # of one picture
THREADS, LARGE = 4, 16 << 20  # pictures of more pixels are decoded one at a time, as each thread keeps the memory of its largest
DARK = 4095  # a 16-bit picture without a brighter pixel shows next to nothing
EIGHT, SIXTEEN = 8, 16  # bits


class Decoded(NamedTuple):
    """One picture: pixels (C, H, W), its bits a colour (0: real numbers in 0 … 1), and what could not be kept of it."""

    pixels: NDArray[np.uint8] | NDArray[np.float32]
    bits: int
    lost: tuple[str, ...]


class PictureFormat(NamedTuple):
    """What pictures are made into: `channels`, and the size (H, W), None: that of the first; `resize` crops the middle and scales it."""

    channels: int
    size: tuple[int, int] | None
    resize: bool


def decode(item: Picture, form: PictureFormat, most: int = MAX_PIXELS) -> Decoded | None:
    """One picture, judged by its header before it is decoded; of several frames the first. None where it has more than `most` pixels.

    Raises UsageError that names the picture: unreadable, too large, or of another size.
    """
    content = item.read()
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            pixels = picture.width * picture.height
            if pixels > MAX_PIXELS:
                raise UsageError(
                    f"{item.name}: {picture.width} x {picture.height} pixels, more than {MAX_PIXELS:,}; scale it down"
                )
            return converted(picture, item.name, form) if pixels <= most else None
    except UsageError:
        raise
    except MemoryError as error:
        raise UsageError(f"{item.name}: too little memory to decode it; scale it down") from error
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise UsageError(f"{item.name}: no readable {', '.join(FORMATS)} ({hints.reason(error)})") from error


def decode_any_size(item: Picture, form: PictureFormat) -> Decoded:
    """One picture of any size that is allowed."""
    decoded = decode(item, form)
    assert decoded is not None  # it is of at most MAX_PIXELS, or has raised
    return decoded


def converted(picture: Image.Image, name: str, form: PictureFormat) -> Decoded:
    """The pixels of a picture that is open, in the channels and the size asked for."""
    lost = lossy_features(picture)
    ImageOps.exif_transpose(picture, in_place=True)  # the first step: all others drop what says how the picture is turned
    if picture.mode == "F" or picture.mode.startswith("I"):
        values, bits = np.asarray(picture).astype(np.float32), 0 if picture.mode == "F" else SIXTEEN
        require_within(values, 2**bits - 1 if bits else 1, name)
        pixels = np.asarray(resized(Image.fromarray(values), name, form)).clip(
            values.min(), values.max()
        )  # scaling overshoots at edges
        return Decoded(np.repeat(pixels[None], form.channels, 0), bits, lost)
    pixels = np.asarray(resized(to_colours(picture, form.channels), name, form))
    return Decoded(pixels.reshape(*pixels.shape[:2], form.channels).transpose(2, 0, 1), EIGHT, lost)


def require_within(values: NDArray[np.float32], top: int, name: str) -> None:
    """Raise UsageError where pixels are no numbers 0 … top."""
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= top):
        raise UsageError(f"{name}: pixels span [{low:g}, {high:g}]; store whole numbers of 8 or 16 bits, or real numbers in 0..1")


def lossy_features(picture: Image.Image) -> tuple[str, ...]:
    """What Pillow does not give of a picture that is open and not yet decoded."""
    tiles = picture.tile if isinstance(picture, ImageFile) else []
    deep = not picture.mode.startswith("I") and any(";16" in str(tile.args) for tile in tiles)
    frames = getattr(picture, "is_animated", False)  # an attribute of some formats only
    return (*(["16 bits a colour are read as 8"] if deep else []), *(["of several frames the first is read"] if frames else []))


def to_colours(picture: Image.Image, channels: int) -> Image.Image:
    """The picture in grey or RGB, what is transparent shown on white."""
    if picture.has_transparency_data:
        layer = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture.convert("L" if channels == 1 else "RGB")


def resized(picture: Image.Image, name: str, form: PictureFormat) -> Image.Image:
    """The picture if it has the size asked for, else its middle scaled to that size."""
    if form.size is None or (picture.height, picture.width) == form.size:
        return picture
    height, width = form.size
    if not form.resize:
        raise UsageError(
            f"{name}: {picture.height} x {picture.width} pixels, expected {height} x {width}; scale it or set resize"
        )
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)


def decode_all(
    items: Sequence[Picture], path: Path, form: PictureFormat, depth: int | None, learn: bool
) -> tuple[NDArray[np.uint8] | NDArray[np.float32], int | None]:
    """All pictures of a set. Bytes stay bytes; with a 16-bit picture among them all are real numbers 0 … 1 (float32).

    Arguments:
        items: what to decode, at least one; at most 4 x 16 + 64 million pixels at once, of up to 16 bytes.
        path: the set, for messages.
        wanted: channels and size; without a size, all must have that of the first.
        depth: bits that 16-bit pictures of the model are scaled by, x = value / (2^depth - 1); None: it knows no such pictures.
        learn: take the depth from the brightest pixel of this set, between 8 and 16 bits.

    Returns:
        (N, C, H, W), and the depth, None where it is not known and no picture has 16 bits.

    Raises:
        UsageError: a picture is unreadable, too large, of another size or brighter than `depth` allows.
    """
    first = decode_any_size(items[0], form)
    shape = (len(items), *first.pixels.shape)
    if (total := int(np.prod(shape, dtype=np.int64)) * first.pixels.itemsize) > files.MAX_BYTES:
        raise UsageError(
            f"{path}: {len(items):,} pictures take {total:,} bytes, more than {files.MAX_BYTES:,}; set a smaller resize"
        )
    form = form._replace(size=first.pixels.shape[1:])
    out: NDArray[np.uint8] | NDArray[np.float32] = np.empty(shape, np.uint8)
    lost, deep = Counter[str](), np.zeros(len(items), dtype=bool)
    with ThreadPoolExecutor(THREADS) as pool:
        for row, decoded in enumerate(pool.map(partial(decode, form=form, most=LARGE), items)):
            found = decoded or decode_any_size(items[row], form)
            if found.bits != EIGHT and out.dtype == np.uint8:
                out = in_unit(out)
            out[row] = in_unit(found.pixels) if found.bits == EIGHT and out.dtype != np.uint8 else found.pixels
            deep[row] = found.bits == SIXTEEN
            lost.update(found.lost)
    for what, count in lost.items():
        warnings.warn(f"{path}: {count:,} of {len(items):,} pictures: {what}", UserWarning, stacklevel=2)
    if deep.any():
        depth = scale_16_bit(out, deep, path, depth, learn)
    return out, depth


def in_unit(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Bytes as real numbers 0 … 1."""
    return pixels.astype(np.float32) / np.float32(255)


def scale_16_bit(
    out: NDArray[np.uint8] | NDArray[np.float32], deep: NDArray[np.bool_], path: Path, depth: int | None, learn: bool
) -> int | None:
    """Bring the 16-bit rows of `out` to 0 … 1, in place, and say how; the depth to keep."""
    brightest = int(max(out[row].max() for row in np.flatnonzero(deep)))
    count = f"{path}: {int(deep.sum()):,} 16-bit pictures, the brightest pixel {brightest:,}"
    if learn:
        depth = max(EIGHT, brightest.bit_length())
        warnings.warn(f"{count}: read as {depth} bits, 0 … {2**depth - 1:,} as 0 … 1, here and in later files", stacklevel=3)
    elif depth is None and brightest <= DARK:
        warnings.warn(
            f"{count} of 65,535: nearly black to this model, which was trained on 8-bit pictures; scale them to 8 bits",
            stacklevel=3,
        )
    top = 2 ** (depth or SIXTEEN) - 1
    if brightest > top:
        raise UsageError(f"{count}; the model's 16-bit pictures go up to {top:,}; scale them alike")
    for row in np.flatnonzero(deep):
        out[row] /= np.float32(top)
    return depth
