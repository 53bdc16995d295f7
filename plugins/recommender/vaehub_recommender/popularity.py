"""How many have what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array

from vaehub import Json, files

Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]


@final
@dataclass(frozen=True)
class Popularity:
    """How many of the users that a model learnt from have each item.

    Arguments:
        users: how many users there are.
        counts: (I,) how many of them have each item.

    Example:
        >>> popularity = Popularity.of(csr_array([[1.0, 1.0], [1.0, 0.0]]))
        >>> popularity.users, popularity.counts.tolist()
        (2, [2, 1])
    """

    users: int
    counts: NDArray[np.int64]

    @staticmethod
    def of(matrix: csr_array) -> Popularity:
        """Of the rows of a matrix (U, I)."""
        return Popularity(matrix.shape[0], np.bincount(matrix.indices, minlength=matrix.shape[1]))

    @property
    def log_share(self) -> NDArray[np.float64]:
        """log of the share of users who have each item (I,)."""
        share: NDArray[np.float64] = np.log1p(self.counts) - np.log1p(self.users)
        return share

    def plus(self, more: Popularity) -> Popularity:
        """With other users, who may have new items after these."""
        counts = more.counts.copy()
        counts[: len(self.counts)] += self.counts
        return Popularity(self.users + more.users, counts)

    def to_json(self) -> Json:
        """As JSON."""
        return {"users": self.users, "counts": self.counts.tolist()}

    @staticmethod
    def from_json(packed: Json) -> Popularity:
        """What `to_json` gave. Raises ValueError or KeyError where it is damaged."""
        return Popularity(
            files.validated_json(Count, packed["users"]), np.array(files.validated_json(list[Count], packed["counts"]), np.int64)
        )
