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
from scipy.sparse import csr_array, eye_array
from torch import Tensor

from vaehub import Run, TrainedModel, UsageError
from vaehub_recommender.choose.choice import Choice
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.cold.content import Content
from vaehub_recommender.cold.items import NewItems
from vaehub_recommender.cold.users import NewUsers, learn_new_users, model_scores
from vaehub_recommender.held_out import subset
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.rank import Ranker
from vaehub_recommender.rules import ItemTable
from vaehub_recommender.scores import DenseScores, Scores
from vaehub_recommender.tables import Columns, Ids, Log
from vaehub_recommender.tables.log import UserItems

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
    content: what is known of the items. new_items: those that are listed although nobody has them.
    linear_rows (U, I): what the linear part has of every user, where that is not their rows of `log`. unknown_split: why this is not known.
    choice: what was tried before this model was taken, where it was not named.
    """

    run: Run
    log: Log
    in_linear_part: NDArray[np.bool_]
    side: Tensor | None = None
    frames: Mapping[str, pd.DataFrame | None] = field(default_factory=lambda: NOTHING)
    content: Content | None = None
    new_items: NewItems | None = None
    linear_rows: csr_array | None = None
    unknown_split: str = ""
    choice: Choice | None = None

    @property
    def codec(self) -> InteractionCodec:
        """What the model knows of its data."""
        return codec_of(self.run)

    @cached_property
    def ranker(self) -> Ranker:
        """What the model says of histories."""
        return Ranker(self.run, new_items=self.new_items)

    @property
    def items(self) -> Ids:
        """The catalogue: what the model has learnt, and after that what was added by its features."""
        return self.log.items if self.new_items is None else self.new_items.all_items

    @property
    def users(self) -> Ids:
        """The known users."""
        return self.log.users

    @property
    def counted(self) -> csr_array:
        """What the linear part has of every user (U, I). Raises UsageError where that is not known."""
        if self.unknown_split:
            raise UsageError(f"what this model has learnt from is not known: {self.unknown_split}")
        if self.linear_rows is not None:
            return self.linear_rows
        matrix = self.log.matrix
        return matrix if self.in_linear_part.all() else subset(matrix, np.repeat(self.in_linear_part, np.diff(matrix.indptr)))

    @property
    def columns(self) -> Columns:
        """How tables are read."""
        return self.codec.columns

    @cached_property
    def also_seen(self) -> UserItems | None:
        """Items of the catalogue that users have seen and that are not learnt from."""
        return None if self.log.also_seen is None else self.log.also_seen.over(self.items)

    @cached_property
    def also_seen_by_known(self) -> csr_array | None:
        """The same for the known users in their order (U, I)."""
        return None if self.also_seen is None else self.also_seen.rows(self.users.values)

    @cached_property
    def item_table(self) -> ItemTable | None:
        """What else is known of the items, as rules read it."""
        frame = self.frames["item"]
        return None if frame is None else ItemTable.of(frame, self.columns.item, self.items)

    @property
    def other_items(self) -> tuple[Ids, ItemTable] | None:
        """Items that are in no catalogue as nobody has them, and what else is known of them; None where there are none."""
        frame, table = self.frames["item"], self.item_table
        if frame is None or table is None:
            return None
        ids = Ids.of(frame[table.column][self.items.positions(frame[table.column]) < 0])
        return (ids, ItemTable.of(frame, table.column, ids)) if len(ids) else None

    @cached_property
    def popularity(self) -> Tensor:
        """log of the share of users who have each item (I,): of the known ones, and where there are none of those whom the model learnt from."""
        learnt = self.codec.popularity
        known = Popularity.of(self.log.matrix) if len(self.users) else learnt
        nobody_has = np.full(len(self.items) - len(known.counts), -np.log1p(known.users))
        return torch.from_numpy(np.concatenate([known.log_share, nobody_has])).float()

    @cached_property
    def new_users(self) -> NewUsers | None:
        """How users are served by features alone; None where no features, or no users to learn from, are at hand."""
        if self.side is None or not len(self.users):
            return None
        return learn_new_users(Ranker(self.run), self.log.matrix, self.side)

    @cached_property
    def ranks_by_features(self) -> bool:
        """Whether features say what a user likes: by a regression on known users, or by the model at an empty history."""
        return self.new_users is not None or bool((self.empty_history_scores != self.empty_history_scores[0]).any())

    def scores_by_features(self, side: Tensor) -> Scores:
        """The scores of users with these features (B, S) and no history, of all items (B, I)."""
        ranker = Ranker(self.run)
        if self.new_users is not None:
            scores = self.new_users.scores(ranker, side)
        elif not self.ranks_by_features:
            scores = DenseScores(self.popularity[: len(self.log.items)].expand(len(side), -1))
        else:
            scores = model_scores(ranker, side)
        return scores if self.new_items is None else self.new_items.extended(scores)

    @property
    def has_codes(self) -> bool:
        """Whether scores depend on z; those of a linear part alone do not, and nothing trains its encoder."""
        z, cond = self.ranker.encoded(csr_array((2, len(self.items)), dtype=np.float32))
        z = z.clone()
        z[0] += 1
        scores = self.ranker.decoded(z, cond).block(0, len(self.items))
        return not torch.equal(scores[0], scores[1])

    @property
    def empty_history_scores(self) -> Tensor:
        """The scores of an empty history (I,)."""
        scores = self.ranker.scores(csr_array((1, len(self.items)), dtype=np.float32))
        return scores.block(0, scores.items)[0].cpu()

    @cached_property
    def item_codes(self) -> Tensor:
        """The mean of q(z|x) of each item, as the only one of a history (I, L)."""
        return self.ranker.codes(csr_array(eye_array(len(self.items), dtype=np.float32, format="csr"))).cpu()

    @cached_property
    def codes(self) -> Tensor:
        """The mean of q(z|x) of every known user (U, L)."""
        return self.ranker.codes(self.log.matrix, self.side)
