"""The search among models in closed form: item-kNN, and EASE with its penalty and dropout.

Letters of shapes: I items, V validation users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vaehub_recommender.choose.ease_scores import ease_scores
from vaehub_recommender.held_out import HeldOut
from vaehub_recommender.parts.item_knn import nearest
from vaehub_recommender.rank import csr_tensor
from vaehub_recommender.scores import DenseScores
from vaehub_recommender.validation import SHARES, user_ndcg

NEIGHBOURS, SHRINKS = (20, 50, 100, 200), (0.0, 20.0)
PENALTIES = (10.0, 50.0, 250.0, 1000.0)  # for weights of mean square 1
FINER = 2.2  # from one penalty to the next in the second round
NOISY = ((0.5, 0.5), (1.0, 0.5), (0.25, 0.75))  # parts of the best penalty, and dropout, in the third round

Over: TypeAlias = Callable[[], bool]  # whether the time is up


@final
@dataclass(frozen=True)
class Trial:
    """Options of a decoder, scores of validation users (V, I), and NDCG@100 of every row (V,)."""

    options: Mapping[str, Any]
    scores: NDArray[np.float32]
    ndcg: NDArray[np.float64]


def neighbour_trials(train: csr_array, held: HeldOut) -> Iterator[Trial]:
    """Item-kNN; the neighbours are found once for every shrinkage, and the nearest of them are taken."""
    for shrink in SHRINKS:
        found = nearest(train, NEIGHBOURS[-1], shrink)
        for neighbours in NEIGHBOURS:
            scores = (held.history @ found.weights(neighbours)).toarray()
            yield Trial({"neighbours": neighbours, "shrink": shrink}, scores, row_ndcg(scores, held))


def ease_trials(train: csr_array, held: HeldOut, over: Over) -> Iterator[Trial]:
    """EASE under penalties that lie far apart, then near the best of them, then with dropout as well; ends early when time is `over`."""
    scores = ease_scores(train, held.history)
    unit = float(np.mean(train.data.astype(np.float64) ** 2))
    done: dict[tuple[float, float], float] = {}  # NDCG@100

    def tried(settings: list[tuple[float, float]]) -> Iterator[Trial]:
        for penalty, dropout in settings:
            if done and over():
                return
            options = {"penalty": float(f"{penalty * unit:.3g}"), "dropout": dropout}
            found = scores(options["penalty"], dropout)
            trial = Trial(options, found, row_ndcg(found, held))
            done[penalty, dropout] = float(trial.ndcg.mean())
            yield trial

    def best() -> tuple[float, float]:
        return max(done, key=lambda setting: done[setting])

    yield from tried([(penalty, 0.0) for penalty in PENALTIES])
    penalty, _ = best()
    yield from tried([(penalty / FINER, 0.0), (penalty * FINER, 0.0)])
    penalty, _ = best()
    yield from tried([(penalty * part, dropout) for part, dropout in NOISY])


def mixed_trial(base: Trial, second: Trial, held: HeldOut) -> Trial:
    """The scores of one and a share of those of the other, the share that ranks best: options are those of the base."""
    mixed = (base.scores + share * second.scores for share in SHARES)
    return best_trial(Trial(base.options, scores, row_ndcg(scores, held)) for scores in mixed)


def best_trial(trials: Iterator[Trial]) -> Trial:
    """The one with the highest mean, of equal ones the first."""
    return max(trials, key=lambda trial: trial.ndcg.mean())


def row_ndcg(scores: NDArray[np.float32], held: HeldOut) -> NDArray[np.float64]:
    """NDCG@100 of every row of validation users (V,), from scores (V, I)."""
    dense = DenseScores(torch.from_numpy(np.ascontiguousarray(scores, np.float32)))
    return np.asarray(user_ndcg(dense, csr_tensor(held.history), held.targets))
