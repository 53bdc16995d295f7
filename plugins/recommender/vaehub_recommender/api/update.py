"""More interactions for a trained model: of known and new users, with known and new items.

Letters of shapes: U users, I items; U' and I' with the new ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Run, Spec, build_domain
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import fit_split
from vaehub_recommender.api.linear_update import replace_rows
from vaehub_recommender.api.new_items import NewItemWeights, model_with_new_items
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.held_out import Split
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.item_knn import relearn_neighbours
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.tables import Log, interaction_log
from vaehub_recommender.tables.log import Tally, merge

FINE_TUNING_RATE = 0.3  # of the learning rate of the first training


def update(fitted: Fitted, frame: pd.DataFrame, epochs: int) -> Fitted:
    """The model of all interactions: its linear part exactly so, its network after some epochs more."""
    given = interaction_log(frame, fitted.columns)
    log = merged_log(fitted, given)
    codec = widened_codec(fitted, log)
    vae = model_with_new_items(fitted.run, codec.spec, NewItemWeights.of(log.matrix, len(fitted.items)))
    if isinstance(vae.decoder, Ease) and isinstance(fitted.run.vae.decoder, Ease):
        replace_rows(vae.decoder, fitted.run.vae.decoder, *changed_rows(fitted, log, log.users.positions(given.users.values)))
    relearn_neighbours(vae.decoder, log.matrix)
    domain = build_domain(fitted.run.config)
    domain.codec = codec
    run = Run(fitted.run.config, codec, domain, vae)
    done = Fitted(
        run, log, np.ones(len(log.users), bool), with_new_users(fitted.side, len(log.users)), fitted.frames, fitted.choice
    )
    return replace(done, run=fine_tune(done, epochs)) if epochs else done


def merged_log(fitted: Fitted, given: Log) -> Log:
    """Both logs in one; known users and items keep their positions. Weights of a pair that is in both add up where they are used."""
    old = fitted.log
    users, items = old.users.plus(given.users.values), old.items.plus(given.items.values)
    row = np.concatenate([row_numbers(old.matrix), users.positions(given.users.values)[row_numbers(given.matrix)]])
    column = np.concatenate([old.matrix.indices, items.positions(given.items.values)[given.matrix.indices]])
    weighted = fitted.columns.weight is not None and fitted.columns.min_rating is None
    weights = np.concatenate([old.matrix.data, given.matrix.data]).astype(np.float64) if weighted else None
    matrix, times = merge(row, column, (len(users), len(items)), weights, all_times(old.times, given.times, old.matrix.nnz))
    return Log(users, items, matrix, times, Tally(len(row), 0, len(row) - matrix.nnz, len(users), len(items), matrix.nnz))


def row_numbers(matrix: csr_array) -> np.ndarray:
    """The row of every entry."""
    rows: np.ndarray = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows


def all_times(old: np.ndarray | None, new: np.ndarray | None, count: int) -> np.ndarray | None:
    """All times, where all are known."""
    if new is None or (old is None and count):
        return None
    return new if old is None else np.concatenate([old, new])


def changed_rows(fitted: Fitted, log: Log, touched: np.ndarray) -> tuple[csr_array, csr_array]:
    """Rows of the linear part as they are in it (R, I), and as they are to be (R, I'): of users with new items, or not in it so far."""
    rows = np.union1d(touched, np.flatnonzero(~fitted.in_linear_part))
    there = np.append(fitted.in_linear_part, np.zeros(len(log.users) - len(fitted.users), bool))[rows]
    old = csr_array((len(rows), len(fitted.items)), dtype=np.float32)
    if there.any():
        place = np.flatnonzero(there)
        pick = csr_array((np.ones(len(place), np.float32), (place, rows[place])), shape=(len(rows), len(fitted.users)))
        old = csr_array(pick @ fitted.log.matrix)
    return old, log.matrix[rows]


def with_new_users(side: Tensor | None, users: int) -> Tensor | None:
    """What is known of the users, nothing of new ones (U', S)."""
    return None if side is None else torch.cat([side, side.new_zeros(users - len(side), side.shape[1])])


def widened_codec(fitted: Fitted, log: Log) -> InteractionCodec:
    """The codec with the new items as well."""
    codec, items = fitted.codec, len(log.items)
    spec = Spec((items,), cond=codec.spec.cond + (items - codec.spec.size) * codec.history)
    found = Popularity.of(log.matrix)
    popularity = found if len(fitted.users) else codec.popularity.plus(found)
    return InteractionCodec(spec, log.items, codec.columns, popularity, codec.user_features, codec.history)


def fine_tune(fitted: Fitted, epochs: int) -> Run:
    """The run after some epochs more, at a lower rate, on all interactions; epochs are compared by some of the users."""
    run, codec, log = fitted.run, fitted.codec, fitted.log
    users = np.arange(len(log.users))
    some = fit_split(log, run.config.train.seed).val
    split = Split(users, log.matrix, np.arange(len(log.items)), some, some, True, 0)
    domain = SplitLog(log, split, codec.columns, fitted.frames, codec.history, fitted.side)
    domain.codec = codec
    better = Run(run.config, codec, domain, run.vae).tune(epochs=epochs, lr=FINE_TUNING_RATE * run.config.optimizer.lr)
    return Run(run.config, codec, run.domain, better.vae)
