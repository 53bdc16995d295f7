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
from torch import Tensor

from vaehub import Run, UsageError, build_domain, hints
from vaehub_recommender.api.add_items import add_items
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import domain_of, learn
from vaehub_recommender.api.linear_update import differing_rows, update_linear_part
from vaehub_recommender.api.query import is_single_user, require_users
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.held_out import Bools, subset
from vaehub_recommender.parts.linear_part import LinearPart
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.tables import Columns, Ids, Log
from vaehub_recommender.tables.cells import rows_of_entries
from vaehub_recommender.tables.cleaning import log_to_learn_from
from vaehub_recommender.tables.given_ids import read_once, refuse_mask
from vaehub_recommender.tables.log import Tally, UserItems, merge, untransformed


def forget(fitted: Fitted, users: Any, rows: pd.DataFrame | None, refit: bool) -> Fitted:
    """The model without users, and without the pairs of a frame: trained anew, or in its linear part alone.

    Raises UsageError where nothing is named, a user is not known, none of the pairs is there, or nobody would be left.
    """
    if users is None and rows is None:
        raise UsageError("forget: what? give users, or rows: a frame with a row for each user and item")
    log, seen = require_users(fitted).log, fitted.log.also_seen
    asked = [] if users is None else known_users(users, fitted)
    pairs = None if rows is None else pairs_of(rows, fitted)
    keep = ~np.isin(rows_of_entries(log.matrix), log.users.positions(asked))
    if pairs is not None:
        keep &= ~entries_of(pairs, fitted)
    log = replace(log, also_seen=None if seen is None else seen.without(asked, pairs))
    left = remaining(log, keep)
    frames = {kind: without_users(frame, left, fitted) if kind == "user" else frame for kind, frame in fitted.frames.items()}
    if keep.all():  # what was seen without being learnt from, and nothing else
        refit = False
    done = refitted(fitted, left, frames) if refit else downdated(fitted, keep, left, frames)
    return replace(done, choice=fitted.choice)


def refitted(fitted: Fitted, left: Log, frames: Mapping[str, pd.DataFrame | None]) -> Fitted:
    """Trained anew from what is left; what is known of users is read anew from their table, or stays where that is not at hand."""
    log = log_to_learn_from(compact(untransformed(left)), domain_of(fitted.run.config).columns)
    if frames["user"] is not None:
        return learn(log, fitted.run.config, frames)
    return learn(log, fitted.run.config, frames, side_of(fitted, log), fitted.codec.user_features)


def side_of(fitted: Fitted, log: Log) -> Tensor | None:
    """What is known of the users of a log, all of whom the model knows (U, S)."""
    return None if fitted.side is None else fitted.side[torch.from_numpy(fitted.users.positions(log.users.values))]


def known_users(users: Any, fitted: Fitted) -> list[Any]:
    """Users as a list. Raises UsageError that says how many are not known."""
    users = read_once(users)
    asked = [users] if is_single_user(users, fitted.users) else list(users)
    known = users_to_forget(fitted)
    refuse_mask("users", asked, known)
    at = known.positions(asked)
    if not len(asked) or (at < 0).any():
        missing = f"{(at < 0).sum():,} of {len(asked):,} users are not known" if len(asked) else "no user is named"
        example = f" (such as {hints.quoted(asked[int((at < 0).argmax())])})" if len(asked) else ""
        raise UsageError(f"forget: {missing}{example}, and nothing was forgotten; give ids of known users")
    return asked


def users_to_forget(fitted: Fitted) -> Ids:
    """The known users, and those of whom there is nothing but what is not learnt from."""
    seen = fitted.log.also_seen
    return fitted.users if seen is None else fitted.users.plus(seen.users.values)


def pairs_of(rows: pd.DataFrame, fitted: Fitted) -> UserItems:
    """The pairs that a frame names."""
    columns = Columns(fitted.columns.user, fitted.columns.item).resolve(list(rows.columns))
    return UserItems.of(rows[columns.user], rows[columns.item])


def entries_of(pairs: UserItems, fitted: Fitted) -> Bools:
    """Which entries of the log (nnz,) are among the pairs; warns of pairs that are known nowhere. Raises UsageError where none is known."""
    row, column = pairs.pairs()
    at = fitted.users.positions(pairs.users.values)[row], fitted.items.positions(pairs.items.values)[column]
    items, matrix, seen = len(fitted.items), fitted.log.matrix, fitted.log.also_seen
    named = np.where((at[0] >= 0) & (at[1] >= 0), at[0] * items + at[1], -1)
    found = np.isin(rows_of_entries(matrix) * items + matrix.indices, named)
    left = None if seen is None else seen.without([], pairs)
    count = int(found.sum()) + (0 if seen is None else seen.matrix.nnz - (0 if left is None else left.matrix.nnz))
    if not count:
        raise UsageError(f"forget: none of the {pairs.matrix.nnz:,} pairs of user and item is known, and nothing was forgotten")
    if count < pairs.matrix.nnz:
        warnings.warn(
            f"{pairs.matrix.nnz - count:,} of {pairs.matrix.nnz:,} pairs to forget are not known", UserWarning, stacklevel=5
        )
    return found


def remaining(log: Log, keep: Bools) -> Log:
    """A log of the entries that are kept, and of the users who have any. Raises UsageError where there are none."""
    matrix = subset(log.matrix, keep)
    users = np.flatnonzero(np.diff(matrix.indptr))
    if not len(users):
        raise UsageError("forget: nobody would be left; delete the model in its place")
    times = None if log.times is None else log.times[keep]
    tally = Tally(matrix.nnz, 0, 0, len(users), matrix.shape[1], matrix.nnz)
    return replace(log, users=Ids(log.users.take(users)), matrix=matrix[users], times=times, tally=tally)


def compact(log: Log) -> Log:
    """The same interactions as a table of them alone would give: ids sorted, and no item that nobody has."""
    users, row = Ids.coded(log.users.values)
    had = np.unique(log.matrix.indices)
    items, place = Ids.coded(log.items.take(had))
    column = np.full(len(log.items), -1)
    column[had] = place
    pairs = row[rows_of_entries(log.matrix)], column[log.matrix.indices]
    matrix, times = merge(*pairs, (len(users), len(items)), log.matrix.data.astype(np.float64), log.times)
    return replace(log, users=users, items=items, matrix=matrix, times=times, tally=replace(log.tally, items=len(items)))


def without_users(frame: pd.DataFrame | None, log: Log, fitted: Fitted) -> pd.DataFrame | None:
    """What else is known of users, for those of a log alone."""
    features = fitted.codec.user_features
    return frame if frame is None or features is None else frame[log.users.positions(frame[features.column]) >= 0]


def downdated(fitted: Fitted, keep: Bools, left: Log, frames: Mapping[str, pd.DataFrame | None]) -> Fitted:
    """The same model, whose linear part has what is left and nothing else; the network stays as it was."""
    vae, codec = copy.deepcopy(fitted.run.vae), fitted.codec
    after = subset(fitted.log.matrix, keep)
    rows = differing_rows(fitted.counted, after)
    if len(rows) and isinstance(vae.decoder, LinearPart):
        update_linear_part(vae.decoder, vae.decoder, fitted.counted[rows], after[rows], after)
    popularity = Popularity.of(left.matrix)
    without = InteractionCodec(codec.spec, codec.ids, codec.columns, popularity, codec.user_features, codec.history, codec.decay)
    domain = build_domain(fitted.run.config)
    domain.codec = without
    run, content = Run(fitted.run.config, without, domain, vae), fitted.content
    done = Fitted(run, left, np.ones(len(left.users), bool), side_of(fitted, left), frames, content)
    return done if fitted.new_items is None else add_items(done, None)
