"""Histories from a file some users at a time: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from vaehub import UsageError, files
from vaehub_recommender.tables.arrays import matrix_of
from vaehub_recommender.tables.cells import cells
from vaehub_recommender.tables.columns import USER, Columns, find_column
from vaehub_recommender.tables.decay import Decay
from vaehub_recommender.tables.files import is_matrix, open_table
from vaehub_recommender.tables.histories import History, Place, of_lists, of_matrix, of_pairs
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.layout import Layout
from vaehub_recommender.tables.lists import FlatLists, is_list
from vaehub_recommender.tables.whole_users import UniqueUsers, whole_users


def read_histories(
    path: Path | str,
    items: Ids,
    columns: Columns | None = None,
    rows: int = files.CHUNK_ROWS,
    layout: Layout | None = None,
    decay: Decay | None = None,
) -> Iterator[History]:
    """The histories of all users of a file in their order, some at a time; no user comes twice.

    Arguments:
        path: a table with a row for each pair, those of a user together, or (Parquet, Feather) one for each user with a list of items; .npz: a matrix
            (users, items).
        items: the items that the model knows.
        columns: which column is what.
        rows: rows of the file that are read at once.
        layout: how a text is written; found out, if not given.
        decay: how much interactions count by their times.

    Raises:
        UsageError: names the file: damaged, a column absent or in doubt, a user torn apart.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"]}).to_csv(f"{folder}/likes.csv", index=False)
        ...     [history.users.tolist() for history in read_histories(f"{folder}/likes.csv", Ids.of(["a", "b"]))]
        [[1], [2]]
    """
    path, columns = Path(path), Columns() if columns is None else columns
    once = UniqueUsers()
    with files.guarded(path):
        found = (
            from_matrix(path, items, rows, columns)
            if is_matrix(path)
            else from_table(open_table(path, layout), items, columns, rows, decay)
        )
        for history in found:
            once.add(history.users)
            yield history
        once.check()


def from_table(table: files.Table, items: Ids, columns: Columns, rows: int, decay: Decay | None = None) -> Iterator[History]:
    """Pairs or lists from a table."""
    resolved = columns.resolve_histories(table.names, timed=decay is not None)
    if is_list(table.kind(str(resolved.item))):
        return from_lists(table.batches(resolved.needed, rows), resolved, items, decay)
    user = find_column(resolved.user, table.names, "user", USER)
    if table.typed:
        return from_pairs(
            (batch.to_pandas() for batch in table.batches(resolved.needed, rows)),
            resolved,
            user,
            items.positions,
            len(items),
            decay,
        )
    return from_pairs(pairs_of_text(table, resolved, user, rows), resolved, user, items.spelled, len(items), decay)


def from_lists(batches: Iterable[pa.RecordBatch], columns: Columns, items: Ids, decay: Decay | None) -> Iterator[History]:
    """One row a user; without a column of users they are called by the number of their row."""
    start = 0
    for batch in batches:
        lists = batch.column(columns.item)
        lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        users = range(start, start + len(batch)) if columns.user is None else batch.column(columns.user).to_pandas()
        yield of_lists(users, FlatLists(cells(lists.flatten().to_pandas()), lengths), items, decay)
        start += len(batch)


def from_pairs(
    frames: Iterable[pd.DataFrame], columns: Columns, user: str, place: Place, items: int, decay: Decay | None
) -> Iterator[History]:
    """One row a pair; rows in messages are counted in the piece that they name."""
    start = 0
    for frame in whole_users(frames, user):
        try:
            yield of_pairs(frame, columns, user, place, items, decay)
        except UsageError as error:
            raise UsageError(f"counted from row {start:,}: {error}") from error
        start += len(frame)


def pairs_of_text(table: files.Table, resolved: Columns, user: str, rows: int) -> Iterator[pd.DataFrame]:
    """Pairs of a text; users are whole numbers where all of them are written so."""
    whole = all(files.whole_numbers(batch.column(user)) for batch in table.batches([user]))
    for batch in table.batches(resolved.needed, rows):
        users = files.as_whole(batch.column(user)) if whole else batch.column(user)
        frame = pd.DataFrame({user: files.as_pandas(users), resolved.item: files.as_pandas(batch.column(resolved.item))})
        others = [name for name in (resolved.weight, resolved.time) if name is not None]
        yield frame.assign(**{name: table.values(batch.column(name)) for name in others})


def from_matrix(path: Path, items: Ids, rows: int, columns: Columns) -> Iterator[History]:
    """Rows of a sparse matrix; users are called by their numbers."""
    matrix = matrix_of(path)
    for start in range(0, matrix.shape[0], rows):
        block = of_matrix(matrix[start : start + rows], items, items.whole, columns.transform)
        yield replace(block, users=block.users + start)
