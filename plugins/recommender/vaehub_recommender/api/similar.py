"""Items and users that are like others.

Letters of shapes: B asked about, U users, I items, L latent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from vaehub import UsageError
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query, require_users
from vaehub_recommender.api.ranked_lists import on_host
from vaehub_recommender.rank import csr_tensor, top
from vaehub_recommender.scores import DenseScores, LinearScores
from vaehub_recommender.tables import Ids


@torch.inference_mode()
def similar_items_frame(fitted: Fitted, at: np.ndarray, k: int, allowed: Tensor | None = None) -> pd.DataFrame:
    """item, similar, rank, similarity: the items whose scores a history of that item alone raises most above those of an empty history.

    allowed: positions (n,) of the items that may be named; None: all.
    """
    ranker, parts = fitted.ranker, []
    base = fitted.empty_history_scores
    for rows in ranker.slices(len(at)):
        alone = single_item_rows(at[rows], len(fitted.items))
        scores = ranker.scores(alone)
        lift = DenseScores(scores.block(0, scores.items).cpu() - base)
        parts.append(
            similarity_frame(fitted.items, at[rows], fitted.items, top(lift, k, csr_tensor(alone), allowed), ("item", "similar"))
        )
    return pd.concat(parts, ignore_index=True)


@torch.inference_mode()
def similar_users_frame(fitted: Fitted, query: Query, k: int) -> pd.DataFrame:
    """user, similar, rank, similarity: the known users whose codes have the smallest angle to those of the users, its cosine."""
    codes = F.normalize(require_codes(require_users(fitted)).codes)
    parts = []
    for rows in fitted.ranker.slices(len(query)):
        part = query.part(rows)
        asked = F.normalize(fitted.ranker.codes(part.matrix, part.side))
        found = top(
            LinearScores(asked, codes, codes.new_zeros(len(codes))), k, self_cells(part.positions, len(codes)).to(codes.device)
        )
        parts.append(similarity_frame(part.users, np.arange(len(part)), fitted.users, on_host(found), ("user", "similar")))
    return pd.concat(parts, ignore_index=True)


def require_codes(fitted: Fitted) -> Fitted:
    """The same, if it has codes. Raises UsageError for a model that ranks without."""
    if not fitted.has_codes:
        raise UsageError(
            "this model has no codes, it ranks by a linear part alone; take one with a network, such as recommender.yaml"
        )
    return fitted


def single_item_rows(at: np.ndarray, items: int) -> csr_array:
    """Histories (B, I) of one item each."""
    return csr_array((np.ones(len(at), np.float32), at, np.arange(len(at) + 1)), shape=(len(at), items))


def self_cells(known: np.ndarray, users: int) -> Tensor:
    """Known users in their own place (B, U), so that nobody is like himself."""
    at = known[known >= 0]
    ends = np.concatenate([[0], np.cumsum(known >= 0)])
    return csr_tensor(csr_array((np.ones(len(at), np.float32), at, ends), shape=(len(known), users)))


def similarity_frame(
    asked: Any, at: np.ndarray, others: Ids, best: tuple[Tensor, Tensor], names: tuple[str, str]
) -> pd.DataFrame:
    """A row for everyone found."""
    values, positions = (t.numpy() for t in best)
    there = positions >= 0
    rank = np.broadcast_to(np.arange(1, there.shape[1] + 1), there.shape)
    columns = (asked.take(at.repeat(there.sum(1))), others.take(positions[there]), rank[there], values[there])
    return pd.DataFrame(dict(zip((*names, "rank", "similarity"), columns, strict=True)))
