"""The best items for all histories of files, by a model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from vaehub import jobs
from vaehub_recommender.api.allowed_items import allowed_items
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query, side_of
from vaehub_recommender.api.ranked_lists import ListMaker
from vaehub_recommender.bulk.item_table import read_item_list
from vaehub_recommender.bulk.output import Output, RankedBatch
from vaehub_recommender.bulk.request import Request
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.tables import History, Ids
from vaehub_recommender.tables.files import SUFFIXES as TABLES
from vaehub_recommender.tables.stream import read_histories

FORM = "vaehub-recommendations/2"
SUFFIXES = tuple(suffix for suffix in TABLES if suffix != ".txt")  # a .txt in a folder is more often a note
HISTORIES = jobs.Formats("histories", "recommendations", SUFFIXES, ".parquet")


def recommend(request: Request, histories: Path, out: Path, *, skip_bad: bool = False, force: bool = False) -> jobs.Manifest:
    """The best items for all histories of a file or folder, in a Parquet file for each of them, and the manifest of what is done.

    Raises UsageError that names the file: not readable (and not `skip_bad`), or a manifest of another model or other options (and not `force`).
    """
    job = HISTORIES.plan(histories, out)
    fitted = Recommender.load(request.run).fitted
    work = work_of(request, fitted, skip_bad)
    manifest = jobs.Manifest.open(job, FORM, request.made_by(fitted), force)
    jobs.run_sharded(job, manifest, work)
    return manifest


def work_of(request: Request, fitted: Fitted, skip_bad: bool) -> jobs.Work[History, RankedBatch]:
    """What is done with every file."""
    columns, items = request.columns(fitted.columns), fitted.items
    candidates, block = (
        None if path is None else read_item_list(path, items, columns.item) for path in (request.candidates, request.block)
    )
    lister = ListMaker(fitted, request.k, request.exclude_seen, allowed_items(candidates, block, pd.RangeIndex(0), items))
    read = partial(read_histories, items=items, columns=columns, decay=fitted.codec.decay)
    return jobs.Work(read, partial(rank_histories, lister), partial(Output, items.arrow()), "users", skip_bad)


def rank_histories(lister: ListMaker, history: History) -> Iterator[RankedBatch]:
    """Lists for all users of some histories, a batch at a time; what else is known of them is used where the model knows the users."""
    positions = lister.fitted.users.positions(history.users)
    query = Query(history.users, history.matrix, side_of(positions, lister.fitted.side), positions)
    users = Ids(history.users).arrow()
    for rows in lister.fitted.ranker.slices(len(query)):
        part = query.part(rows)
        values, items = lister.best(part, lister.allowed_items.part(rows))
        yield RankedBatch(
            users[rows], items.numpy(), values.numpy(), part.empty, int(history.unknown[rows].sum()), part.described
        )
