"""Pictures in files, folders and zip archives, still to be decoded. Archives are read in memory, never unpacked to disk."""

from __future__ import annotations

import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vaehub import UsageError, files

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MAX_MEMBERS = 1_000_000  # of an archive
MAX_RATIO, FREE_BYTES = 100, 1 << 20  # unpacked to packed, for members above FREE_BYTES: pictures hardly shrink
MAX_FILE = 128 << 20  # bytes of one picture file


@dataclass(frozen=True)
class Picture:
    """One picture still to be read: its name for messages, the sub-folder that names its class, its bytes."""

    name: str
    label: str | None
    read: Callable[[], bytes]


@contextmanager
def pictures(path: Path) -> Iterator[list[Picture]]:
    """The pictures of a file, folder or zip in the order of their names; what is left out is said in one warning.

    Raises UsageError where there are none.
    """
    if path.is_dir():
        yield in_folder(path)
    elif path.suffix.lower() == ".zip":
        with files.guarded(files.regular_file(path)):
            archive = zipfile.ZipFile(path)
        with archive:
            yield in_archive(archive, path)
    else:
        yield [in_file(files.regular_file(path), None)]


def in_folder(folder: Path) -> list[Picture]:
    """Every picture below a folder. Hidden files are skipped."""
    found = {PurePosixPath(f.relative_to(folder).as_posix()): f for f in sorted(folder.rglob("*")) if not f.is_dir()}
    seen = [name for name in found if not hidden(name)]
    broken = {
        name: "broken link" if found[name].is_symlink() else "no regular file" for name in seen if not found[name].is_file()
    }
    names = chosen(seen, broken, folder)
    return [in_file(found[name], label) for name, label in zip(names, labels(names), strict=True)]


def in_archive(archive: zipfile.ZipFile, path: Path) -> list[Picture]:
    """Every picture of an archive, the number and the sizes of its members checked before any is read."""
    entries = {PurePosixPath(entry.filename): entry for entry in archive.infolist() if not entry.is_dir()}
    if len(entries) > MAX_MEMBERS:
        raise UsageError(f"{path}: {len(entries):,} files, more than {MAX_MEMBERS:,}; use a folder")
    names = chosen(sorted((name for name in entries if not hidden(name)), key=str), {}, path)
    return [
        Picture(f"{path}:{name}", label, reader(archive, entries[name], path))
        for name, label in zip(names, labels(names), strict=True)
    ]


def hidden(name: PurePosixPath) -> bool:
    """Whether a file is hidden, or a resource of macOS."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


def chosen(names: Sequence[PurePosixPath], broken: dict[PurePosixPath, str], path: Path) -> list[PurePosixPath]:
    """The names that are those of pictures; a warning counts the others. Raises UsageError where there are none."""
    kept = [name for name in names if name.suffix.lower() in SUFFIXES and name not in broken]
    if not kept:
        raise UsageError(f"{path}: no {', '.join(SUFFIXES)} in it; give a folder or zip of pictures")
    left = Counter(broken.get(name, name.suffix.lower() or "without suffix") for name in set(names) - set(kept))
    if left:
        what = ", ".join(f"{count:,} {kind}" for kind, count in left.most_common())
        warnings.warn(f"{path}: {left.total():,} of {len(names):,} files left out: {what}", UserWarning, stacklevel=2)
    return kept


def labels(names: Sequence[PurePosixPath]) -> list[str | None]:
    """The first sub-folder of each picture names its class; a folder that merely wraps all sub-folders is passed over."""
    parts = [name.parts for name in names]
    while parts and len({p[0] for p in parts}) == 1 and all(len(p) > 2 for p in parts):
        parts = [p[1:] for p in parts]
    return [p[0] if len(p) > 1 else None for p in parts]


def in_file(file: Path, label: str | None) -> Picture:
    """A picture on disk."""
    return Picture(str(file), label, lambda: files.read_bytes(file, MAX_FILE))


def within(name: Path | str, size: int, read: Callable[[], bytes]) -> bytes:
    """What `read` gives, if it is not too long."""
    if size > MAX_FILE:
        raise UsageError(f"{name}: {size:,} bytes, more than the {MAX_FILE:,} of any sensible picture")
    with files.guarded(name):
        return read()


def reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Callable[[], bytes]:
    """How to read one member. Raises UsageError for an encrypted one and for a zip bomb."""
    name = f"{path}:{entry.filename}"
    if entry.flag_bits & 1:
        raise UsageError(f"{name}: encrypted; unpack the archive first")
    if entry.file_size > FREE_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
        raise UsageError(f"{name}: {entry.compress_size:,} bytes that unpack to {entry.file_size:,}: refused as a zip bomb")
    return lambda: within(name, entry.file_size, lambda: archive.read(entry))
