"""What stands in a file before anything is known of its chemistry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from vaehub_molecules.chem.changes import Change
from vaehub_molecules.chem.reasons import Rejected


class RejectedLine(NamedTuple):
    """Something in a file that is not taken: the number of its line (of an SDF record or a Parquet row: its own number), from 1."""

    number: int
    text: str
    rejected: Rejected

    @property
    def reason(self) -> str:
        """Why, in one short phrase."""
        return self.rejected.reason


class ChangedLine(NamedTuple):
    """Something in a file that is taken in another form than it has there: its number, as of rejected ones, and what it became."""

    number: int
    text: str
    smiles: str
    changes: tuple[Change, ...]


MAX_BYTES = 1 << 30  # of a file, unpacked: some twenty million SMILES


@dataclass(frozen=True)
class Records:
    """texts (N,) as they stand in the file, their numbers (N,), what else the file says of each (N rows), and what could not be split."""

    texts: list[str]
    numbers: list[int]
    others: pd.DataFrame
    broken: list[RejectedLine] = field(default_factory=list)
