"""From a table to a trained model that knows the table's users.

Letters of shapes: U users, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

import vaehub
from vaehub import Config, Run, UsageError, build_domain
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.linear_update import complete_linear_part
from vaehub_recommender.choose import choose
from vaehub_recommender.cold.content import Content
from vaehub_recommender.domain import Recommendation, SplitLog
from vaehub_recommender.held_out import HeldOut, Positions, Split, subset
from vaehub_recommender.rules.windows import without_windows
from vaehub_recommender.side_features import SideFeatures
from vaehub_recommender.splits import HELD_SHARE, MOST_USERS, places_from_last
from vaehub_recommender.tables import Log, decayed


def learn(
    log: Log,
    config: Config,
    frames: Mapping[str, pd.DataFrame | None],
    side: Tensor | None = None,
    user_features: SideFeatures | None = None,
) -> Fitted:
    """Train on all users but a tenth, by whom epochs are compared; the linear part has these too in the end.

    Without a table of users, `side` (U, S) is what is known of them, as `user_features` read it before.
    """
    domain = domain_to_fit(log, config, frames, domain_of(config).history, side, user_features)
    return fitted_to(domain, vaehub.train(config, domain=domain, progress=False))


def learn_best(
    log: Log, config: Config, frames: Mapping[str, pd.DataFrame | None], options: Mapping[str, Any], time_limit: float | None
) -> Fitted:
    """Choose a model by a tenth of the users, and train it as `learn` does; `config` says how tables are read, and the seed."""
    domain = domain_to_fit(log, config, frames, True)
    run, choice = choose(domain, options, time_limit)
    return replace(fitted_to(domain, run), choice=choice)


def domain_to_fit(
    log: Log,
    config: Config,
    frames: Mapping[str, pd.DataFrame | None],
    history: bool,
    side: Tensor | None = None,
    user_features: SideFeatures | None = None,
) -> SplitLog:
    """The interactions, and the users by whom models are compared."""
    options = domain_of(config)
    log = decayed(log, options.half_life, options.recency)
    return SplitLog(log, fit_split(log, config.train.seed), options.columns, frames, history, side, user_features)


def fitted_to(domain: SplitLog, run: Run) -> Fitted:
    """A model with all users of the domain in its linear part."""
    log, described = domain.log, without_windows(domain.frames["item"])
    in_linear_part = np.isin(np.arange(len(log.users)), domain.split.users)
    content = None if described is None else Content.of(described, domain.columns.item, log.items)
    return complete_linear_part(Fitted(run, log, in_linear_part, domain.side, domain.frames, content))


def domain_of(config: Config) -> Recommendation:
    """The domain of a config. Raises UsageError where it is another one."""
    domain = build_domain(config)
    if not isinstance(domain, Recommendation):
        raise UsageError(f"config: domain is {config.domain.name}; a recommender needs domain: recommender")
    return domain


def fit_split(log: Log, seed: int) -> Split:
    """Everything to learn from, but for a tenth of the users with two items or more, of whom a fifth of the items is held out.

    Raises UsageError where all users have one item.
    """
    rows = np.flatnonzero(np.diff(log.matrix.indptr) > 1)
    if not len(rows):
        raise UsageError(f"each of the {len(log.users):,} users has one item; nothing can be learnt of what goes together")
    tenth = min(max(1, len(log.users) // 10), MOST_USERS)
    val = np.sort(np.random.default_rng(seed).permutation(rows)[:tenth])
    train = np.setdiff1d(np.arange(len(log.users)), val)
    held = hold_out(log, val, seed)
    return Split(train, log.matrix[train], np.arange(len(log.items)), held, held, False, 0)


def hold_out(log: Log, rows: Positions, seed: int) -> HeldOut:
    """Users of whose items a fifth, at least one, is to be found."""
    matrix = log.matrix[rows]
    lengths = np.diff(matrix.indptr)
    share = np.maximum(1, (HELD_SHARE * lengths).astype(np.int64))
    out = places_from_last(matrix, np.zeros(matrix.nnz, np.int64), seed) < np.repeat(share, lengths)
    return HeldOut(rows, subset(matrix, ~out), subset(matrix, out))
