"""More interactions for a trained model: of known and new users, with known and new items.

Letters of shapes: U users, I items; U' and I' with the new ones.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Run, Spec, UsageError, build_domain
from vaehub_recommender.api.add_items import after_update
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import fit_split
from vaehub_recommender.api.linear_update import differing_rows, update_linear_part
from vaehub_recommender.api.new_items import NewItemWeights, model_with_new_items
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.held_out import Split
from vaehub_recommender.parts.linear_part import LinearPart
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.tables import Ids, Log, interaction_log
from vaehub_recommender.tables.cells import rows_of_entries
from vaehub_recommender.tables.given_ids import type_hint
from vaehub_recommender.tables.log import Tally, csr, merge, together, transformed, untransformed, weighed

FINE_TUNING_RATE = 0.3  # of the learning rate of the first training


def update(fitted: Fitted, frame: pd.DataFrame, epochs: int) -> Fitted:
    """The model of all interactions: its linear part exactly so, its network after some epochs more."""
    fitted.counted  # noqa: B018  (refuses where it is not known)
    given = interaction_log(frame, replace(fitted.columns, transform=None))
    require_same_types(given, fitted)
    if not len(given.users):
        return replace(fitted, log=replace(fitted.log, also_seen=together(fitted.log.also_seen, given.also_seen)))
    before, fitted = fitted, replace(fitted, new_items=None)
    log = merged_log(fitted, given)
    codec = widened_codec(fitted, log)
    vae = model_with_new_items(fitted.run, codec.spec, NewItemWeights.of(log.matrix, len(fitted.items)))
    if isinstance(vae.decoder, LinearPart) and isinstance(fitted.run.vae.decoder, LinearPart):
        if codec.decay == fitted.codec.decay:
            update_linear_part(vae.decoder, fitted.run.vae.decoder, *changed_rows(fitted, log), log.matrix)
        else:  # every weight is another one
            vae.decoder.learn_with_base(log.matrix)
    domain = build_domain(fitted.run.config)
    domain.codec = codec
    run, users = Run(fitted.run.config, codec, domain, vae), len(log.users)
    side = with_new_users(fitted.side, users)
    done = Fitted(run, log, np.ones(users, bool), side, fitted.frames, choice=fitted.choice)
    return after_update(before, replace(done, run=fine_tune(done, epochs)) if epochs else done)


def merged_log(fitted: Fitted, given: Log) -> Log:
    """Both logs in one; known users and items keep their positions. Weights of a pair that is in both add up where they are used.

    `given` has the weights of its table; how weights count stays as it was fitted, and ages are counted from the latest of all interactions.
    """
    old = fitted.log
    users, items = old.users.plus(given.users.values), old.items.plus(given.items.values)
    row = np.concatenate([rows_of_entries(old.matrix), users.positions(given.users.values)[rows_of_entries(given.matrix)]])
    column = np.concatenate([old.matrix.indices, items.positions(given.items.values)[given.matrix.indices]])
    decay = fitted.codec.decay
    weighted = fitted.columns.weight is not None and fitted.columns.min_rating is None
    weights = np.concatenate([untransformed(old).matrix.data, given.matrix.data]).astype(np.float64) if weighted else None
    matrix, times = merge(row, column, (len(users), len(items)), weights, all_times(old.times, given.times, old.matrix.nnz))
    tally = Tally(len(row), 0, len(row) - matrix.nnz, len(users), len(items), matrix.nnz)
    log = transformed(Log(users, items, matrix, times, tally, together(old.also_seen, given.also_seen)), fitted.columns.transform)
    if decay is not None:
        if times is None:
            raise UsageError(
                "this model counts interactions by their times; name their column as in fit, and give all of them one"
            )
        if len(old.users):  # else rows of which only the linear part is left stay as they were weighed
            decay = replace(decay, latest=int(times.max()))
        log = replace(log, matrix=weighed(log.matrix, decay.weights(log.matrix, times)), decay=decay)
    return log


def require_same_types(given: Log, fitted: Fitted) -> None:
    """Raise UsageError where no id of a table is known and all are of other types: they would become second users and items."""
    users, items = given.users, given.items
    if given.also_seen is not None:
        users, items = users.plus(given.also_seen.users.values), items.plus(given.also_seen.items.values)
    for name, new, known in (("users", users, fitted.users), ("items", items, fitted.items)):
        if len(known):
            require_same_type(name, new, known)


def require_same_type(name: str, new: Ids, known: Ids) -> None:
    """Raise UsageError where none of the new ids is known and all are of other types; warn where some are."""
    types = id_types(known)
    odd = [value for value in new.values.tolist() if id_type(value) not in types]
    if not odd:
        return
    hint = type_hint(odd, known) or f"those of the model are {' and '.join(sorted(types))}"
    if len(odd) == len(new) and (new.positions(known.values) < 0).all():
        raise UsageError(
            f"df: none of its {len(new):,} {name} is known, and they are of another type ({hint}); convert the column"
        )
    warnings.warn(
        f"df: {len(odd):,} of {len(new):,} {name} are of another type ({hint}) and new to the model", UserWarning, stacklevel=4
    )


def id_types(ids: Ids) -> set[str]:
    """The types of ids."""
    return {id_type(value) for value in ids.values.tolist()}


def id_type(value: Any) -> str:
    """The type of an id; numbers are of one."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def all_times(old: np.ndarray | None, new: np.ndarray | None, count: int) -> np.ndarray | None:
    """All times, where all are known."""
    if new is None or (old is None and count):
        return None
    return new if old is None else np.concatenate([old, new])


def changed_rows(fitted: Fitted, log: Log) -> tuple[csr_array, csr_array]:
    """Rows of the linear part as they are in it (R, I), and as they are to be (R, I'), of all users for whom these differ."""
    before = resized(fitted.counted, log.matrix.shape)
    rows = differing_rows(before, log.matrix)
    return before[rows][:, : len(fitted.items)], log.matrix[rows]


def resized(matrix: csr_array, shape: tuple[int, int]) -> csr_array:
    """A matrix with empty rows and columns after its own, if `shape` is larger."""
    ends = np.concatenate([matrix.indptr, np.full(shape[0] - matrix.shape[0], matrix.indptr[-1])])
    return csr(matrix.data, matrix.indices, ends, shape)


def with_new_users(side: Tensor | None, users: int) -> Tensor | None:
    """What is known of the users, nothing of new ones (U', S)."""
    return None if side is None else torch.cat([side, side.new_zeros(users - len(side), side.shape[1])])


def widened_codec(fitted: Fitted, log: Log) -> InteractionCodec:
    """The codec with the new items as well."""
    codec, items = fitted.codec, len(log.items)
    spec = Spec((items,), cond=codec.spec.cond + (items - codec.spec.size) * codec.history)
    found = Popularity.of(log.matrix)
    popularity = found if len(fitted.users) else codec.popularity.plus(found)
    return InteractionCodec(spec, log.items, codec.columns, popularity, codec.user_features, codec.history, log.decay)


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
