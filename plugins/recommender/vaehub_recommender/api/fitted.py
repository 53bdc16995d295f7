"""A trained model with the users that it knows.

Letters of shapes: U users, I items, S numbers that are known of a user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Run, TrainedModel, UsageError
from vaehub_recommender.choose.choice import Choice
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.rank import Ranker
from vaehub_recommender.tables import Columns, Ids, Log

NOTHING: Mapping[str, pd.DataFrame | None] = {"user": None, "item": None}


def codec_of(run: TrainedModel) -> InteractionCodec:
    """What a model of this plugin knows of its data. Raises UsageError for a run of another domain."""
    if not isinstance(run.codec, InteractionCodec):
        raise UsageError(f"a run with domain {run.config.domain.name}; give one with domain recommender")
    return run.codec


@final
@dataclass(frozen=True)
class Fitted:
    """log: the interactions of the known users over the items of the model, none where they are not at hand.

    in_linear_part (U,): whose items are in the linear part, where the model has one. side (U, S): what else is known of the users, from `frames`.
    choice: what was tried before this model was taken, where it was not named.
    """

    run: Run
    log: Log
    in_linear_part: NDArray[np.bool_]
    side: Tensor | None = None
    frames: Mapping[str, pd.DataFrame | None] = field(default_factory=lambda: NOTHING)
    choice: Choice | None = None

    @property
    def codec(self) -> InteractionCodec:
        """What the model knows of its data."""
        return codec_of(self.run)

    @cached_property
    def ranker(self) -> Ranker:
        """What the model says of histories."""
        return Ranker(self.run)

    @property
    def items(self) -> Ids:
        """The catalogue."""
        return self.log.items

    @property
    def users(self) -> Ids:
        """The known users."""
        return self.log.users

    @property
    def columns(self) -> Columns:
        """How tables are read."""
        return self.codec.columns

    @cached_property
    def popularity(self) -> Tensor:
        """log of the share of users who have each item (I,): of the known ones, and where there are none of those whom the model learnt from."""
        learnt = self.codec.popularity
        known = Popularity.of(self.log.matrix) if len(self.users) else learnt
        return torch.from_numpy(known.log_share).float()

    @property
    def empty_history_scores(self) -> Tensor:
        """The scores of an empty history (I,)."""
        scores = self.ranker.scores(csr_array((1, len(self.items)), dtype=np.float32))
        return scores.block(0, scores.items)[0].cpu()

    @cached_property
    def codes(self) -> Tensor:
        """The mean of q(z|x) of every known user (U, L)."""
        return self.ranker.codes(self.log.matrix, self.side)
