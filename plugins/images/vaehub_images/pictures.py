"""Pictures from files, folders and zip archives. Archives are read in memory, never unpacked to disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from vaehub.errors import UsageError
from vaehub_images.arrays import MAX_BYTES, reading

SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_PIXELS = 64 << 20  # of one picture, before it is decoded
MAX_MEMBERS = 1_000_000  # of an archive
MAX_RATIO, FREE_BYTES = 100, 1 << 20  # unpacked to packed, for members above FREE_BYTES: pictures hardly shrink
MAX_FILE = 256 << 20  # bytes of one picture file


@dataclass(frozen=True)
class Picture:
    """One picture still to be read: its name for messages, the sub-folder that it lies in, its bytes."""

    name: str
    label: str | None
    read: Callable[[], bytes]


@contextmanager
def pictures(path: Path) -> Iterator[list[Picture]]:
    """The pictures of a file, folder or zip in the order of their names. Raises UsageError where there are none."""
    with reading(path):
        if path.suffix.lower() == ".zip" and not path.is_dir():
            with zipfile.ZipFile(path) as archive:
                yield found(sorted(members(archive, path), key=lambda picture: picture.name), path)
        else:
            yield found(in_folder(path) if path.is_dir() else [in_file(path, None)], path)


def found(items: list[Picture], path: Path) -> list[Picture]:
    """`items`, unless empty."""
    if not items:
        raise UsageError(f"{path}: no {', '.join(SUFFIXES)} in it; give a folder or zip of pictures")
    return items


def in_folder(folder: Path) -> list[Picture]:
    """Every picture below a folder; the first sub-folder is its label. Hidden files are skipped."""
    files = (file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file())
    return [
        in_file(folder / file, label_of(PurePosixPath(file.as_posix())))
        for file in files
        if wanted(PurePosixPath(file.as_posix()))
    ]


def in_file(file: Path, label: str | None) -> Picture:
    """A picture on disk."""
    return Picture(str(file), label, lambda: within(file, file.stat().st_size, file.read_bytes))


def within(name: Path | str, size: int, read: Callable[[], bytes]) -> bytes:
    """What `read` gives, if it is not too long."""
    if size > MAX_FILE:
        raise UsageError(f"{name}: {size:,} bytes, more than the {MAX_FILE:,} of any sensible picture")
    return read()


def members(archive: zipfile.ZipFile, path: Path) -> Iterator[Picture]:
    """The pictures of an archive, its members' number and sizes checked before any is read."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and wanted(PurePosixPath(entry.filename))]
    if len(entries) > MAX_MEMBERS:
        raise UsageError(f"{path}: {len(entries):,} pictures, more than {MAX_MEMBERS:,}; use a folder")
    for entry in entries:
        yield Picture(f"{path}:{entry.filename}", label_of(PurePosixPath(entry.filename)), reader(archive, entry, path))


def reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Callable[[], bytes]:
    """How to read one member. Raises UsageError for an encrypted one and for a zip bomb."""
    name = f"{path}:{entry.filename}"
    if entry.flag_bits & 1:
        raise UsageError(f"{name}: encrypted; unpack the archive first")
    if entry.file_size > FREE_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
        raise UsageError(f"{name}: {entry.compress_size:,} bytes that unpack to {entry.file_size:,}: refused as a zip bomb")
    return lambda: within(name, entry.file_size, lambda: archive.read(entry))


def wanted(name: PurePosixPath) -> bool:
    """Whether a file is a picture, and not hidden or a resource of macOS."""
    return name.suffix.lower() in SUFFIXES and not any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


def label_of(name: PurePosixPath) -> str | None:
    """The sub-folder that names the class of a picture."""
    return name.parts[-2] if len(name.parts) > 1 else None


def decode(content: bytes, name: str, channels: int, size: tuple[int, int] | None, resize: bool) -> np.ndarray:
    """The pixels (C, H, W) of a PNG or JPEG as bytes, cropped to the shape of `size` (H, W) and scaled if `resize`.

    Raises UsageError that names the picture: unreadable, too large, or of another size.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UsageError(f"{name}: {picture.width} x {picture.height} pixels, more than {MAX_PIXELS:,}; scale it down")
            pixels = ImageOps.exif_transpose(flat(picture, channels))
    except UsageError:
        raise
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise UsageError(f"{name}: no readable PNG or JPEG ({error})") from error
    if size is not None and (pixels.height, pixels.width) != size:
        pixels = fitted(pixels, name, size, resize)
    return np.asarray(pixels).reshape(pixels.height, pixels.width, channels).transpose(2, 0, 1)


def flat(picture: Image.Image, channels: int) -> Image.Image:
    """The picture in grey or RGB, what is transparent shown on white, 16-bit grey scaled to 8."""
    mode = "L" if channels == 1 else "RGB"
    if picture.mode.startswith("I"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture.convert(mode)


def fitted(picture: Image.Image, name: str, size: tuple[int, int], resize: bool) -> Image.Image:
    """The middle of the picture in the size asked for."""
    if not resize:
        raise UsageError(
            f"{name}: {picture.height} x {picture.width} pixels, expected {size[0]} x {size[1]}; scale it or set resize"
        )
    return ImageOps.fit(picture, (size[1], size[0]), Image.Resampling.LANCZOS)


def decode_all(items: Sequence[Picture], channels: int, size: tuple[int, int] | None, resize: bool) -> np.ndarray:
    """All pictures (N, C, H, W) as bytes; without a `size`, all must have that of the first."""
    first = decode(items[0].read(), items[0].name, channels, size, resize)
    if (total := len(items) * first.size) > MAX_BYTES:
        raise UsageError(
            f"{len(items):,} pictures of shape {first.shape} take {total:,} bytes, more than {MAX_BYTES:,}; set a smaller resize"
        )
    out = np.empty((len(items), *first.shape), np.uint8)

    def fill(row: int) -> None:
        out[row] = decode(items[row].read(), items[row].name, channels, first.shape[1:], resize)

    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(fill, range(len(items))):
            pass  # surfaces the first error
    return out
