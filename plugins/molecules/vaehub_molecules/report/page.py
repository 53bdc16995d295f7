"""The page of a search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vaehub_molecules.report.searched import search_page

if TYPE_CHECKING:
    from vaehub.base import Json
    from vaehub_molecules.search import Result
    from vaehub_molecules.use.codec import Codec


def write_search(result: Result, codec: Codec, path: Path, settings: Mapping[str, Json | str | int]) -> Path:
    """Write the page of a search, whole or not at all, and give its path. settings: all that decided its course, by name."""
    return search_page(result, codec, path.resolve().parent, settings).write(path)
