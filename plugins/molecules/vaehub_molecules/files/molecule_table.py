"""The molecules of a file, and a report of what was read."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import final

import pandas as pd

from vaehub import UsageError, files, hints
from vaehub_molecules.chem.changes import counts_of_changes, warn_of_changes
from vaehub_molecules.files.merging import Conflict
from vaehub_molecules.files.records import ChangedLine, RejectedLine

LONGEST = 1_000  # characters of a text that are written


@final
@dataclass(frozen=True)
class MoleculeTable:
    """What a file holds.

    frame: a column `smiles`, canonical and unique, and what else the file says; rejected; duplicates: how many more of those kept;
    conflicts: the columns of numbers in which records of the same molecule differ; changed: records, kept or duplicates, that stand for
    another form of a molecule than the file has.
    """

    path: Path
    frame: pd.DataFrame
    rejected: list[RejectedLine]
    duplicates: int
    conflicts: list[Conflict] = field(default_factory=list)
    changed: list[ChangedLine] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many records the file holds."""
        return len(self.frame) + self.duplicates + len(self.rejected)

    def check(self, max_bad: float) -> None:
        """Raises UsageError where more than a share `max_bad` of the records is rejected."""
        share = len(self.rejected) / self.read
        if share > max_bad:
            raise UsageError(
                f"{self.path}: {len(self.rejected):,} of {self.read:,} rejected ({share:.1%}), more than max_bad={max_bad:g} allows: "
                f"{self.complaints()}; mend the file or raise max_bad"
            )

    def complaints(self, most: int = 3) -> str:
        """The commonest reasons and the first line that was rejected."""
        first = self.rejected[0]
        reasons = ", ".join(f"{times:,} {kind}" for kind, times in self.reasons().most_common(most))
        return f"{reasons}; the first is number {first.number}: {hints.quoted(first.text)}, {first.reason}"

    def reasons(self) -> Counter[str]:
        """How many were rejected for each kind of reason."""
        return Counter(str(line.rejected.kind) for line in self.rejected)

    def changes(self) -> Counter[str]:
        """In how many records there was each kind of change."""
        return counts_of_changes(line.changes for line in self.changed)

    def warn_of_changes(self, where: str = "`vaehub molecules clean` lists them") -> None:
        """Warn where molecules are taken in another form than the file has."""
        warn_of_changes(str(self.path), (line.changes for line in self.changed), where)

    def lines(self) -> list[str]:
        """What was read, for people."""
        kept = f"{self.path}: {self.read:,} read, {len(self.frame):,} kept"
        head = f"{kept}, {self.duplicates:,} duplicates merged, {len(self.rejected):,} rejected"
        changed = [f"  {times:,} changed: {change}" for change, times in self.changes().most_common()]
        rejected = [f"  {times:,} rejected: {kind}" for kind, times in self.reasons().most_common()]
        return [head, *changed, *rejected, *(f"  {conflict}" for conflict in self.conflicts)]

    def write_rejected(self, path: Path) -> None:
        """A CSV file of number, text and reason."""
        rows = ((line.number, line.text[:LONGEST], line.reason) for line in self.rejected)
        write_rows(path, ("number", "text", "reason"), rows)

    def write_changed(self, path: Path) -> None:
        """A CSV file of number, text, what it became and why."""
        rows = ((line.number, line.text[:LONGEST], line.smiles, "; ".join(line.changes)) for line in self.changed)
        write_rows(path, ("number", "text", "smiles", "changes"), rows)


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    writer.writerows(rows)
    files.atomic_write(path, file.getvalue().encode("utf-8", "replace"))
