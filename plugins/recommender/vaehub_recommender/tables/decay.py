"""Interactions that count less the older they are, by their age or by how many came after them.

Letters of shapes: U users, I items.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vaehub import Json, files
from vaehub_recommender.tables.cells import rows_of_entries
from vaehub_recommender.tables.times import Nanoseconds

DAY = 86_400 * 10**9  # nanoseconds
MOST_HALVINGS = 60.0  # so that the oldest weights are still numbers in float32


@final
@dataclass(frozen=True)
class Decay:
    """weight = 2^(-age / half_life) place^(-recency): place 1 is the user's last interaction, of several at one time each has the first place.

    Arguments:
        half_life: days in which an interaction comes to count half; None: age does not matter.
        recency: 0: place does not matter.
        latest: the time from which ages are counted, in nanoseconds; what comes after it counts more than 1.

    Example:
        >>> history = csr_array([[1.0, 1.0]])
        >>> Decay(half_life=10, latest=10 * DAY).weights(history, np.array([0, 10 * DAY])).tolist()
        [0.5, 1.0]
        >>> Decay(recency=1).weights(history, np.array([7, 5])).tolist()
        [1.0, 0.5]
    """

    half_life: float | None = None
    recency: float = 0.0
    latest: int = 0

    def weights(self, matrix: csr_array, times: Nanoseconds, dated: bool = True) -> NDArray[np.float32]:
        """Of every entry (nnz,) of rows of users (U, I); times (nnz,) that are not `dated` say no more than an order."""
        weights = np.ones(matrix.nnz)
        if self.half_life is not None and dated:
            halvings = (self.latest - times) / (self.half_life * DAY)
            weights = np.exp2(-halvings.clip(-MOST_HALVINGS, MOST_HALVINGS))
        if self.recency:
            weights *= places(matrix, times).astype(np.float64) ** -self.recency
        return weights.astype(np.float32)

    def ageing(self, time: int) -> float:
        """What an interaction at a time counts by its age."""
        return 1.0 if self.half_life is None else float(np.exp2((time - self.latest) / (self.half_life * DAY)))

    def to_json(self) -> Json:
        """As JSON."""
        return asdict(self)

    @staticmethod
    def from_json(packed: Json) -> Decay:
        """What `to_json` gave. Raises ValueError or KeyError where it is damaged."""
        half_life = None if packed["half_life"] is None else files.validated_json(float, packed["half_life"])
        return Decay(half_life, files.validated_json(float, packed["recency"]), files.validated_json(int, packed["latest"]))


def places(matrix: csr_array, times: Nanoseconds) -> NDArray[np.int64]:
    """1 + how many interactions of the same user are later than each (nnz,)."""
    rows = rows_of_entries(matrix)
    order = np.lexsort((times, rows))
    ends = matrix.indptr[1:][rows[order]]
    last = np.append((np.diff(rows[order]) != 0) | (np.diff(times[order]) != 0), True) if len(order) else np.zeros(0, bool)
    group = np.cumsum(np.append(0, last[:-1])) if len(order) else np.zeros(0, np.int64)
    found = np.empty(len(rows), np.int64)
    found[order] = 1 + ends - (np.flatnonzero(last) + 1)[group]
    return found
