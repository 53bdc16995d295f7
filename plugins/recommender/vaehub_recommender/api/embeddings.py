"""Vectors of users and items whose inner products are the scores.

Letters of shapes: B users, I items, D numbers of a vector.
"""

from __future__ import annotations

import pandas as pd
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query


def item_frame(fitted: Fitted) -> pd.DataFrame:
    """A row for every item (I, D). Raises UsageError where scores are no inner products."""
    nobody = csr_array((1, len(fitted.items)), dtype="float32")
    frame = as_frame(fitted.ranker.scores(nobody).item_factors())
    return frame.set_index(fitted.items.values.rename("item"))


def user_frame(fitted: Fitted, query: Query) -> pd.DataFrame:
    """A row for every user (B, D). Raises UsageError where scores are no inner products."""
    parts = [as_frame(scores.user_factors()) for _, scores in fitted.ranker.batches(query.matrix, query.side)]
    return pd.concat(parts).set_index(query.users.rename("user"))


def as_frame(parts: dict[str, Tensor]) -> pd.DataFrame:
    """The numbers of all parts side by side: network0, network1, …, linear0, …"""
    names = [f"{name}{number}" for name, part in parts.items() for number in range(part.shape[1])]
    return pd.DataFrame(torch.cat(list(parts.values()), 1).numpy(force=True), columns=names)
