"""A recommender as a folder: the model's own file, the known users' items as parquet, the users' ids as JSON. Loading executes nothing."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Json, Run, UsageError, files, hints, load
from vaehub_recommender.api.fitted import Fitted, codec_of
from vaehub_recommender.choose import Choice
from vaehub_recommender.cold.content import Content
from vaehub_recommender.cold.files import packed_items, unpacked_items
from vaehub_recommender.domain import FROM_ALL, recommendation_of, source_of
from vaehub_recommender.held_out import Split
from vaehub_recommender.rules import ItemTable
from vaehub_recommender.rules.windows import without_windows
from vaehub_recommender.tables import Ids, Log
from vaehub_recommender.tables.log import Tally, UserItems, csr, merge
from vaehub_recommender.tables.matrix_columns import matrix_columns, matrix_of, values_of

MODEL, HISTORIES, USERS, ALSO_SEEN = "model.safetensors", "histories.parquet", "users.json", "also_seen.parquet"
ITEMS, OTHER_ITEMS, POSITION, FEATURES = "items.parquet", "other_items.parquet", "position in the catalogue", "item_features.json"
FORMAT = "vaehub-recommender/2"
READABLE = (FORMAT, "vaehub-recommender/1")
LINEAR = ("linear_items", "linear_weights")


def save(fitted: Fitted, folder: Path) -> None:
    """Write the folder whole or not at all, in place of a recommender that is there."""
    with files.atomic_folder(folder, (MODEL, HISTORIES, USERS, ALSO_SEEN, ITEMS, OTHER_ITEMS, FEATURES)) as temporary:
        write(fitted, temporary)


def save_over(fitted: Fitted, folder: Path) -> None:
    """Write the folder whole or not at all, in place of a run of `vaehub train` or a recommender that is there.

    Raises UsageError where the run's folder holds what is not vaehub's, or its training data.
    """
    if not files.is_run(folder):
        save(fitted, folder)
        return
    path = fitted.run.config.domain.options["path"]
    with files.replaced_run(folder, [] if path is None else [("the data", Path(path))]) as temporary:
        write(fitted, temporary)


def write(fitted: Fitted, folder: Path) -> None:
    """Its files; those of what was seen and not learnt from, and of what is known of items, where there is any."""
    if not fitted.run.domain.trained_on:  # else it is a run with a split of its own
        fitted.run.domain.trained_on = FROM_ALL
    fitted.run.save(folder / MODEL)
    pq.write_table(table_of(fitted), folder / HISTORIES, compression="zstd", write_page_checksum=True)
    choice = None if fitted.choice is None else fitted.choice.to_json()
    users = {"format": FORMAT, "users": fitted.users.to_json(), "choice": choice}
    if fitted.log.also_seen is not None:
        seen = fitted.log.also_seen
        users["also_seen"] = {"users": seen.users.to_json(), "items": seen.items.to_json()}
        pq.write_table(pa.table(matrix_columns(seen.matrix)), folder / ALSO_SEEN, compression="zstd", write_page_checksum=True)
    if fitted.item_table is not None:
        users["items"] = str(fitted.item_table.column)
        pq.write_table(table_of_items(fitted.item_table), folder / ITEMS, compression="zstd", write_page_checksum=True)
    if fitted.other_items is not None:
        ids, table = fitted.other_items
        users["other_items"] = ids.to_json()
        pq.write_table(table_of_items(table), folder / OTHER_ITEMS, compression="zstd", write_page_checksum=True)
    (folder / USERS).write_text(json.dumps(users))
    if fitted.content is not None:
        (folder / FEATURES).write_text(json.dumps(packed_items(fitted.content, fitted.new_items)))


def table_of_items(table: ItemTable) -> pa.Table:
    """What is known of the items, with their positions in place of their ids; columns that no file holds are left out, with a warning."""
    columns = {POSITION: pa.array(table.positions)}
    for name in table.rows.columns:
        try:
            if name != table.column:
                columns[str(name)] = pa.array(table.rows[name])
        except (pa.ArrowException, TypeError, OverflowError) as error:
            warnings.warn(f"items: column {hints.quoted(name)} is not saved ({hints.reason(error)})", UserWarning, stacklevel=4)
    return pa.table(columns)


def items_in(folder: Path, stated: Json, listed: Ids) -> pd.DataFrame | None:
    """What is known of the items of the catalogue, and after that of those that nobody has, where anything is."""
    if "items" not in stated:
        return None
    frame = items_of(folder / ITEMS, stated["items"], listed)
    if "other_items" not in stated:
        return frame
    other = items_of(folder / OTHER_ITEMS, stated["items"], Ids.from_json(stated["other_items"]))
    return pd.concat([frame, other], ignore_index=True)


def items_of(path: Path, column: str, ids: Ids) -> pd.DataFrame:
    """What is known of the items, as it was given."""
    frame: pd.DataFrame = checked_table(path).to_pandas()
    place = frame.pop(POSITION).to_numpy()
    if len(place) and not 0 <= place.min() <= place.max() < len(ids):
        raise ValueError(f"positions up to {place.max()} of {len(ids)} items")
    frame.insert(0, column, ids.take(place))
    return frame


def table_of(fitted: Fitted) -> pa.Table:
    """A row for every known user: the positions of the items, their weights, times, and what else is known of the user."""
    log = fitted.log
    columns: dict[str, Any] = matrix_columns(log.matrix)
    if log.times is not None:
        columns["times"] = pa.LargeListArray.from_arrays(log.matrix.indptr, log.times)
    columns["counted"] = pa.array(fitted.in_linear_part)
    if fitted.linear_rows is not None:
        columns |= matrix_columns(fitted.linear_rows, *LINEAR)
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
    stated = json.loads(files.read_bytes(folder / USERS, files.MAX_BYTES))
    if stated["format"] not in READABLE:
        raise ValueError(f"format {stated['format']!r}, this version reads {' and '.join(READABLE)}")
    users = Ids.from_json(stated["users"])
    table = checked_table(folder / HISTORIES)
    matrix = matrix_of(table, len(items))
    if len(users) != matrix.shape[0]:
        raise ValueError(f"{len(users)} ids for {matrix.shape[0]} histories")
    times = values_of(table, "times") if "times" in table.column_names else None
    also_seen = also_seen_of(stated["also_seen"], folder / ALSO_SEEN) if "also_seen" in stated else None
    tally, codec = Tally(matrix.nnz, 0, 0, len(users), len(items), matrix.nnz), codec_of(run)
    log = Log(users, items, matrix, times, tally, also_seen, codec.columns.transform, codec.decay)
    content, new_items = unpacked_items(folder / FEATURES, items)
    listed = items if new_items is None else new_items.all_items
    frames = {"user": None, "item": items_in(folder, stated, listed)}
    linear_rows = matrix_of(table, len(items), *LINEAR) if LINEAR[0] in table.column_names else None
    choice = None if stated.get("choice") is None else Choice.from_json(stated["choice"])
    counted = table["counted"].to_numpy()
    return Fitted(run, log, counted, side_of(table), frames, content, new_items, linear_rows, choice=choice)


def checked_table(path: Path) -> pa.Table:
    """A table whose checksums are compared with what is in it."""
    return pq.read_table(files.regular_file(path, files.MAX_BYTES), page_checksum_verification=True).combine_chunks()


def also_seen_of(ids: Json, path: Path) -> UserItems:
    """What users have seen and is not learnt from."""
    users, items, table = Ids.from_json(ids["users"]), Ids.from_json(ids["items"]), checked_table(path)
    if table.num_rows != len(users) + 1:
        raise ValueError(f"{len(users)} ids for {table.num_rows} rows of {path.name}")
    return UserItems(users, items, matrix_of(table, len(items)))


def side_of(table: pa.Table) -> Tensor | None:
    """What else is known of the users (U, S)."""
    if "side" not in table.column_names:
        return None
    return torch.from_numpy(values_of(table, "side").reshape(table.num_rows, -1))


def of_run(run: Run, ids: Ids) -> Fitted:
    """A run of `vaehub train`, with the users of its table if that is still there."""
    try:
        domain = recommendation_of(run.domain)
        log, side, described = restricted_to(domain.log, ids), domain.side, without_windows(domain.frames["item"])
        content = None if described is None else Content.of(described, domain.columns.item, ids)
    except UsageError as error:
        warnings.warn(f"no users are known, histories can be served: {error}", UserWarning, stacklevel=4)
        return Fitted(run, no_users(ids), np.zeros(0, bool))
    try:
        split = source_of(domain).split
    except UsageError as error:
        warnings.warn(f"users can be served, but the model cannot be judged or updated: {error}", UserWarning, stacklevel=4)
        return Fitted(run, log, np.zeros(len(log.users), bool), side, domain.frames, content, unknown_split=str(error))
    in_linear_part = np.isin(np.arange(len(log.users)), split.users)
    return Fitted(run, log, in_linear_part, side, domain.frames, content, linear_rows=rows_of(split, len(log.users)))


def no_users(ids: Ids) -> Log:
    """A log of nobody."""
    nobody = csr(np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(1, np.int64), (0, len(ids)))
    return Log(Ids.of([]), ids, nobody, None, Tally(0, 0, 0, 0, len(ids), 0))


def rows_of(split: Split, users: int) -> csr_array:
    """What a split has for training, as rows of all users (U, I)."""
    row = np.repeat(split.users, np.diff(split.train.indptr))
    return merge(row, split.train.indices, (users, split.train.shape[1]), split.train.data.astype(np.float64)).matrix


def restricted_to(log: Log, ids: Ids) -> Log:
    """A log over the items of a model alone. Raises UsageError where the table has not all of them."""
    at = ids.positions(log.items.values)
    if (at >= 0).sum() < len(ids):
        raise UsageError(f"the table has only {(at >= 0).sum():,} of the model's {len(ids):,} items; is it the one trained on?")
    keep = at[log.matrix.indices] >= 0
    ends = np.concatenate([[0], np.cumsum(keep)])[log.matrix.indptr]
    matrix = csr(log.matrix.data[keep], at[log.matrix.indices[keep]], ends, (len(log.users), len(ids)))
    return replace(log, items=ids, matrix=matrix, times=None if log.times is None else log.times[keep])
