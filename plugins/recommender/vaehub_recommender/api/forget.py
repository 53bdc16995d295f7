"""A model without some users, or without some of their interactions.

Letters of shapes: U users, I items.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from vaehub import Run, UsageError, build_domain, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import learn
from vaehub_recommender.api.linear_update import differing_rows, replace_rows
from vaehub_recommender.api.query import is_single_user, require_users
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.held_out import Bools, subset
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.tables import Columns, Ids, Log, interaction_log
from vaehub_recommender.tables.log import Tally, merge
from vaehub_recommender.tables.matrix_columns import rows_of_entries


def forget(fitted: Fitted, users: Any, rows: pd.DataFrame | None, refit: bool) -> Fitted:
    """The model without users, and without the pairs of a frame: trained anew, or in its linear part alone.

    Raises UsageError where nothing is named, a user is not known, none of the pairs is there, or nobody would be left.
    """
    if users is None and rows is None:
        raise UsageError("forget: what? give users, or rows: a frame with a row for each user and item")
    keep = np.ones(require_users(fitted).log.matrix.nnz, bool)
    if users is not None:
        keep &= ~np.isin(rows_of_entries(fitted.log.matrix), positions_of_users(users, fitted))
    if rows is not None:
        keep &= ~entries_of(rows, fitted)
    left = remaining(fitted.log, keep)
    frames = {kind: without_users(frame, left, fitted) if kind == "user" else frame for kind, frame in fitted.frames.items()}
    return learn(compact(left), fitted.run.config, frames) if refit else downdated(fitted, keep, left, frames)


def positions_of_users(users: Any, fitted: Fitted) -> np.ndarray:
    """Where users stand. Raises UsageError that says how many are not known."""
    asked = [users] if is_single_user(users, fitted.users) else list(users)
    at = fitted.users.positions(asked)
    if not len(asked) or (at < 0).any():
        missing = f"{(at < 0).sum():,} of {len(asked):,} users are not known" if len(asked) else "no user is named"
        example = f" (such as {hints.quoted(asked[int((at < 0).argmax())])})" if len(asked) else ""
        raise UsageError(f"forget: {missing}{example}, and nothing was forgotten; give ids of known users")
    return at


def entries_of(rows: pd.DataFrame, fitted: Fitted) -> Bools:
    """Which entries of the log (nnz,) a frame names; warns of those that are not there. Raises UsageError where none is."""
    given = interaction_log(rows, Columns(fitted.columns.user, fitted.columns.item))
    row = fitted.users.positions(given.users.values)[rows_of_entries(given.matrix)]
    column = fitted.items.positions(given.items.values)[given.matrix.indices]
    items, matrix = len(fitted.items), fitted.log.matrix
    named = np.where((row >= 0) & (column >= 0), row * items + column, -1)
    found = np.isin(rows_of_entries(matrix) * items + matrix.indices, named)
    if not found.any():
        raise UsageError(f"forget: none of the {len(named):,} pairs of user and item is known, and nothing was forgotten")
    if found.sum() < len(named):
        warnings.warn(f"{len(named) - found.sum():,} of {len(named):,} pairs to forget are not known", UserWarning, stacklevel=5)
    return found


def remaining(log: Log, keep: Bools) -> Log:
    """A log of the entries that are kept, and of the users who have any. Raises UsageError where there are none."""
    matrix = subset(log.matrix, keep)
    users = np.flatnonzero(np.diff(matrix.indptr))
    if not len(users):
        raise UsageError("forget: nobody would be left; delete the model in its place")
    times = None if log.times is None else log.times[keep]
    tally = Tally(matrix.nnz, 0, 0, len(users), matrix.shape[1], matrix.nnz)
    return Log(Ids(log.users.take(users)), log.items, matrix[users], times, tally)


def compact(log: Log) -> Log:
    """The same interactions as a table of them alone would give: ids sorted, and no item that nobody has."""
    users, row = Ids.coded(log.users.values)
    had = np.unique(log.matrix.indices)
    items, place = Ids.coded(log.items.take(had))
    column = np.full(len(log.items), -1)
    column[had] = place
    pairs = row[rows_of_entries(log.matrix)], column[log.matrix.indices]
    matrix, times = merge(*pairs, (len(users), len(items)), log.matrix.data.astype(np.float64), log.times)
    return Log(users, items, matrix, times, replace(log.tally, items=len(items)))


def without_users(frame: pd.DataFrame | None, log: Log, fitted: Fitted) -> pd.DataFrame | None:
    """What else is known of users, for those of a log alone."""
    features = fitted.codec.user_features
    return frame if frame is None or features is None else frame[log.users.positions(frame[features.column]) >= 0]


def downdated(fitted: Fitted, keep: Bools, left: Log, frames: Mapping[str, pd.DataFrame | None]) -> Fitted:
    """The same model, whose linear part has what is left and nothing else; the network stays as it was."""
    vae, codec = copy.deepcopy(fitted.run.vae), fitted.codec
    after = subset(fitted.log.matrix, keep)
    rows = differing_rows(fitted.counted, after)
    if isinstance(vae.decoder, Ease):
        replace_rows(vae.decoder, vae.decoder, fitted.counted[rows], after[rows])
    popularity = Popularity.of(left.matrix)
    without = InteractionCodec(codec.spec, codec.ids, codec.columns, popularity, codec.user_features, codec.history)
    domain = build_domain(fitted.run.config)
    domain.codec = without
    side = None if fitted.side is None else fitted.side[torch.from_numpy(fitted.users.positions(left.users.values))]
    return Fitted(Run(fitted.run.config, without, domain, vae), left, np.ones(len(left.users), bool), side, frames)
