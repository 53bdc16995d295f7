"""Rows of a model as a table like the one that it was trained on."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from torch import Tensor

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub.sparse import dense
from vaehub_recommender.tables import Columns, Ids

WRITERS: dict[str, Callable[[pd.DataFrame, io.BytesIO], object]] = {
    ".csv": lambda frame, file: frame.to_csv(file, index=False),
    ".parquet": lambda frame, file: frame.to_parquet(file, index=False),
}


def write_rows(x: Tensor, ids: Ids, path: Path, columns: Columns) -> None:
    """A row of the table for every item of every row of x (B, I): the number of the row, the item and its weight. Raises UsageError."""
    if path.suffix not in WRITERS:
        raise UsageError(f"{path}: expected a name that ends in {' or '.join(WRITERS)}")
    x = dense(x).cpu()
    row, item = x.nonzero(as_tuple=True)
    pairs = {columns.user or "user": row.numpy(), columns.item or "item": ids.take(item.numpy()).to_numpy()}
    frame = pd.DataFrame({**pairs, columns.weight or "weight": x[row, item].numpy()})
    file = io.BytesIO()
    WRITERS[path.suffix](frame, file)
    atomic_write(path, file.getvalue())
