"""Sparse matrices as columns of lists in an Arrow table, a row for each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from vaehub_recommender.tables.log import csr


def matrix_columns(matrix: csr_array, items: str = "items", weights: str = "weights") -> dict[str, pa.Array]:
    """The positions and the weights of every row of a matrix (B, I), as two columns of lists with these names."""
    values = {items: matrix.indices.astype(np.int32), weights: matrix.data.astype(np.float32)}
    ends = matrix.indptr.astype(np.int64)
    return {name: pa.LargeListArray.from_arrays(ends, value) for name, value in values.items()}


def matrix_of(table: pa.Table, width: int, items: str = "items", weights: str = "weights") -> csr_array:
    """The matrix (B, width) of two such columns. Raises ValueError for positions that it has no column for."""
    lists = whole_column(table, items)
    at = values_of(table, items).astype(np.int64)
    if len(at) and not 0 <= at.min() <= at.max() < width:
        raise ValueError(f"positions up to {at.max()} of {width} items")
    ends = np.asarray(lists.offsets, np.int64)
    return csr(values_of(table, weights), at, ends - ends[:1].sum(), (len(lists), width))


def whole_column(table: pa.Table, name: str) -> Any:
    """A column in one piece."""
    chunks = table[name].chunks
    return chunks[0] if chunks else pa.array([], table.schema.field(name).type)


def values_of(table: pa.Table, name: str) -> np.ndarray:
    """The values of all lists of a column, one after the other."""
    values: np.ndarray = np.array(whole_column(table, name).flatten())
    return values
