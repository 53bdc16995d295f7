"""Files that are not ours to ship: fetched once from where their makers keep them, and checked."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import Any

from vaehub.errors import UsageError
from vaehub.files.guard import shortened
from vaehub.hints import reason

VARIABLE = "VAEHUB_CACHE"


def cache_folder() -> Path:
    """Where downloads are kept: the folder in the environment variable VAEHUB_CACHE, else the platform's own for vaehub."""
    import pooch  # type: ignore[import-untyped]

    given = os.environ.get(VARIABLE)
    return Path(given) if given else Path(pooch.os_cache("vaehub"))


def download(url: str, sha256: str, size: int, remedy: str, folder: Path | None = None) -> Path:
    """A file from the network, fetched unless it is there already.

    Arguments:
        url: of the file.
        sha256: of its bytes.
        size: bytes that it has at most.
        remedy: what to do where there is no network, for the message.
        folder: where it is kept, by default `cache_folder()`.

    Raises:
        UsageError: it cannot be fetched, or is not the file that was expected.

    >>> import hashlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "x.txt").write_bytes(b"abc")
    ...     download("https://example.org/x.txt", hashlib.sha256(b"abc").hexdigest(), 3, "copy it", Path(folder)).name
    'x.txt'
    """
    import pooch

    place, name = cache_folder() if folder is None else folder, url.rsplit("/", 1)[-1]

    def fetch(url: str, target: str, caller: Any) -> None:
        with Limited(target, size) as file:
            pooch.HTTPDownloader()(url, file, caller)

    try:
        return Path(pooch.retrieve(url, f"sha256:{sha256}", name, place, downloader=fetch))
    except (OSError, ValueError) as error:
        raise UsageError(f"{url}: download failed ({shortened(reason(error))}); {remedy}") from error


class Limited(FileIO):
    """A file to write to that takes no more than `size` bytes."""

    def __init__(self, path: str, size: int) -> None:
        super().__init__(path, "wb")
        self.size = size

    def write(self, content: Any) -> int:
        """Write all of `content`. Raises ValueError where that is too much."""
        if self.tell() + len(content) > self.size:
            raise ValueError(f"more than the {self.size:,} bytes that were expected")
        return super().write(content)
