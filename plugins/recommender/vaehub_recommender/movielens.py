"""MovieLens 1M, which is not ours to ship: read where the user has it, or fetched from its makers and checked.

"The MovieLens Datasets: History and Context" (Harper, Konstan, 2015), doi:10.1145/2827872.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pandas as pd

from vaehub import UsageError, files

URL = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
SHA256 = "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"
MAX_BYTES = 1 << 28  # of a file, unpacked; those of MovieLens 1M have 25 MB
RATINGS = ["user", "movie", "rating", "seconds"]


def fetch() -> Path:
    """The archive, downloaded unless it was before, its SHA-256 verified."""
    return files.download(URL, SHA256, MAX_BYTES, "fetch the file yourself and give it with --path")


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
    content = member(path, name).replace(b"::", b"\t")
    with files.guarded(path, f"it holds no {name} of MovieLens 1M; give ml-1m.zip or its folder"):
        return pd.read_csv(BytesIO(content), sep="\t", names=columns, encoding="latin-1", quoting=3)


def member(path: Path, name: str) -> bytes:
    """A file of the folder or of the archive. Raises UsageError where there is none, or it is far larger than any of MovieLens 1M."""
    absent = f"it holds no {name} of MovieLens 1M; give ml-1m.zip or its folder"
    if path.is_dir() and (path / name).exists():
        return files.read_bytes(path / name, MAX_BYTES)
    if path.is_dir():
        raise UsageError(f"{path}: {absent}")
    with files.guarded(files.regular_file(path, MAX_BYTES), absent), ZipFile(path) as archive:
        found = next((entry for entry in archive.infolist() if Path(entry.filename).name == name), None)
        if found is None or found.file_size > MAX_BYTES:
            raise UsageError(absent)
        return archive.read(found)
