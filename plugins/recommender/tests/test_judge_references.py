"""The references on real ratings: what EASE and popularity get by the published protocol."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from vaehub_recommender.closed_form import gram
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.judge import ByEase, ByPopularity, Ranking, judge
from vaehub_recommender.splits import strong

DATA = Path(__file__).parents[3].parent / "shared/data"
ML1M, ML100K = "ml1m/interactions.parquet", "ml100k/ratings.parquet"
NAMES = ("ndcg@100", "recall@20", "recall@50")


@cache
def likes(file: str) -> pd.DataFrame:
    """user, item of four stars or more, numbered by their ids, in the order of the file."""
    if not (DATA / file).exists():
        pytest.skip("no data beside the checkout")
    table = pd.read_parquet(DATA / file)
    table = table[table["ge4"] if "ge4" in table else table["rating"] >= 4]
    return pd.DataFrame({name: pd.factorize(table[f"{name}_id"], sort=True)[0] for name in ("user", "item")})


def matrix(pairs: pd.DataFrame, shape: tuple[int, int] | None = None) -> csr_array:
    return csr_array((np.ones(len(pairs)), (pairs["user"], pairs["item"])), shape)


@cache
def split(file: str, users: int) -> Split:
    return strong(matrix(likes(file)), users)


@cache
def models(file: str, users: int) -> dict[str, Ranking]:
    train = split(file, users).train
    return {"EASE": ByEase(gram(train), 500.0), "popularity": ByPopularity(train)}


def in_order_of_the_file(file: str, users: int) -> HeldOut:
    """The test users, of whose items those are held out that the same draws hit in the order of the file instead of the ids'."""
    s, rng = split(file, users), np.random.default_rng(2)
    column = pd.Series(np.arange(len(s.items)), s.items)
    pairs = likes(file).query("user in @s.test.users and item in @s.items")
    pairs = pairs.assign(item=column[pairs["item"]].to_numpy(), user=np.searchsorted(s.test.users, pairs["user"]))
    out = np.zeros(len(pairs), bool)
    for rows in pairs.groupby("user").indices.values():
        out[rows[rng.choice(len(rows), int(0.2 * len(rows)), replace=False)]] = True
    return HeldOut(s.test.users, matrix(pairs[~out], s.test.history.shape), matrix(pairs[out], s.test.history.shape))


def assert_figures(held: HeldOut, file: str, users: int, expected: dict[str, Sequence[float]]) -> None:
    table = judge(models(file, users), held, split(file, users).train, NAMES).table()
    for model, figures in expected.items():
        assert [round(float(table.loc[model, (name, "mean")]), 4) for name in NAMES] == list(figures)


def test_movielens_1m() -> None:
    held = in_order_of_the_file(ML1M, 600)
    assert_figures(held, ML1M, 600, {"EASE": (0.4221, 0.3505, 0.4698), "popularity": (0.2139, 0.1694, 0.2441)})


def test_movielens_1m_by_the_order_of_ids() -> None:
    held = split(ML1M, 600).test
    assert_figures(held, ML1M, 600, {"EASE": (0.4198, 0.3572, 0.4771), "popularity": (0.2202, 0.1761, 0.2439)})


def test_movielens_100k() -> None:
    held = split(ML100K, 100).test
    assert_figures(held, ML100K, 100, {"EASE": (0.4669, 0.4279, 0.5811), "popularity": (0.2938, 0.2032, 0.3483)})
