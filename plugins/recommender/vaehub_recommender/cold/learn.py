"""How much the features of items are worth, found by hiding items that users have.

Letters of shapes: B users, I learnt items, H hidden ones, N new ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import UsageError
from vaehub_recommender.cold.content import Content
from vaehub_recommender.cold.items import NewItems
from vaehub_recommender.cold.regression import FeatureRegression
from vaehub_recommender.held_out import subset
from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.rank import Ranker, csr_tensor, top
from vaehub_recommender.scores import DenseScores
from vaehub_recommender.tables import Ids

Floats = NDArray[np.floating]
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
FOLDS, HIDDEN, MOST_HIDDEN = 3, 0.1, 1000  # how often items are hidden, which share of them, and how many at most
CELLS = 2**24  # scores of users x items that are held at once
MOST_USERS = 1000
PLACES = 20  # of a list, of which new items are to have their share
CHOSEN_BY, LIST = "ndcg@100", 100


class Trial(NamedTuple):
    """One time that items are hidden.

    Arguments:
        scores: (B, I) of users who had a hidden item, by their other items.
        history: (B, I) these others.
        hidden: (H,) positions of the hidden items.
        targets: (B, H) which of them each user has.
    """

    scores: Floats
    history: csr_array
    hidden: NDArray[np.int64]
    targets: csr_array


def learn_new_items(items: Ids, content: Content, ranker: Ranker, matrix: csr_array, side: Tensor | None) -> NewItems:
    """The penalty that ranks hidden items best (NDCG@100 among these), and the spread with which they take as many places as when they are known.

    The model itself has learnt them; only the histories and the regression do without, so that nothing has to be trained.
    Raises UsageError where fewer than two items that users have are described.
    """
    described = np.flatnonzero(content.described & (np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0))
    if len(described) < 2:
        raise UsageError(f"items: {len(described)} of those that users have are described; give a table with a row for each item")
    rng = np.random.default_rng(0)
    quality, spreads = [], []
    for _ in range(FOLDS):
        count = min(max(1, int(HIDDEN * len(described))), MOST_HIDDEN)
        trial = trial_of(np.sort(rng.choice(described, count, replace=False)), ranker, matrix, side, rng)
        used = content.described.copy()
        used[trial.hidden] = False
        regression = FeatureRegression.of(content.learnt, used)
        found = [predicted(trial, regression, content, penalty) for penalty in PENALTIES]
        quality.append([mean_ndcg(scores, trial.targets) for scores in found])
        spreads.append([spread_of(trial, scores) for scores in found])
    found = np.mean(quality, 0)
    best = int(found.argmax())
    return NewItems(items, content, PENALTIES[best], float(np.mean(spreads, 0)[best]), float(found[best]))


@torch.inference_mode()
def trial_of(
    hidden: NDArray[np.int64], ranker: Ranker, matrix: csr_array, side: Tensor | None, rng: np.random.Generator
) -> Trial:
    """Some of the users who have a hidden item, without it."""
    away = np.isin(matrix.indices, hidden)
    rest, targets = subset(matrix, ~away), subset(matrix, away)
    users = np.flatnonzero((np.diff(rest.indptr) > 0) & (np.diff(targets.indptr) > 0))
    most = max(1, min(MOST_USERS, CELLS // matrix.shape[1]))
    users = np.sort(rng.permutation(users)[:most])
    side = None if side is None else side[torch.from_numpy(users)]
    blocks = [scores.block(0, scores.items).cpu().numpy() for _, scores in ranker.batches(rest[users], side)]
    scores = np.concatenate(blocks) if blocks else np.zeros((0, matrix.shape[1]), np.float32)
    return Trial(scores, rest[users], hidden, targets[users][:, hidden])


def predicted(trial: Trial, regression: FeatureRegression, content: Content, penalty: float) -> Floats:
    """Scores of the hidden items by their features (B, H)."""
    read, write = regression.factors(content.learnt[trial.hidden], penalty)
    scores: Floats = trial.scores @ read @ write.T
    return scores


def mean_ndcg(scores: Floats, targets: csr_array) -> float:
    """NDCG@100 among the hidden items."""
    if not len(scores):
        return 0.0
    lists = top(DenseScores(torch.from_numpy(scores)), LIST)[1].numpy()
    return float(metrics(lists, targets, [CHOSEN_BY])[CHOSEN_BY].mean())


def spread_of(trial: Trial, predicted: Floats) -> float:
    """What deviations of predicted scores from the user's mean are multiplied by.

    With it as many predicted scores of hidden items are above the user's 20th best item as are of the scores that the model gives them itself,
    but it makes them vary no more than these do.
    """
    others = trial.scores.copy()
    others[:, trial.hidden] = -np.inf
    places = min(PLACES, max(1, others.shape[1] // 10))
    last = top(DenseScores(torch.from_numpy(others)), places, csr_tensor(trial.history))[0][:, -1:].numpy()
    others[:, trial.hidden] = 0
    mean = others.sum(1, keepdims=True) / (others.shape[1] - len(trial.hidden))
    own, deviation = trial.scores[:, trial.hidden], predicted - mean
    foreign = trial.targets.toarray() == 0
    listed = int(((own >= last) & foreign).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(foreign, (last - mean) / deviation, np.nan)
    needed = np.sort(needed[np.isfinite(needed) & (needed > 0)])
    if not listed or not len(needed):
        return 1.0
    most = np.sqrt(np.square(own - mean).mean() / np.square(deviation).mean())
    return float(min(needed[min(listed, len(needed)) - 1], most))
