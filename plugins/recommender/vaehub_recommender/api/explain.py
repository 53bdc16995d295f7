"""Which items of a history carry a score.

Letters of shapes: I items, n items of a history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import UsageError
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import Query
from vaehub_recommender.parts.linear_part import LinearPart


@final
@dataclass(frozen=True)
class Explanation:
    """score: of the item given the history x (n items); base: given none; linear (n,): exact parts; network (n,): the rest, shared out."""

    items: np.ndarray
    score: float
    base: float
    linear: np.ndarray
    network: np.ndarray

    def frame(self, fitted: Fitted, k: int) -> pd.DataFrame:
        """The k items that carry most: item, contribution = linear + network. attrs: score, base."""
        total = self.linear + self.network
        order = np.argsort(-total, kind="stable")[:k]
        columns = {"contribution": total, "linear": self.linear, "network": self.network}
        frame = pd.DataFrame({"item": fitted.items.take(self.items[order]), **{n: v[order] for n, v in columns.items()}})
        frame.attrs = {"score": self.score, "base": self.base}
        return frame


@torch.inference_mode()
def explain_score(fitted: Fitted, query: Query, item: int) -> Explanation:
    """s(x) - s(nothing) = sum over the history of contributions, exactly.

    The linear part of s is a sum already: share x_j B_ji. The rest, the network, is none: an item's part in it is what is lost without the item,
    s(x) - s(x without j), and an equal share of what all these losses together leave over or have too much. That is the equal allocation of
    nonseparable costs: "The Separability Axiom and Equal-Sharing Methods" (Moulin, 1985), Journal of Economic Theory 36, 120-148.
    Raises UsageError for an empty history.
    """
    row, items = query.matrix, query.matrix.indices
    if not len(items):
        raise UsageError(
            "explain: the history is empty, what is recommended is popular; give a user with items that the model knows"
        )
    parts = [row, csr_array(row.shape, dtype=np.float32), *leave_one_out(row, fitted.ranker.size)]
    whole, base, *without = np.concatenate([score(fitted, part, query.side, item) for part in parts])
    linear = linear_part(fitted, row, item)
    lost = whole - np.array(without) - linear
    network = lost + (whole - base - linear.sum() - lost.sum()) / len(items)
    return Explanation(items, float(whole), float(base), linear, network)


def score(fitted: Fitted, rows: csr_array, side: Tensor | None, item: int) -> np.ndarray:
    """The score of an item given each history, in float64 (B,)."""
    given = None if side is None else side.expand(rows.shape[0], -1)
    scores = fitted.ranker.scores(rows, given).at(torch.tensor([item], device=fitted.run.device))
    return scores[:, 0].double().cpu().numpy()


def leave_one_out(row: csr_array, size: int) -> list[csr_array]:
    """The history (1, I) without each of its n items in turn, at most `size` of them in one matrix."""
    n = row.nnz
    return [without_each(row, np.arange(start, min(start + size, n))) for start in range(0, n, size)]


def without_each(row: csr_array, left_out: np.ndarray) -> csr_array:
    """The history (1, I) without the items at these places, each in a row of its own."""
    n, rows = row.nnz, len(left_out)
    keep = np.arange(n) != left_out[:, None]
    indptr = np.arange(rows + 1) * (n - 1)
    parts = (np.broadcast_to(values, keep.shape)[keep] for values in (row.data, row.indices))
    return csr_array((*parts, indptr), shape=(rows, row.shape[1]))


def linear_part(fitted: Fitted, row: csr_array, item: int) -> np.ndarray:
    """What each item of the history adds by the weights between items (n,), 0 for a model without these and for items that are not in them."""
    decoder, linear = fitted.run.vae.decoder, np.zeros(row.nnz)
    learnt = row.indices < len(fitted.log.items)
    if isinstance(decoder, LinearPart) and item < len(fitted.log.items):
        weights = decoder.linear_weights(torch.from_numpy(row.indices[learnt]).to(fitted.run.device), item)
        linear[learnt] = row.data[learnt] * weights.double().cpu().numpy()
    return linear
