"""What a recommender is worth by a protocol.

Letters of shapes: U users, I items.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

import vaehub
from vaehub import UsageError, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import domain_of
from vaehub_recommender.api.query import require_users, side_of
from vaehub_recommender.choose import choose
from vaehub_recommender.domain import SPLITS, SplitLog
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.judge import Judged, evaluate
from vaehub_recommender.judge.protocols import evaluate_run
from vaehub_recommender.tables import interaction_log

MODEL = "model"


def evaluate_protocol(fitted: Fitted, protocol: str) -> Judged:
    """A model like this one, trained without what it is then asked for. Raises UsageError for a protocol that does not exist."""
    if protocol not in SPLITS:
        raise UsageError(
            f"protocol {protocol!r}: {hints.did_you_mean(protocol, SPLITS)}; or give a frame of held-out interactions"
        )
    config = require_users(fitted).run.config
    if fitted.run.path is not None and config.domain.options["split"] == protocol:
        return evaluate_run(fitted.run, "test")  # a run of `vaehub train` was trained without them
    split = SPLITS[protocol](fitted.log, None, config.train.seed)
    options = domain_of(config)
    domain = SplitLog(fitted.log, split, options.columns, fitted.frames, options.history, fitted.side)
    if fitted.choice is not None:  # chosen anew, or those who are to be strangers would have had a say in it
        return evaluate_run(choose(domain, fitted.choice.options, fitted.choice.time_limit)[0], "test")
    return evaluate_run(vaehub.train(config, domain=domain, progress=False), "test")


def evaluate_later(fitted: Fitted, frame: pd.DataFrame) -> Judged:
    """This model, by later interactions of the users that it knows. Raises UsageError where there are none."""
    given = interaction_log(frame, require_users(fitted).columns)
    at, columns = fitted.users.positions(given.users.values), fitted.items.positions(given.items.values)
    rows = np.repeat(at, np.diff(given.matrix.indptr))
    pairs = np.stack([rows, columns[given.matrix.indices]])[:, (rows >= 0) & (columns[given.matrix.indices] >= 0)]
    held = csr_array((np.ones(pairs.shape[1], np.float32), tuple(pairs)), shape=fitted.log.matrix.shape)
    held -= held * fitted.log.matrix.astype(bool)
    held.eliminate_zeros()
    users = np.flatnonzero(np.diff(held.indptr))
    notes = (
        f"{given.matrix.nnz - held.nnz:,} of {given.matrix.nnz:,} are of unknown users or items, or known already: left out",
    )
    test = HeldOut(users, fitted.log.matrix[users], held[users])
    nobody = HeldOut(users[:0], test.history[:0], test.targets[:0])
    everything = np.arange(held.shape[0]), fitted.log.matrix, np.arange(held.shape[1])
    split = Split(*everything, nobody, test, True, given.matrix.nnz - held.nnz, notes)
    return evaluate({MODEL: partial(fitted.ranker.batches, side=side_of(users, fitted.side))}, split)
