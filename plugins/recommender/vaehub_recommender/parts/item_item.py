"""Decoders that read a user's items and add up weights between items."""

from __future__ import annotations

from abc import abstractmethod

from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Decoder, UsageError
from vaehub_recommender.interactions import Interactions

NO_HISTORY = "this decoder reads the users' items in cond; set domain.history=true"


class ItemItemDecoder(Decoder):
    """Scores that are, wholly or in part, a sum over the items of a user: abstract."""

    @property
    @abstractmethod
    def is_linear(self) -> bool:
        """Whether they are such a sum wholly, so that codes say nothing."""

    @abstractmethod
    def linear_weights(self, items: Tensor, target: int) -> Tensor:
        """What each of these items (n,) adds to the score of `target`, for a unit of its weight: (n,)."""

    @abstractmethod
    def learn(self, matrix: csr_array) -> None:
        """The weights between items from the rows of all users (U, I)."""


def require_history(data: object) -> Interactions:
    """The rows, where they come with their history. Raises UsageError where they do not."""
    if not isinstance(data, Interactions) or not data.history:
        raise UsageError(NO_HISTORY)
    return data


def required_history(history: Tensor | None) -> Tensor:
    """The users' items. Raises UsageError where rows come without them."""
    if history is None:
        raise UsageError(NO_HISTORY)
    return history
