"""Items from a file: those to choose from, or never to show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from vaehub.errors import UsageError
from vaehub.hints import shown
from vaehub_recommender.tables import Ids
from vaehub_recommender.tables.columns import ITEM, find
from vaehub_recommender.tables.files import reading, suffix_of
from vaehub_recommender.tables.parquet import dataset_of, parquet_batches
from vaehub_recommender.tables.text import header_of, text_batches

ROWS = 1 << 17  # that are read at once


def listed(path: Path, items: Ids, column: str | None) -> list[Any]:
    """The ids in a table: of its only column, or the one of items. Raises UsageError that names the file: no such column, damaged, no table."""
    suffix = suffix_of(path)
    if suffix not in READERS:
        raise UsageError(f"{path}: a list of items is a {', '.join(READERS)} file; give one of these")
    with reading(path):
        return READERS[suffix](path, items, column)


def of_parquet(path: Path, items: Ids, column: str | None) -> list[Any]:
    """Ids as they are."""
    dataset = dataset_of(path)
    name = the_column(dataset.schema.names, column)
    if pa.types.is_nested(dataset.schema.field(name).type):
        raise UsageError(f"column {shown(name)} holds lists; give a table with one item in each row")
    return [value for batch in parquet_batches(dataset, [name], ROWS) for value in plain(batch.column(name))]


def of_text(path: Path, items: Ids, column: str | None) -> list[Any]:
    """Ids of the model where it knows one that is written so, else the text."""
    header = header_of(path)
    name = the_column(header.names, column)
    texts = [text for batch in text_batches(path, [name], header.separator) for text in plain(batch.column(name))]
    known = items.spelled(texts)
    ids = items.take(known.clip(0)).tolist() if len(items) else texts
    return [identity if at >= 0 else text for identity, text, at in zip(ids, texts, known, strict=True)]


def plain(column: pa.Array) -> list[Any]:
    """The values, missing ones left out."""
    values: list[Any] = column.drop_null().to_pandas().tolist()
    return values


def the_column(names: list[str], column: str | None) -> str:
    """The column that is called as in training, else the only one, else the one that looks like items."""
    if column in names or len(names) == 1:
        return column if column in names else names[0]
    return find(None, names, "item", ITEM)


READERS: dict[str, Callable[[Path, Ids, str | None], list[Any]]] = {".csv": of_text, ".csv.gz": of_text, ".parquet": of_parquet}
