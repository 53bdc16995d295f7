"""The best items for all histories of files, by a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vaehub import UsageError, files, jobs
from vaehub_recommender.api.allowed_items import Rules, allowed_items
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import query_of_named
from vaehub_recommender.api.ranked_lists import ListMaker
from vaehub_recommender.bulk.item_table import read_block, read_item_list
from vaehub_recommender.bulk.output import Output, RankedBatch
from vaehub_recommender.bulk.request import Request
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.rerank.lists import reranking
from vaehub_recommender.tables import Columns, History, Ids, read_frame
from vaehub_recommender.tables.files import SUFFIXES as TABLES
from vaehub_recommender.tables.log import UserItems
from vaehub_recommender.tables.stream import read_histories

FORM = "vaehub-recommendations/2"
SUFFIXES = tuple(suffix for suffix in TABLES if suffix != ".txt")  # a .txt in a folder is more often a note
HISTORIES, AS_TEXT = (jobs.Formats("histories", "recommendations", SUFFIXES, suffix) for suffix in (".parquet", ".csv"))


def recommend(request: Request, histories: Path, out: Path, *, skip_bad: bool = False, force: bool = False) -> jobs.Manifest:
    """The best items for all histories of a file or folder, in a file for each of them, and the manifest of what is done.

    Raises UsageError for an output that is neither .parquet, .csv nor a folder, and one that names the file: not readable (and not `skip_bad`),
    or a manifest of another model or other options (and not `force`).
    """
    forms = forms_of(out)
    job = forms.plan(histories, out)
    fitted = Recommender.load(request.run).fitted
    columns = request.columns(fitted.columns)
    block = None if request.block is None else read_block(request.block, fitted.items, columns)
    work = work_of(request, fitted, columns, block, skip_bad, forms.suffix)
    manifest = jobs.Manifest.open(job, FORM, request.made_by(fitted), force)
    jobs.run_sharded(job, manifest, work)
    if isinstance(block, UserItems) and not manifest.counts["blocked"]:
        said = f"{request.block}: none of its {len(block.users):,} users is in the histories, so nothing was blocked"
        warnings.warn(f"{said}; write users as they are there", UserWarning, stacklevel=2)
    return manifest


def forms_of(out: Path) -> jobs.Formats:
    """What is written: text where the name says so, else Parquet. Raises UsageError for another kind of table."""
    suffix = None if out.is_dir() else files.matched_suffix(out, TABLES)
    if suffix not in (None, HISTORIES.suffix, AS_TEXT.suffix):
        raise UsageError(f"{out}: lists are written as .parquet or .csv; give such a file, or a folder")
    return AS_TEXT if suffix == AS_TEXT.suffix else HISTORIES


def work_of(
    request: Request, fitted: Fitted, columns: Columns, block: list[Any] | UserItems | None, skip_bad: bool, suffix: str
) -> jobs.Work[History, RankedBatch]:
    """What is done with every file."""
    items = fitted.items
    candidates = None if request.candidates is None else read_item_list(request.candidates, items, columns.item)
    by_user = block if isinstance(block, UserItems) else None
    rules = Rules(candidates, None if isinstance(block, UserItems) else block, request.filter, None, request.at)
    reranked = reranking(request.rerankers(None if request.items is None else read_frame(request.items)), fitted, request.k)
    allowed = allowed_items(rules, pd.RangeIndex(0), fitted)
    lister = ListMaker(fitted, reranked.depth, request.exclude_seen, allowed, reranked)
    read = partial(read_histories, items=items, columns=columns, layout=request.layout, decay=fitted.codec.decay)
    users = fitted.users.arrow().type if len(fitted.users) else pa.string()
    writer = partial(Output, items.arrow(), suffix=suffix, users=users)
    return jobs.Work(read, partial(rank_histories, lister, by_user), writer, "users", skip_bad)


def rank_histories(lister: ListMaker, blocked: UserItems | None, history: History) -> Iterator[RankedBatch]:
    """Lists for all users of some histories, a batch at a time; what else is known of them is used where the model knows the users.

    blocked: items that some users are never shown, by ids as they are written: 7 and "7" are the same user here.
    """
    query = query_of_named(history, lister.fitted)
    if blocked is not None:
        query = replace(query, blocked=blocked.matrix[blocked.users.spelled(map(str, history.users.tolist()))])
    users = Ids(history.users).arrow()
    for rows in lister.fitted.ranker.slices(len(query)):
        part = query.part(rows)
        values, items = lister.best(part, lister.allowed_items.part(rows))
        unknown, barred = (
            int(history.unknown[rows].sum()),
            0 if part.blocked is None else int((np.diff(part.blocked.indptr) > 0).sum()),
        )
        yield RankedBatch(users[rows], items.numpy(), values.numpy(), lister.reasons(part), unknown, barred)
