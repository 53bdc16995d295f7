"""A recommender as a folder: the model's own file, the known users' items as parquet, the users' ids as JSON. Loading executes nothing."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Run, UsageError, files, load
from vaehub_recommender.api.fitted import Fitted, codec_of
from vaehub_recommender.choose import Choice
from vaehub_recommender.domain import source_of
from vaehub_recommender.tables import Ids, Log
from vaehub_recommender.tables.log import Tally, csr

MODEL, HISTORIES, USERS = "model.safetensors", "histories.parquet", "users.json"
FORMAT = "vaehub-recommender/1"


def save(fitted: Fitted, folder: Path) -> None:
    """Write the folder whole or not at all, in place of a recommender that is there."""
    with files.atomic_folder(folder, (MODEL, HISTORIES, USERS)) as temporary:
        write(fitted, temporary)


def write(fitted: Fitted, folder: Path) -> None:
    """The three files."""
    fitted.run.save(folder / MODEL)
    pq.write_table(table_of(fitted), folder / HISTORIES, compression="zstd", write_page_checksum=True)
    choice = None if fitted.choice is None else fitted.choice.to_json()
    users = {"format": FORMAT, "users": fitted.users.to_json(), "choice": choice}
    (folder / USERS).write_text(json.dumps(users))


def table_of(fitted: Fitted) -> pa.Table:
    """A row for every known user: the positions of the items, their weights, times, and what else is known of the user."""
    log = fitted.log
    lists = {"items": log.matrix.indices.astype(np.int32), "weights": log.matrix.data}
    if log.times is not None:
        lists["times"] = log.times
    columns: dict[str, Any] = {name: pa.LargeListArray.from_arrays(log.matrix.indptr, values) for name, values in lists.items()}
    columns["counted"] = pa.array(fitted.in_linear_part)
    if fitted.side is not None:
        columns["side"] = pa.FixedSizeListArray.from_arrays(fitted.side.numpy().ravel(), fitted.side.shape[1])
    return pa.table({"user": fitted.users.arrow(), **columns})


def read(folder: Path) -> Fitted:
    """What `save` wrote, or a run of `vaehub train`. Raises UsageError for what is neither, or damaged."""
    files.restore_folder(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give one that Recommender.save or `vaehub train` wrote")
    run = load(folder)
    try:
        codec = codec_of(run)
    except UsageError as error:
        raise UsageError(f"{folder}: {error}") from None
    if not (folder / USERS).is_file():
        return of_run(run, codec.ids)
    run.path = None
    with files.guarded(folder, "its users cannot be read; use another copy, or fit again"):
        return read_users(run, codec.ids, folder)


def read_users(run: Run, items: Ids, folder: Path) -> Fitted:
    """The known users beside the model."""
    beside = json.loads(files.read_bytes(folder / USERS, files.MAX_BYTES))
    users, choice = Ids.from_json(beside["users"]), beside.get("choice")
    histories = files.regular_file(folder / HISTORIES, files.MAX_BYTES)
    table = pq.read_table(histories, page_checksum_verification=True).combine_chunks()
    matrix = matrix_of(table, len(items))
    if len(users) != matrix.shape[0]:
        raise ValueError(f"{len(users)} ids for {matrix.shape[0]} histories")
    times = values_of(table, "times") if "times" in table.column_names else None
    log = Log(users, items, matrix, times, Tally(matrix.nnz, 0, 0, len(users), len(items), matrix.nnz))
    chosen = None if choice is None else Choice.from_json(choice)
    return Fitted(run, log, table["counted"].to_numpy(), side_of(table), choice=chosen)


def matrix_of(table: pa.Table, items: int) -> csr_array:
    """The items (U, I) of the known users."""
    lists = whole_column(table, "items")
    at = values_of(table, "items").astype(np.int64)
    if len(at) and not 0 <= at.min() <= at.max() < items:
        raise ValueError(f"positions up to {at.max()} of {items} items")
    ends = np.asarray(lists.offsets, np.int64)
    return csr(values_of(table, "weights"), at, ends - ends[:1].sum(), (len(lists), items))


def whole_column(table: pa.Table, name: str) -> Any:
    """A column in one piece."""
    chunks = table[name].chunks
    return chunks[0] if chunks else pa.array([], table.schema.field(name).type)


def values_of(table: pa.Table, name: str) -> np.ndarray:
    """The values of all lists of a column, one after the other."""
    values: np.ndarray = np.array(whole_column(table, name).flatten())
    return values


def side_of(table: pa.Table) -> Tensor | None:
    """What else is known of the users (U, S)."""
    if "side" not in table.column_names:
        return None
    return torch.from_numpy(values_of(table, "side").reshape(table.num_rows, -1))


def of_run(run: Run, ids: Ids) -> Fitted:
    """A run of `vaehub train`, with the users of its table if that is still there."""
    try:
        source = source_of(run.domain)
        log = restricted_to(source.log, ids)
        in_linear_part = np.isin(np.arange(len(log.users)), source.split.users)
        return Fitted(run, log, in_linear_part, source.side, source.frames)
    except UsageError as error:
        warnings.warn(f"no users are known, histories can be served: {error}", UserWarning, stacklevel=4)
    nobody = csr(np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(1, np.int64), (0, len(ids)))
    return Fitted(run, Log(Ids.of([]), ids, nobody, None, Tally(0, 0, 0, 0, len(ids), 0)), np.zeros(0, bool))


def restricted_to(log: Log, ids: Ids) -> Log:
    """A log over the items of a model alone. Raises UsageError where the table has not all of them."""
    at = ids.positions(log.items.values)
    if (at >= 0).sum() < len(ids):
        raise UsageError(f"the table has only {(at >= 0).sum():,} of the model's {len(ids):,} items; is it the one trained on?")
    keep = at[log.matrix.indices] >= 0
    ends = np.concatenate([[0], np.cumsum(keep)])[log.matrix.indptr]
    matrix = csr(log.matrix.data[keep], at[log.matrix.indices[keep]], ends, (len(log.users), len(ids)))
    return replace(log, items=ids, matrix=matrix, times=None if log.times is None else log.times[keep])
