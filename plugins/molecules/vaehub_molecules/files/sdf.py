"""SDF: mol blocks with properties."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from vaehub import UsageError, files
from vaehub_molecules.files.columns import convert_types
from vaehub_molecules.files.records import MAX_BYTES, Records

END = "$$$$"
HEADER = 4  # lines: title, program, comment, counts
TITLE = "\n"  # key of the title, which no property can have
PROPERTY = re.compile(r"^>.*<(.+)>")


def sdf_records(path: Path, column: str | None) -> Records:
    """The mol block of each record, with its title and properties beside it; titles are called `name` where no property is."""
    if column is not None:
        raise UsageError(f"column={column!r}: an SDF file holds structures, no column of SMILES")
    records = split_records(list(files.read_lines(path, MAX_BYTES)))
    found = pd.DataFrame([record_properties(record) for record in records], dtype=object).fillna("")
    found = found.rename(columns={TITLE: title_name(found.columns)})
    others = found.drop(columns="smiles", errors="ignore").apply(convert_types) if len(found) else found
    return Records([mol_block(record) for record in records], list(range(1, len(records) + 1)), others)


def split_records(rows: list[str]) -> list[list[str]]:
    """The lines of each record."""
    records: list[list[str]] = [[]]
    for row in rows:
        if row.startswith(END):
            records.append([])
        else:
            records[-1].append(row)
    return [record for record in records if any(map(str.strip, record))]


def mol_block(record: list[str]) -> str:
    """The mol block of a record: what stands before its properties."""
    return "\n".join(record[: block_end(record)]) + "\nM  END\n"


def block_end(record: list[str]) -> int:
    """The line at which the atoms and bonds of a record end; its title and comments may hold any signs."""
    ends = (at for at, row in enumerate(record) if at >= HEADER and row.startswith((">", "M  END")))
    return next(ends, len(record))


def record_properties(record: list[str]) -> dict[str, str]:
    """The title of a record as `TITLE`, where it has one, and its properties."""
    found = {TITLE: record[0].strip()} if record[0].strip() else {}
    for at in range(block_end(record), len(record)):
        if named := PROPERTY.match(record[at]):
            found[named[1]] = "\n".join(property_lines(record[at + 1 :]))
    return found


def title_name(properties: Iterable[str]) -> str:
    """What the column of titles is called: `name`, unless a property is."""
    return next((name for name in ("name", "title") if name not in properties), "_Name")


def property_lines(rows: list[str]) -> list[str]:
    """The lines of a property: those up to the first blank one."""
    blank = next((at for at, row in enumerate(rows) if not row.strip()), len(rows))
    return [row.strip() for row in rows[:blank]]
