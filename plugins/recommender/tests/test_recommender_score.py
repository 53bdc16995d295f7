"""Scores of pairs."""

import pandas as pd
import pytest

from vaehub.errors import UsageError


@pytest.mark.parametrize("column", ["user", "item"])
def test_a_pair_without_an_id_is_named(recommender, column):
    pairs = pd.DataFrame({"user": recommender.fitted.users.values[:3], "item": recommender.fitted.items.values[:3]}).astype(
        object
    )
    assert len(recommender.score(pairs)) == 3
    pairs.loc[1, column] = None
    with pytest.raises(UsageError, match=rf"row 1: column '{column}': None is no id"):
        recommender.score(pairs)
