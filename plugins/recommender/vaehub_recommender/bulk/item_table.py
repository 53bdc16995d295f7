"""Items from a file: those to choose from, or never to show, to all users or to some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from vaehub import UsageError, files, hints
from vaehub_recommender.tables import Columns, Ids
from vaehub_recommender.tables.columns import USER, with_usual_names
from vaehub_recommender.tables.files import open_named
from vaehub_recommender.tables.given_ids import item_column, require_known
from vaehub_recommender.tables.log import UserItems


def read_block(path: Path, items: Ids, columns: Columns) -> list[Any] | UserItems:
    """Items that are never shown: to anyone, or of a table with a column of users to each of them.

    Raises UsageError that names the file: no such column, damaged, no table, or no item that the model knows.
    """
    table = open_named(path)
    with files.guarded(path):
        users = columns.user if columns.user in table.names else next(iter(with_usual_names(table.names, USER)), None)
        if users is None or len(table.names) == 1:
            return read_item_list(path, items, columns.item)
        item = item_column(table.names, columns.item)
        refuse_lists(table, item)
        frame = table.frame([users, item], [users, item])
        place = items.positions(frame[item]) if table.typed else items.spelled(frame[item].astype(str))
        require_known("block", frame[item][place < 0].tolist(), len(place), items)
        known = frame[place >= 0]
        return UserItems.of(known[users], items.take(place[place >= 0])).over(items)


def read_item_list(path: Path, items: Ids, column: str | None) -> list[Any]:
    """The ids in a table: of its only column, or the one of items; text is an id of the model where it knows one that is written so.

    Raises UsageError that names the file: no such column, damaged, no table.
    """
    table = open_named(path)
    with files.guarded(path):
        name = item_column(table.names, column)
        refuse_lists(table, name)
    values = [value for batch in table.batches([name]) for value in present_values(batch.column(name))]
    return values if table.typed else written_ids(values, items)


def refuse_lists(table: files.Table, column: str) -> None:
    """Raise UsageError where a column holds lists."""
    if pa.types.is_nested(table.kind(column)):
        raise UsageError(f"column {hints.quoted(column)} holds lists; give a table with one item in each row")


def written_ids(texts: list[str], items: Ids) -> list[Any]:
    """Ids of the model where it knows one that is written so, else the text."""
    known = items.spelled(texts)
    ids = items.take(known.clip(0)).tolist() if len(items) else texts
    return [identity if at >= 0 else text for identity, text, at in zip(ids, texts, known, strict=True)]


def present_values(column: pa.Array) -> list[Any]:
    """The values, missing ones left out."""
    values: list[Any] = column.drop_null().to_pandas().tolist()
    return values
