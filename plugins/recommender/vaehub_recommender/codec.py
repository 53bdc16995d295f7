"""What a saved model knows of its data: the catalogue, how tables are read, how popular items are.

Letters of shapes: B users, I items, S numbers that are known of a user.
"""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from vaehub import Codec, Json, Spec, files
from vaehub_recommender.interactions import Interactions
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.side_features import SideFeatures
from vaehub_recommender.tables import Columns, Ids, histories, read_table
from vaehub_recommender.tables.decay import Decay
from vaehub_recommender.tables.histories import of_matrix
from vaehub_recommender.tables.writing import write_rows


@final
class InteractionCodec(Codec):
    """Users' items from and to tables, over the catalogue of a model.

    Arguments:
        spec: rows (I,), with S numbers of condition, and I more where the decoder sees the history.
        ids: of the items.
        columns: how tables are read.
        popularity: how many of the users that the model learnt from have each item.
        user_features: how the tables of users are read, where there are any.
        history: the decoder sees a user's items.
        decay: how much interactions count by their times.

    Example:
        >>> from vaehub_recommender.example import film_recommender
        >>> codec = film_recommender().fitted.codec
        >>> rows = codec.convert([["Noir film 01"], ["War film 01", "War film 02"]])
        >>> rows[torch.arange(2)].x.to_dense().sum(1).tolist()
        [1.0, 2.0]
    """

    suffix = ".parquet"

    def __init__(
        self,
        spec: Spec,
        ids: Ids,
        columns: Columns,
        popularity: Popularity,
        user_features: SideFeatures | None = None,
        history: bool = False,
        decay: Decay | None = None,
    ) -> None:
        super().__init__(spec)
        self.ids, self.columns, self.popularity = ids, columns, popularity
        self.user_features, self.history, self.decay = user_features, history, decay

    def read(self, path: Path) -> Interactions:
        """Histories from a table like the one trained on; items that the model does not know are left out."""
        return self.rows(read_table(path, self.columns))

    def convert(self, given: object) -> Interactions:
        """Histories in any form that `histories` takes, or an array (B, I) with a column for each item of the model."""
        if isinstance(given, Tensor):
            given = given.to_dense().numpy(force=True)
        if isinstance(given, np.ndarray) and given.ndim == 2:
            return self.interactions(of_matrix(given, self.ids, by_id=False).matrix)
        return self.rows(given)

    def rows(self, given: object, side: Tensor | None = None) -> Interactions:
        """Histories in any form that `histories` takes, with what else is known of the users (B, S), by default nothing."""
        return self.interactions(histories(given, self.ids, self.columns, self.decay).matrix, side)

    def interactions(self, matrix: csr_array, side: Tensor | None = None) -> Interactions:
        """Rows (B, I) over the catalogue, with what else is known of the users (B, S), by default nothing."""
        width = self.spec.cond - self.spec.size * self.history
        if side is None and width:
            side = torch.zeros(matrix.shape[0], width)
        return Interactions.of(matrix, side, self.history)

    def write(self, x: Tensor, path: Path) -> None:
        """Rows x (B, I) as a table: user (the number of the row), item, weight."""
        write_rows(x, self.ids, path, self.columns)

    def to_json(self) -> Json:
        """The items' ids, and how to read tables."""
        return {
            "items": self.ids.to_json(),
            "columns": self.columns.to_json(),
            "popularity": self.popularity.to_json(),
            "users": None if self.user_features is None else self.user_features.to_json(),
            "history": self.history,
            "decay": None if self.decay is None else self.decay.to_json(),
        }

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> InteractionCodec:
        """The codec of a saved model."""
        ids, popularity = Ids.from_json(state["items"]), Popularity.from_json(state["popularity"])
        if not len(ids) == len(popularity.counts) == spec.size:
            raise ValueError(f"{len(ids)} items, counts of {len(popularity.counts)}, and rows of {spec.size}")
        return cls(
            spec,
            ids,
            Columns.from_json(state["columns"]),
            popularity,
            None if state["users"] is None else SideFeatures.from_json(state["users"]),
            files.validated_json(bool, state["history"]),
            None if state.get("decay") is None else Decay.from_json(state["decay"]),
        )
