"""Items from a file: those to choose from, or never to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from vaehub import UsageError, files, hints
from vaehub_recommender.tables import Ids
from vaehub_recommender.tables.columns import ITEM, id_column
from vaehub_recommender.tables.files import open_named


def read_item_list(path: Path, items: Ids, column: str | None) -> list[Any]:
    """The ids in a table: of its only column, or the one of items; text is an id of the model where it knows one that is written so.

    Raises UsageError that names the file: no such column, damaged, no table.
    """
    table = open_named(path)
    with files.guarded(path):
        name = item_column(table.names, column)
        if pa.types.is_nested(table.kind(name)):
            raise UsageError(f"column {hints.quoted(name)} holds lists; give a table with one item in each row")
    values = [value for batch in table.batches([name]) for value in present_values(batch.column(name))]
    return values if table.typed else written_ids(values, items)


def written_ids(texts: list[str], items: Ids) -> list[Any]:
    """Ids of the model where it knows one that is written so, else the text."""
    known = items.spelled(texts)
    ids = items.take(known.clip(0)).tolist() if len(items) else texts
    return [identity if at >= 0 else text for identity, text, at in zip(ids, texts, known, strict=True)]


def present_values(column: pa.Array) -> list[Any]:
    """The values, missing ones left out."""
    values: list[Any] = column.drop_null().to_pandas().tolist()
    return values


def item_column(names: list[str], column: str | None) -> str:
    """The column that is called as in training, else the only one, else the one that looks like items."""
    if column in names or len(names) == 1:
        return column if column in names else names[0]
    return id_column(None, names, "item", ITEM)
