"""The split of a run in a file of its folder: who and what was kept from the model stays so when the table grows.

Letters of shapes: U' users of a part, I items of the model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_array, vstack

from vaehub import UsageError, files
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.tables import Ids, Log
from vaehub_recommender.tables.matrix_columns import matrix_columns, matrix_of

FILE = "split.parquet"
FORMAT = "vaehub-split/1"
KEY = b"vaehub"
PARTS = ("train", "val", "test")
REMEDY = "give the table back as it was, or train again"


@final
@dataclass(frozen=True)
class SplitRecord:
    """A split by the ids of its users and items, and what the table was that it was drawn from.

    Arguments:
        split: whose positions are those of `users` and `items`.
        users: all users of the split.
        items: the items that are learnt from (I,).
        table: digest of the table.
    """

    split: Split
    users: Ids
    items: Ids
    table: str

    @staticmethod
    def of(log: Log, split: Split) -> SplitRecord:
        """What is to be kept of the split of a log."""
        everyone = np.unique(np.concatenate([split.users, split.val.users, split.test.users]))
        place = np.full(len(log.users), -1)
        place[everyone] = np.arange(len(everyone))
        own = replace(moved(split, place), items=np.arange(len(split.items)))
        return SplitRecord(own, Ids(log.users.take(everyone)), Ids(log.items.take(split.items)), digest_of_log(log))

    def changes(self, log: Log) -> str | None:
        """What to say where the log is not that of the training."""
        if digest_of_log(log) == self.table:
            return None
        others, users = len(log.users) - len(self.users), len(log.users)
        return f"the table has changed since training; users are split as they were then, {others:,} of {users:,} are in no part"

    def restored(self, log: Log) -> Split:
        """The same split of a log that may have more users, items and interactions by now.

        Raises:
            UsageError: users or items of it are not in the log.
        """
        at, items = log.users.positions(self.users.values), log.items.positions(self.items.values)
        for what, found in (("users", at), ("items", items)):
            if (found < 0).any():
                raise UsageError(
                    f"{(found < 0).sum():,} of the {len(found):,} {what} that the run was split by are no longer there; {REMEDY}"
                )
        changes = self.changes(log)
        notes = self.split.notes if changes is None else (*self.split.notes, changes)
        return replace(moved(self.split, at), items=items, notes=notes)

    def write(self, path: Path) -> None:
        """As a Parquet file: a row for each user of each part, and the ids as JSON in its metadata."""
        split, val, test = self.split, self.split.val, self.split.test
        nothing = csr_array(split.train.shape, dtype=np.float32)
        sizes = [len(split.users), len(val), len(test)]
        columns = {
            "part": pa.array(np.repeat(np.arange(len(PARTS), dtype=np.int8), sizes)),
            "user": pa.array(np.concatenate([split.users, val.users, test.users])),
            **matrix_columns(vstack([split.train, val.history, test.history], format="csr")),
            **matrix_columns(vstack([nothing, val.targets, test.targets], format="csr"), "target_items", "target_weights"),
        }
        about = {
            "format": FORMAT,
            "users": self.users.to_json(),
            "items": self.items.to_json(),
            "table": self.table,
            "known_users": split.known_users,
            "dropped": split.dropped,
            "notes": list(split.notes),
        }
        table = pa.table(columns).replace_schema_metadata({KEY: json.dumps(about).encode()})
        pq.write_table(table, path, compression="zstd", write_page_checksum=True)

    @staticmethod
    def read(path: Path) -> SplitRecord:
        """What `write` wrote. Raises UsageError where it is damaged or of another version."""
        with files.guarded(files.regular_file(path, files.MAX_BYTES), "train again"):
            table = pq.read_table(path, page_checksum_verification=True).combine_chunks()
            about = json.loads((table.schema.metadata or {})[KEY])
            if about["format"] != FORMAT:
                raise UsageError(
                    f"{path}: format {about['format']!r}, expected {FORMAT!r}; it was written by another version of vaehub"
                )
            users, items = Ids.from_json(about["users"]), Ids.from_json(about["items"])
            part, at = table["part"].to_numpy(), table["user"].to_numpy().astype(np.int64)
            if len(at) and not 0 <= at.min() <= at.max() < len(users):
                raise ValueError(f"positions up to {at.max()} of {len(users)} users")
            shown, targets = matrix_of(table, len(items)), matrix_of(table, len(items), "target_items", "target_weights")
            rows = [np.flatnonzero(part == number) for number in range(len(PARTS))]
            val, test = (HeldOut(at[row], shown[row], targets[row]) for row in rows[1:])
            known_users, notes = files.validated_json(bool, about["known_users"]), files.validated_json(list[str], about["notes"])
            split = Split(
                at[rows[0]], shown[rows[0]], np.arange(len(items)), val, test, known_users, int(about["dropped"]), tuple(notes)
            )
            return SplitRecord(split, users, items, str(about["table"]))


def moved(split: Split, place: np.ndarray) -> Split:
    """The same split, the user at position n being at place[n]."""
    val, test = (replace(held, users=place[held.users]) for held in (split.val, split.test))
    return replace(split, users=place[split.users], val=val, test=test)


def digest_of_log(log: Log) -> str:
    """Of all interactions, with the ids of their users and items."""
    return files.digest_of([*ids_bytes(log.users, log.items), *matrix_arrays(log.matrix)])


def split_digests(log: Log, split: Split) -> dict[str, str]:
    """Of the users of every part with their interactions, those that are shown and those that are to be found."""
    items = Ids(log.items.take(split.items))
    parts = {
        "train": (split.users, [split.train]),
        "val": (split.val.users, [split.val.history, split.val.targets]),
        "test": (split.test.users, [split.test.history, split.test.targets]),
    }
    return {
        name: files.digest_of(
            [*ids_bytes(Ids(log.users.take(users)), items), *(array for matrix in matrices for array in matrix_arrays(matrix))]
        )
        for name, (users, matrices) in parts.items()
    }


def ids_bytes(*ids: Ids) -> list[bytes]:
    """The ids as text, whatever number format a table gives them."""
    return ["\0".join(map(str, some.values.tolist())).encode(errors="surrogatepass") for some in ids]


def matrix_arrays(matrix: csr_array) -> list[np.ndarray]:
    """The three arrays of a matrix, whatever index type it has."""
    return [matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(np.float32)]
