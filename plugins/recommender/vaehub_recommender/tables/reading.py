"""Tables of interactions from files: only the columns that are needed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vaehub import files
from vaehub_recommender.tables.arrays import matrix_of
from vaehub_recommender.tables.columns import Columns
from vaehub_recommender.tables.files import is_matrix, open_named, open_table
from vaehub_recommender.tables.frames import frame_of_matrix
from vaehub_recommender.tables.layout import Layout


def read_table(path: Path | str, columns: Columns | None = None, layout: Layout | None = None) -> pd.DataFrame:
    """Users, items and, where they are asked for or found, weights and times of a file.

    Ids of a text are whole numbers only where all are written as those are printed, or all as floats are (7.0). Columns of a file without names
    are called 0, 1, 2, ….

    Arguments:
        path: a table, a folder of .parquet files, or an .npz file with a matrix of users x items, whose ids are the numbers of its rows and columns.
        columns: which column is what.
        layout: how a text is written; found out, if not given.

    Raises:
        UsageError: names the file: there is none, it is too large or damaged, a column is absent or in doubt.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     pd.DataFrame({"user": ["ann"], "item": ["007"], "age": [9]}).to_csv(f"{folder}/likes.csv", index=False)
        ...     read_table(f"{folder}/likes.csv").to_dict("records")
        [{'user': 'ann', 'item': '007'}]
    """
    path, columns = Path(path), Columns() if columns is None else columns
    if is_matrix(path):
        return frame_of_matrix(matrix_of(path), columns)
    table = open_table(path, layout)
    with files.guarded(path):
        resolved = columns.resolve(table.names)
    return table.frame(resolved.needed, [name for name in (resolved.user, resolved.item) if name is not None])


def read_frame(path: Path | str) -> pd.DataFrame:
    """All columns of a table of what else is known of users or items. Raises UsageError that names the file."""
    return open_named(Path(path)).frame()
