"""MovieLens 1M, which is not ours to ship: read where the user has it, or fetched from its makers and checked.

"The MovieLens Datasets: History and Context" (Harper, Konstan, 2015), doi:10.1145/2827872.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pandas as pd

from vaehub.errors import UsageError

URL = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
SHA256 = "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"
MAX_BYTES = 1 << 28  # of a file, unpacked; those of MovieLens 1M have 25 MB
RATINGS = ["user", "movie", "rating", "seconds"]


def fetch(folder: Path) -> Path:
    """The archive, downloaded unless it lies in `folder` already, its SHA-256 verified."""
    import pooch  # type: ignore[import-untyped]

    try:
        return Path(pooch.retrieve(URL, f"sha256:{SHA256}", "ml-1m.zip", folder, progressbar=False))
    except (OSError, ValueError) as error:
        raise UsageError(f"{URL}: download failed ({error}); fetch the file yourself and give it with --path") from error


def read(path: Path) -> pd.DataFrame:
    """user, item (the title), rating, time of ml-1m.zip or of the folder that it unpacks to. Raises UsageError where it is neither."""
    ratings = table(path, "ratings.dat", RATINGS)
    movies = table(path, "movies.dat", ["movie", "title", "genres"])
    titles = movies.set_index("movie")["title"]
    return pd.DataFrame(
        {
            "user": ratings["user"],
            "item": ratings["movie"].map(titles),
            "rating": ratings["rating"],
            "time": pd.to_datetime(ratings["seconds"], unit="s"),
        }
    )


def table(path: Path, name: str, columns: list[str]) -> pd.DataFrame:
    """One file of the data set, whose cells are parted by two colons."""
    try:
        content = member(path, name).replace(b"::", b"\t")
        return pd.read_csv(BytesIO(content), sep="\t", names=columns, encoding="latin-1", quoting=3)
    except (OSError, ValueError, BadZipFile, StopIteration) as error:
        raise UsageError(f"{path}: holds no {name} of MovieLens 1M ({error!r}); give ml-1m.zip or its folder") from error


def member(path: Path, name: str) -> bytes:
    """A file of the folder or of the archive. Raises StopIteration or OSError where there is none, ValueError where it is too large."""
    if path.is_dir():
        require_small((path / name).stat().st_size)
        return (path / name).read_bytes()
    with ZipFile(path) as archive:
        found = next(entry for entry in archive.infolist() if Path(entry.filename).name == name)
        require_small(found.file_size)
        return archive.read(found)


def require_small(size: int) -> None:
    """Raise ValueError for a file that is far larger than any of MovieLens 1M."""
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes")
