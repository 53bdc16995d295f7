"""How good a model ranks for validation users, and how much of each part of a mixture ranks best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Batch, Data, Model, batches
from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.rank import top
from vaehub_recommender.scores import DenseScores, MixedScores, Scores, scores_of

ROWS = 500  # users at once
NDCG = "ndcg@100"
SHARES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 28.0, 40.0, 64.0, 128.0)
"""Nats per unit of the linear part's score, which is near 1 for an item that it is sure of."""


def mean_ndcg(vae: Model, data: Data, held: csr_array) -> float:
    """NDCG@100 of the items `held` (U, I) out of the histories in `data`."""
    return float(all_ndcg(vae, data, held).mean())


@torch.no_grad()
def all_ndcg(vae: Model, data: Data, held: csr_array) -> np.ndarray:
    """The same of every user with anything held out, in order."""
    found = [user_ndcg(scores, batch.x, held[rows]) for rows, batch, scores in score_batches(vae, data)]
    return np.concatenate(found)


@torch.no_grad()
def best_share(vae: Model, data: Data, held: csr_array) -> float:
    """The share of the second of two mixed scores with the highest NDCG@100."""
    found = [
        ndcg_by_share(scores, batch.x, held[rows])
        for rows, batch, scores in score_batches(vae, data)
        if isinstance(scores, MixedScores)
    ]
    return SHARES[int(np.concatenate(found, 1).mean(1).argmax())]


def ndcg_by_share(scores: MixedScores, seen: Tensor, held: csr_array) -> np.ndarray:
    """NDCG@100 for every share and user (N, B)."""
    first, second = (part.block(0, scores.items) for part in (scores.first, scores.second))
    return np.stack([user_ndcg(DenseScores(first + share * second), seen, held) for share in SHARES])


def score_batches(vae: Model, data: Data) -> Iterator[tuple[slice, Batch, Scores]]:
    """The scores of all users, some at a time."""
    device, start = next(vae.parameters()).device, 0
    for batch in batches(data, ROWS, device):
        rows = slice(start, start + len(batch.x))
        yield rows, batch, scores_of(vae.decoder(vae.encoder(batch).mean, batch.cond))
        start = rows.stop


def user_ndcg(scores: Scores, seen: Tensor, held: csr_array) -> np.ndarray:
    """NDCG@100 of every user with anything held out."""
    lists = top(scores, 100, seen)[1].cpu().numpy()
    return metrics(lists, held, [NDCG])[NDCG].to_numpy()
