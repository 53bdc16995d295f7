"""What lists are worth for items and users that a model has not learnt, by features alone.

Letters of shapes: U users, I items, H hidden items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

import vaehub
from vaehub import Config, UsageError
from vaehub_recommender.api.files import restricted_to
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import domain_of, fit_split
from vaehub_recommender.api.query import require_users
from vaehub_recommender.cold.content import Content
from vaehub_recommender.cold.items import NewItems, unit_rows
from vaehub_recommender.cold.learn import learn_new_items
from vaehub_recommender.cold.regression import FeatureRegression
from vaehub_recommender.cold.users import learn_new_users
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.held_out import HeldOut, subset
from vaehub_recommender.judge import Judged, judge
from vaehub_recommender.judge.baselines import ByPopularity, Ranking
from vaehub_recommender.judge.items import LIST
from vaehub_recommender.judge.metrics import USUAL
from vaehub_recommender.judge.protocols import ranked_lists
from vaehub_recommender.rank import Ranker
from vaehub_recommender.scores import DenseScores, Scores
from vaehub_recommender.splits import strong
from vaehub_recommender.tables import Ids, Log

Frames: TypeAlias = Mapping[str, pd.DataFrame | None]

SHARE = 0.1  # of the items that are hidden
POPULARITY_PENALTY = 10.0
MODEL = "model"


def evaluate_new_items(fitted: Fitted, names: tuple[str, ...] = USUAL) -> Judged:
    """See `judged_by_new_items`. Raises UsageError for a model without features of items."""
    if fitted.content is None:
        raise UsageError("protocol 'new_items': this model knows no features of items; fit it with items=…")
    known = require_users(fitted)
    return judged_by_new_items(known.run.config, known.log, fitted.content, fitted.frames, fitted.side, names)


def judged_by_new_items(
    config: Config, log: Log, content: Content, frames: Frames, side: Tensor | None = None, names: tuple[str, ...] = USUAL
) -> Judged:
    """A model trained without a tenth of the items, judged by how it ranks these among themselves for the users who have some.

    Beside it: how popular an item is to be by its features (the regression of log popularity on them), and the cosine between its features and
    those of the user's items, summed.
    """
    described = np.flatnonzero(content.described & (np.bincount(log.matrix.indices, minlength=len(log.items)) > 0))
    rng = np.random.default_rng(config.train.seed)
    hidden = np.sort(rng.choice(described, max(1, int(SHARE * len(described))), replace=False))
    rest = np.setdiff1d(np.arange(len(log.items)), hidden)
    known = restricted_to(log, Ids(log.items.take(rest)))
    options = domain_of(config)
    domain = SplitLog(known, fit_split(known, config.train.seed), options.columns, frames, options.history, side)
    ranker = Ranker(vaehub.train(config, domain=domain, progress=False))
    of_rest = Content(content.features, content.learnt[rest], Ids(log.items.take(hidden)), content.learnt[hidden])
    added = learn_new_items(known.items, of_rest, ranker, known.matrix, domain.side)
    return judge_new_items(ranker, added, log.matrix, rest, hidden, domain.side, names)


def judge_new_items(
    ranker: Ranker,
    added: NewItems,
    matrix: csr_array,
    rest: NDArray[np.int64],
    hidden: NDArray[np.int64],
    side: Tensor | None,
    names: tuple[str, ...] = USUAL,
) -> Judged:
    """What is found of the hidden items (H,) of a matrix (U, I) by a model of the rest (I - H,)."""
    users = np.flatnonzero((np.diff(matrix[:, hidden].indptr) > 0) & (np.diff(matrix[:, rest].indptr) > 0))
    shown, targets = csr_array(matrix[users][:, rest]), csr_array(matrix[users][:, hidden])
    side = None if side is None else side[torch.from_numpy(users)]
    extended = Ranker(ranker.run, new_items=added)
    content = added.content
    counts = np.bincount(shown.indices, minlength=len(rest))
    read, write = FeatureRegression.of(content.learnt, content.described).factors(content.new, POPULARITY_PENALTY)
    popularity = np.broadcast_to(np.log1p(counts) @ read @ write.T, targets.shape)
    near = (unit_rows(content.learnt) @ unit_rows(content.new).T).astype(np.float32)
    models: dict[str, Ranking] = {
        MODEL: partial(only_hidden, extended, shown, side),
        "content kNN": lambda seen: ((rows, dense(shown[rows] @ near)) for rows in extended.slices(seen.shape[0])),
        "popularity by features": lambda seen: ((rows, dense(popularity[rows])) for rows in extended.slices(seen.shape[0])),
    }
    held = HeldOut(users, csr_array(targets.shape, dtype=np.float32), targets)
    places = [lists >= len(rest) for _, lists in ranked_lists(partial(extended.batches, side=side), shown, LIST)]
    notes = (
        f"{len(hidden):,} of {len(hidden) + len(rest):,} items were hidden, and are ranked among themselves by their features.",
        f"Among all items they take {np.concatenate(places).mean():.1%} of the first {LIST} places; "
        f"of these users' interactions they have {targets.nnz / (targets.nnz + shown.nnz):.1%}.",
        f"Penalty {added.penalty:g} and spread {added.spread:.2f} were chosen by hiding others in training.",
    )
    return judge(models, held, targets, share=targets.nnz / shown.nnz, notes=notes, names=names)


def only_hidden(ranker: Ranker, shown: csr_array, side: Tensor | None, seen: csr_array) -> Iterator[tuple[slice, Scores]]:
    """The scores of the new items alone, by what was shown of the same users."""
    for rows, scores in ranker.batches(shown, side):
        yield rows, DenseScores(scores.block(shown.shape[1], scores.items).detach())


def dense(scores: NDArray[np.floating]) -> Scores:
    """Scores that are there already."""
    return DenseScores(torch.from_numpy(np.asarray(scores, np.float32)))


def evaluate_new_users(fitted: Fitted, names: tuple[str, ...] = USUAL) -> Judged:
    """See `judged_by_new_users`. Raises UsageError for a model without features of users."""
    if fitted.side is None:
        raise UsageError("protocol 'new_users': this model knows no features of users; fit it with users=…")
    known = require_users(fitted)
    return judged_by_new_users(known.run.config, known.log, fitted.frames, fitted.side, names)


def judged_by_new_users(
    config: Config, log: Log, frames: Frames, side: Tensor | None = None, names: tuple[str, ...] = USUAL
) -> Judged:
    """A model trained without a tenth of the users, judged by the lists that it makes of nothing but their features, beside popularity."""
    split, options = strong(log.matrix, None, config.train.seed), domain_of(config)
    domain = SplitLog(log, split, options.columns, frames, options.history, side)
    ranker, features = Ranker(vaehub.train(config, domain=domain, progress=False)), domain.side
    assert features is not None  # or there would be nothing to judge by
    chosen = learn_new_users(ranker, split.train, features[torch.from_numpy(split.users)])
    everything = csr_array(split.test.history + split.test.targets)
    held = HeldOut(split.test.users, subset(everything, np.zeros(everything.nnz, bool)), everything)
    asked = features[torch.from_numpy(held.users)]
    models: dict[str, Ranking] = {
        MODEL: lambda seen: ((rows, chosen.scores(ranker, asked[rows])) for rows in ranker.slices(seen.shape[0])),
        "popularity": ByPopularity(split.train),
    }
    how = "the model at an empty history" if chosen.by_model else "the regression of who has what on features"
    notes = (f"{len(held):,} users of whom nothing but features was shown; chosen on others: {how}.",)
    return judge(models, held, split.train, share=len(held) / len(split.users), notes=notes, names=names)
