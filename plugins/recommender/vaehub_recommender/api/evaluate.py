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
from vaehub_recommender.api.evaluate_cold import evaluate_new_items, evaluate_new_users
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import domain_of
from vaehub_recommender.api.query import require_users, side_of
from vaehub_recommender.domain import SPLITS, SplitLog
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.judge import Judged, evaluate
from vaehub_recommender.judge.protocols import evaluate_run
from vaehub_recommender.tables import interaction_log
from vaehub_recommender.tables.log import csr
from vaehub_recommender.temporal import Moment

MODEL = "model"
BY_FEATURES = {"new_items": evaluate_new_items, "new_users": evaluate_new_users}


def evaluate_protocol(fitted: Fitted, protocol: str, at: Moment = None) -> Judged:
    """A model like this one, trained without what it is then asked for. Raises UsageError for a protocol that does not exist."""
    if at is not None and protocol != "temporal":
        raise UsageError(f"at={at!r}: only protocol 'temporal' has a cut in time, not {protocol!r}; leave it out")
    if protocol in BY_FEATURES:
        return BY_FEATURES[protocol](fitted)
    if protocol not in SPLITS:
        known = [*SPLITS, *BY_FEATURES]
        raise UsageError(
            f"protocol {protocol!r}: {hints.did_you_mean(protocol, known)}; or give a frame of held-out interactions"
        )
    config = require_users(fitted).run.config
    own = config.domain.options
    if fitted.run.path is not None and own["split"] == protocol and own.get("at") == at:
        return evaluate_run(fitted.run, "test")  # a run of `vaehub train` was trained without them
    cut = {} if at is None else {"at": at}
    split = SPLITS[protocol](fitted.log, None, config.train.seed, **cut)
    options = domain_of(config)
    domain = SplitLog(fitted.log, split, options.columns, fitted.frames, options.history, fitted.side)
    return evaluate_run(vaehub.train(config, domain=domain, progress=False), "test")


def evaluate_later(fitted: Fitted, frame: pd.DataFrame) -> Judged:
    """This model, by later interactions of the users that it knows. Raises UsageError where there are none."""
    given = interaction_log(frame, require_users(fitted).columns)
    at, columns = fitted.users.positions(given.users.values), fitted.items.positions(given.items.values)
    rows = np.repeat(at, np.diff(given.matrix.indptr))
    pairs = np.stack([rows, columns[given.matrix.indices]])[:, (rows >= 0) & (columns[given.matrix.indices] >= 0)]
    log = fitted.log.matrix
    known = csr(log.data, log.indices, log.indptr, (log.shape[0], len(fitted.items)))  # with what was added by its features
    held = csr_array((np.ones(pairs.shape[1], np.float32), tuple(pairs)), shape=known.shape)
    held -= held * known.astype(bool)
    held.eliminate_zeros()
    users = np.flatnonzero(np.diff(held.indptr))
    notes = (
        f"{given.matrix.nnz - held.nnz:,} of {given.matrix.nnz:,} are of unknown users or items, or known already: left out",
    )
    test = HeldOut(users, known[users], held[users])
    nobody = HeldOut(users[:0], test.history[:0], test.targets[:0])
    everything = np.arange(held.shape[0]), known, np.arange(held.shape[1])
    split = Split(*everything, nobody, test, True, given.matrix.nnz - held.nnz, notes)
    return evaluate({MODEL: partial(fitted.ranker.batches, side=side_of(users, fitted.side))}, split)
