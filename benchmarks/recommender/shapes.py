"""Generated interactions in the shape of well-known data sets: how many users and items, how long the histories, how uneven the items."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_array

SPREAD = 1.0  # of the logarithm of a history's length: its median is 0.6 of its mean, as in MovieLens
FLAT = 50  # popularity goes as 1 / (place + FLAT): the head is flatter than Zipf's
SHORTEST = 5


class Shape(NamedTuple):
    """Users, items, and the mean length of a history."""

    users: int
    items: int
    mean: float


ML_1M = Shape(6_034, 3_533, 95.3)  # at least 4 stars, users with 5 or more
ML_20M = Shape(136_677, 20_108, 73.1)


def histories(shape: Shape, users: int | None = None, seed: int = 0) -> csr_array:
    """Binary CSR (users, items) with sorted rows; every item occurs, a few times at least where there are users enough."""
    rng, users = np.random.default_rng(seed), users or shape.users
    drawn = np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, users)) * shape.mean
    lengths = drawn.clip(SHORTEST, shape.items // 4).astype(np.int64)
    items = draw(rng, int(lengths.sum()), shape.items)
    rows = np.repeat(np.arange(users), lengths)
    matrix = csr_array((np.ones(len(rows), np.float32), (rows, items)), shape=(users, shape.items))
    matrix.data[:] = 1  # pairs that were drawn twice have been added up
    return matrix


def draw(rng: np.random.Generator, count: int, items: int) -> np.ndarray:
    """Items (count,) by popularity, three in places of their own for every one, so that none is missing."""
    weight = np.cumsum(1 / (np.arange(items) + FLAT))
    drawn = np.searchsorted(weight, rng.random(count) * weight[-1])
    sure = np.tile(np.arange(items), 3)[:count]
    drawn[rng.choice(count, len(sure), replace=False)] = sure
    return drawn


def write_pairs(rows: csr_array, file: Path) -> list[str]:
    """A row for every user and item, and the options of the domain that read it."""
    users = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    pd.DataFrame({"user": users, "item": rows.indices}).to_parquet(file)
    return [f"domain.path={file}", "domain.user=user", "domain.item=item"]


def write_lists(rows: csr_array, file: Path, first: int = 0) -> None:
    """A row for every user, numbered from `first`, with a list of items."""
    lists = pa.ListArray.from_arrays(rows.indptr.astype(np.int32), rows.indices.astype(np.int32))
    pq.write_table(pa.table({"user": np.arange(first, first + rows.shape[0]), "item": lists}), file)
