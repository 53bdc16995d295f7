"""Recommendations as a Parquet file that grows batch by batch and appears when it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias, final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vaehub import jobs

Ints: TypeAlias = NDArray[Any]
REASONS = pa.array(["history", "popular"])
ENCODED = ["user", "item", "rank", "reason"]  # few values each; scores are all different


@final
@dataclass(frozen=True)
class RankedBatch:
    """The best items of B users in order: positions (B, K), -1 where there are fewer, with their scores (B, K)."""

    users: pa.Array  # (B,) ids as given
    items: Ints
    scores: NDArray[np.float32]
    popular: NDArray[np.bool_]  # (B,): has no history, so gets what is popular
    unknown: int = 0  # entries of their histories that name no item of the model
    blocked: int = 0  # users for whom items are blocked, for them alone

    def table(self, items: pa.Array) -> pa.RecordBatch:
        """user, item, rank, score, reason: a row for each recommendation, with the ids `items` (I,)."""
        kept = self.items >= 0
        counts = kept.sum(1)
        columns = {
            "user": self.users.take(pa.array(np.repeat(np.arange(len(counts)), counts))),
            "item": pa.DictionaryArray.from_arrays(self.items[kept].astype(np.int32), items),
            "rank": (np.cumsum(kept, 1, dtype=np.int32))[kept],
            "score": self.scores[kept],
            "reason": pa.DictionaryArray.from_arrays(np.repeat(self.popular.astype(np.int8), counts), REASONS),
        }
        return pa.RecordBatch.from_arrays([pa.array(column) for column in columns.values()], names=list(columns))


@final
class Output(jobs.Writer[RankedBatch]):
    """Recommendations on their way into a file, for items with these ids (I,); `users` is the type of users' ids where there are no users."""

    def __init__(self, items: pa.Array, file: BinaryIO, users: pa.DataType | None = None) -> None:
        self.file, self.items, self.users = file, items, pa.string() if users is None else users
        self.counts = {"users": 0, "rows": 0, "unknown": 0, "popular": 0, "blocked": 0}
        self.writer: pq.ParquetWriter | None = None

    def add(self, ranked: RankedBatch) -> int:
        """Write one batch; its number of users."""
        batch = ranked.table(self.items)
        if self.writer is None:  # only now the type of the users' ids is known; readers get plain columns, no dictionaries
            self.writer = self.writer_of(batch)
        self.writer.write_batch(batch)
        self.counts["users"] += len(ranked.users)
        self.counts["rows"] += len(batch)  # recommendations
        self.counts["unknown"] += ranked.unknown  # entries of histories that name no item of the model
        self.counts["popular"] += int(ranked.popular.sum())  # users without a history, who get what is popular
        self.counts["blocked"] += ranked.blocked
        return len(ranked.users)

    def close(self) -> None:
        """Write what a Parquet file ends with; without users, that of an empty table."""
        if self.writer is None:
            nothing = np.zeros((0, 1), np.int64)
            nobody = RankedBatch(pa.array([], self.users), nothing, nothing.astype(np.float32), np.zeros(0, bool))
            self.writer = self.writer_of(nobody.table(self.items))
        self.writer.close()

    def writer_of(self, batch: pa.RecordBatch) -> pq.ParquetWriter:
        """A writer of batches like that."""
        return pq.ParquetWriter(self.file, batch.schema, use_dictionary=ENCODED, store_schema=False)
