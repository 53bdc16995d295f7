"""Rows of a model as a table like the one that it was trained on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from torch import Tensor

from vaehub import files, sparse
from vaehub_recommender.tables import Columns, Ids


def write_rows(x: Tensor, ids: Ids, path: Path, columns: Columns) -> None:
    """A row of the table for every item of every row of x (B, I): the number of the row, the item and its weight. Raises UsageError."""
    files.check_output(path)
    x = sparse.dense(x).cpu()
    row, item = x.nonzero(as_tuple=True)
    pairs = {columns.user or "user": row.numpy(), columns.item or "item": ids.take(item.numpy()).to_numpy()}
    files.write_table(pd.DataFrame({**pairs, columns.weight or "weight": x[row, item].numpy()}), path)
