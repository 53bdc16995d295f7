"""Lists for users of whom nothing but features is known: age, occupation, what a form asks.

Letters of shapes: B users, U known ones, I items, S features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.rank import Ranker, top
from vaehub_recommender.scores import LinearScores, Scores

PENALTIES = (10.0, 100.0, 1000.0)
HIDDEN, MOST_USERS = 0.1, 1000  # by whom the choice is made: which share of the known users, and how many at most
CHOSEN_BY, LIST = "ndcg@100", 100


@final
@dataclass(frozen=True)
class UserRegression:
    """s = p + (c - mean c)' (C'C + penalty)^-1 C' X: the ridge regression on features c of who has what, X with ones; p the items' shares of users.

    Arguments:
        mean: (S,) of the features.
        slopes: (I, S).
        share: (I,) p.

    Example:
        >>> likes = csr_array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> old = np.array([[0.0], [0.0], [1.0], [1.0]])
        >>> UserRegression.of(likes, old, penalty=1e-6).scores(torch.tensor([[1.0]])).block(0, 2).round().abs().tolist()
        [[0.0, 1.0]]
    """

    mean: Tensor
    slopes: Tensor
    share: Tensor

    @staticmethod
    def of(matrix: csr_array, features: NDArray[np.floating], penalty: float) -> UserRegression:
        """From known users (U, I) and their features (U, S)."""
        ones = csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
        mean = features.mean(0)
        centred = (features - mean).astype(np.float64)
        inner = centred.T @ centred + penalty * np.eye(len(mean))
        slopes = np.linalg.solve(inner, (ones.T @ centred).T).T
        share = np.bincount(matrix.indices, minlength=matrix.shape[1]) / matrix.shape[0]
        return UserRegression(*(torch.from_numpy(part).float() for part in (mean, slopes, share)))

    def scores(self, features: Tensor) -> Scores:
        """For users of these features (B, S)."""
        return LinearScores(features - self.mean, self.slopes, self.share)


@final
@dataclass(frozen=True)
class NewUsers:
    """How users are scored by features alone: by the regression, or by the model itself at an empty history where that ranks better."""

    regression: UserRegression
    by_model: bool

    def scores(self, ranker: Ranker, features: Tensor) -> Scores:
        """For users of these features (B, S)."""
        return model_scores(ranker, features) if self.by_model else self.regression.scores(features)


def learn_new_users(ranker: Ranker, matrix: csr_array, side: Tensor) -> NewUsers:
    """The penalty, or the model, with the best NDCG@100 for a tenth of the known users, whose items the regression has not seen."""
    features = side.numpy()
    described = np.flatnonzero((features != 0).any(1) & (np.diff(matrix.indptr) > 0))
    shuffled = np.random.default_rng(0).permutation(described)
    judges = np.sort(shuffled[: min(max(1, int(HIDDEN * len(shuffled))), MOST_USERS)])
    rest = np.setdiff1d(described, judges)
    rest = rest if len(rest) else judges
    asked, targets = side[torch.from_numpy(judges)], matrix[judges]
    ranked = [UserRegression.of(matrix[rest], features[rest], penalty).scores(asked) for penalty in PENALTIES]
    quality = [mean_ndcg(scores, targets) for scores in (*ranked, model_scores(ranker, asked))]
    best = int(np.argmax(quality))
    by_model = best == len(PENALTIES)
    chosen = PENALTIES[int(np.argmax(quality[:-1]))]
    return NewUsers(UserRegression.of(matrix[described], features[described], chosen), by_model)


def model_scores(ranker: Ranker, features: Tensor) -> Scores:
    """What the model says of an empty history under these features (B, S)."""
    return ranker.scores(csr_array((len(features), ranker.run.spec.size), dtype=np.float32), features)


def mean_ndcg(scores: Scores, targets: csr_array) -> float:
    """NDCG@100 of lists that hold nothing back; 0 for a list of equal scores, whose order is that of the catalogue and says nothing."""
    values, lists = (part.cpu().numpy() for part in top(scores, LIST))
    found = metrics(lists, targets, [CHOSEN_BY])[CHOSEN_BY]
    return float(np.where(values[:, 0] == values[:, -1], 0, found).mean())
