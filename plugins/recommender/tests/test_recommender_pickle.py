"""Copies of a recommender by pickle, in another process, and by scikit-learn."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas as pd
import pytest
from sklearn.base import clone

import vaehub
from vaehub_recommender import Recommender


def lists_of(recommender: Recommender) -> pd.DataFrame:
    """What another process is asked for."""
    return recommender.recommend(["viewer 0001", "viewer 0002"], k=5)


def test_a_fitted_recommender_is_pickled(recommender, network) -> None:
    for fitted in (recommender, network):
        lists_of(fitted)  # one query fills what is kept for the next
        again = pickle.loads(pickle.dumps(fitted))
        assert lists_of(again).equals(lists_of(fitted))


@pytest.mark.slow
def test_a_spawned_process_has_the_same_lists(recommender) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(lists_of, recommender).result().equals(lists_of(recommender))


def test_a_run_of_a_table_is_pickled(tmp_path, liked) -> None:
    liked.to_csv(tmp_path / "likes.csv", index=False)
    run = vaehub.train("recommender_ease", {"domain.path": str(tmp_path / "likes.csv")}, progress=False)
    assert pickle.loads(pickle.dumps(run)).domain.splitting.keywords == run.domain.splitting.keywords


def test_scikit_learn_clones_it(recommender) -> None:
    made = Recommender("ease", **{"train.seed": 3, "decoder.penalty": 20})
    copy = clone(made)
    assert copy is not made
    assert copy.get_params() == made.get_params()
    assert clone(Recommender(time_limit=5)).time_limit == 5
    assert clone(recommender)._model is None


def test_parameters_are_changed_by_name() -> None:
    changed = Recommender("ease", **{"train.seed": 3}).set_params(config="knn", **{"train.seed": 4, "decoder.shrink": 0})
    assert changed.get_params() == {"config": "knn", "time_limit": None, "train.seed": 4, "decoder.shrink": 0}
