"""Recommendations as a file, Parquet or text, that grows batch by batch and appears when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeAlias, final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vaehub import jobs

Ints: TypeAlias = NDArray[Any]
REASONS = pa.array(["history", "popular", "features"])
POPULAR = 1  # its position there
ENCODED = ["user", "item", "rank", "reason"]  # few values each; scores are all different


@final
@dataclass(frozen=True)
class RankedBatch:
    """The best items of B users in order: positions (B, K), -1 where there are fewer, with their scores (B, K)."""

    users: pa.Array  # (B,) ids as given
    items: Ints
    scores: NDArray[np.float32]
    reasons: NDArray[np.int8]  # (B,): why every user has this list, as a position in REASONS
    unknown: int = 0  # entries of their histories that name no item of the model
    blocked: int = 0  # users for whom items are blocked, for them alone

    def table(self, items: pa.Array) -> pa.RecordBatch:
        """user, item, rank, score, reason: a row for each recommendation, with the ids `items` (I,)."""
        kept = self.items >= 0
        counts = kept.sum(1)
        columns = {
            "user": self.users.take(pa.array(np.repeat(np.arange(len(counts)), counts))),
            "item": items.take(pa.array(self.items[kept])),
            "rank": np.cumsum(kept, 1)[kept],
            "score": self.scores[kept],
            "reason": pa.DictionaryArray.from_arrays(np.repeat(self.reasons, counts), REASONS),
        }
        return pa.RecordBatch.from_arrays([pa.array(column) for column in columns.values()], names=list(columns))


class RowWriter(Protocol):
    """A file of rows, as pyarrow writes it."""

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Some rows."""
        ...

    def close(self) -> None:
        """The end."""
        ...


def parquet_writer(file: BinaryIO, schema: pa.Schema) -> RowWriter:
    """Rows as Parquet; the stored schema lets the reason come back as the category that it is in Python."""
    writer: RowWriter = pq.ParquetWriter(file, schema, use_dictionary=ENCODED)
    return writer


def csv_writer(file: BinaryIO, schema: pa.Schema) -> RowWriter:
    """Rows as text, commas between the cells."""
    writer: RowWriter = pacsv.CSVWriter(file, schema)
    return writer


WRITERS: dict[str, Callable[[BinaryIO, pa.Schema], RowWriter]] = {".parquet": parquet_writer, ".csv": csv_writer}


@final
class Output(jobs.Writer[RankedBatch]):
    """Recommendations on their way into a file of this suffix, for items with these ids (I,); `users`: the type of ids where there are no users."""

    def __init__(self, items: pa.Array, file: BinaryIO, suffix: str = ".parquet", users: pa.DataType | None = None) -> None:
        self.file, self.items, self.writing = file, items, WRITERS[suffix]
        self.users = pa.string() if users is None else users
        self.counts = {"users": 0, "rows": 0, "unknown": 0, "popular": 0, "blocked": 0}
        self.writer: RowWriter | None = None

    def add(self, ranked: RankedBatch) -> int:
        """Write one batch; its number of users."""
        batch = ranked.table(self.items)
        if self.writer is None:  # only now the type of the users' ids is known
            self.writer = self.writing(self.file, batch.schema)
        self.writer.write_batch(batch)
        self.counts["users"] += len(ranked.users)
        self.counts["rows"] += len(batch)  # recommendations
        self.counts["unknown"] += ranked.unknown  # entries of histories that name no item of the model
        self.counts["popular"] += int((ranked.reasons == POPULAR).sum())  # users without a history, who get what is popular
        self.counts["blocked"] += ranked.blocked
        return len(ranked.users)

    def close(self) -> None:
        """Write what a file ends with; one without users has the columns all the same."""
        if self.writer is None:
            nothing = np.zeros((0, 1), np.int64)
            self.add(RankedBatch(pa.array([], self.users), nothing, nothing.astype(np.float32), np.zeros(0, np.int8)))
        if self.writer is not None:
            self.writer.close()
