"""New users who are described by their features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array

from vaehub import UsageError, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.side_features import SideFeatures
from vaehub_recommender.tables.columns import ITEM, with_usual_names
from vaehub_recommender.tables.frames import pandas_of


def are_described(given: Any, fitted: Fitted) -> bool:
    """Whether these are users with their features: a frame that has no items, or {user: {feature: value}}."""
    given = pandas_of("users", given)
    if isinstance(given, pd.DataFrame):
        names, item = list(given.columns), fitted.columns.item
        features = fitted.codec.user_features
        here = features is not None and any(trait.name in names for trait in features.traits)
        return here and item not in names and not with_usual_names(names, ITEM)
    return isinstance(given, Mapping) and len(given) > 0 and all(isinstance(row, Mapping) for row in given.values())


def described_users(given: Any, fitted: Fitted) -> tuple[pd.Index[Any], csr_array, torch.Tensor]:
    """Their ids (B,), empty histories (B, I) and what is known of them (B, S).

    Raises UsageError where the model knows no features of users, or a column is absent or of another kind.
    """
    features = fitted.codec.user_features
    if features is None:
        raise UsageError("users: this model knows no features of users; fit it with users=…, or give the users' items")
    given = pandas_of("users", given)
    frame = given if isinstance(given, pd.DataFrame) else frame_of(given, features)
    named = features.column in frame.columns
    users = pd.Index(frame[features.column], tupleize_cols=False) if named else frame.index
    side = torch.from_numpy(features.of(frame))
    return users, csr_array((len(users), len(fitted.items)), dtype=np.float32), side


def frame_of(given: Mapping[Any, Mapping[str, Any]], features: SideFeatures) -> pd.DataFrame:
    """A row for each user; a feature that is not given is not known. Raises UsageError for one that the model does not know."""
    names = [trait.name for trait in features.traits]
    for user, row in given.items():
        unknown = [name for name in row if name not in names]
        if unknown:
            raise UsageError(f"user {hints.quoted(user)}: feature {unknown[0]!r}: {hints.did_you_mean(str(unknown[0]), names)}")
    columns = {name: [row.get(name, np.nan) for row in given.values()] for name in names}
    return pd.DataFrame(columns, index=pd.Index(list(given), tupleize_cols=False))
