"""The best items for all histories of files, by a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from vaehub_recommender.api.choice import choice
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.lists import Lister
from vaehub_recommender.bulk.job import Told, Work, run
from vaehub_recommender.bulk.listed import listed
from vaehub_recommender.bulk.manifest import Manifest
from vaehub_recommender.bulk.request import Request
from vaehub_recommender.bulk.scoring import ranked
from vaehub_recommender.bulk.shards import plan
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.tables.stream import read_histories


def recommend(
    request: Request, histories: Path, out: Path, told: Told, *, skip_bad: bool = False, force: bool = False
) -> Manifest:
    """The best items for all histories of a file or folder, in a Parquet file for each of them, and the manifest of what is done.

    Raises UsageError that names the file: not readable (and not `skip_bad`), or a manifest of another model or other options (and not `force`).
    """
    job = plan(histories, out)
    fitted = Recommender.load(request.run).fitted
    work = work_of(request, fitted, skip_bad)
    manifest = Manifest.open(job, request.made_by(), force)
    run(job, manifest, work, told)
    return manifest


def work_of(request: Request, fitted: Fitted, skip_bad: bool) -> Work:
    """What is done with every file."""
    columns, items = request.columns(fitted.columns), fitted.items
    candidates, block = (
        None if path is None else listed(path, items, columns.item) for path in (request.candidates, request.block)
    )
    lister = Lister(fitted, request.k, request.exclude_seen, choice(candidates, block, pd.RangeIndex(0), items))
    return Work(partial(read_histories, items=items, columns=columns), partial(ranked, lister), items.arrow(), skip_bad)
