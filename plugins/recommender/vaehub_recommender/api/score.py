"""Scores of pairs of users and items, those that stand on lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from vaehub import UsageError
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query, query_of, query_of_known, user_positions
from vaehub_recommender.api.single import item_positions
from vaehub_recommender.tables import Columns
from vaehub_recommender.tables.bad_rows import reject
from vaehub_recommender.tables.cells import coded
from vaehub_recommender.tables.frames import as_frame


def score_frame(fitted: Fitted, users: Any, items: Any) -> pd.DataFrame:
    """user, item, score: of every user with every item, or without items of the pairs of a frame, in its order."""
    if items is None:
        return score_pairs(fitted, as_frame("users", users, fitted.columns))
    query, at = query_of(users, fitted), item_positions(items, fitted)
    row, column = np.repeat(np.arange(len(query)), len(at)), np.tile(np.arange(len(at)), len(query))
    return frame_of(fitted, query, row, at, column)


def score_pairs(fitted: Fitted, frame: pd.DataFrame) -> pd.DataFrame:
    """Of the pairs of known users and items in a frame. Raises UsageError for an unknown or a missing one."""
    columns = Columns(fitted.columns.user, fitted.columns.item).resolve(list(frame.columns))
    if not len(frame):
        raise UsageError("users: the frame of pairs has no rows")
    for name in columns.needed[:2]:
        reject(frame[name].isna().to_numpy(bool), name, frame[name], "is no id", "drop such rows")
    row, users = coded(frame[columns.user])
    column, items = coded(frame[columns.item])
    query = query_of_known(user_positions(users.tolist(), fitted), fitted)
    return frame_of(fitted, query, row, item_positions(items.tolist(), fitted), column)


@torch.inference_mode()
def frame_of(fitted: Fitted, query: Query, row: np.ndarray, at: np.ndarray, column: np.ndarray) -> pd.DataFrame:
    """The scores of some pairs: rows of a query and places among items at some positions (n,)."""
    items = torch.from_numpy(at).to(fitted.run.device)
    scores = np.empty(len(row), np.float32)
    for rows in fitted.ranker.slices(len(query)):
        part = query.part(rows)
        block = fitted.ranker.scores(part.matrix, part.side).at(items).cpu().numpy()
        block[part.empty] = fitted.popularity[torch.from_numpy(at)].numpy()
        if part.side is not None and part.described.any():
            block[part.described] = fitted.scores_by_features(part.side[torch.from_numpy(part.described)]).at(items).cpu().numpy()
        inside = (row >= rows.start) & (row < rows.stop)
        scores[inside] = block[row[inside] - rows.start, column[inside]]
    return pd.DataFrame({"user": query.users.take(row), "item": fitted.items.take(at[column]), "score": scores}, copy=False)
