"""What the scripts of this folder share: a pool of molecules, tables, time."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

from vaehub_molecules.chem.canonical_many import canonical_all
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected
from vaehub_molecules.domains.splitting import hash_order


def lines(path: Path) -> list[str]:
    """The first word of every line of a text file, which may be gzipped."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [line.split()[0] for line in text.decode().splitlines() if line.strip()]


def molecules(path: Path, count: int | None, policy: Policy) -> list[str]:
    """Canonical molecules of a file, each once; `count` of them, drawn by their hash."""
    given = lines(path)
    chosen = [given[i] for i in hash_order(given, 0)[:count]]
    return list(dict.fromkeys(s for s in canonical_all(chosen, policy) if not isinstance(s, Rejected)))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table in Markdown."""
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row) + " |", flush=True)
