"""Measures at any number of places, several splits together, and a frame in which nothing is new."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub.cli.app import main
from vaehub_recommender.example import CONFIG
from vaehub_recommender.judge import compare, metrics
from vaehub_recommender.recommender import Recommender

EASE = {**CONFIG, "decoder": {**CONFIG["decoder"], "base": None}}


@pytest.fixture(scope="module")
def ease(liked: pd.DataFrame) -> Recommender:
    return Recommender(EASE).fit(liked)


def test_measures_at_any_k_are_those_of_the_lists(ease: Recommender, liked: pd.DataFrame) -> None:
    later = pd.DataFrame({"user": ["viewer 0001", "viewer 0002"], "item": ["War film 06", "Noir film 06"]})
    later = later[~later.set_index(["user", "item"]).index.isin(liked.set_index(["user", "item"]).index)]
    judged = ease.evaluate(later, ["recall@7", "ndcg@7", "hit@3"])
    fitted, lists = ease.fitted, ease.recommend(later["user"].tolist(), k=7)
    found = fitted.items.positions(lists["item"]).reshape(len(later), 7)
    cells = range(len(later)), fitted.items.positions(later["item"])
    held = csr_array((np.ones(len(later)), cells), shape=(len(later), len(fitted.items)))
    expected = metrics(found, held, ["recall@7", "ndcg@7", "hit@3"]).mean()
    for name, value in expected.items():
        assert judged.figures()[name] == pytest.approx(value)


def test_the_first_measure_is_compared(ease: Recommender) -> None:
    judged = ease.evaluate("random", ("recall@5", "ndcg@10"))
    assert "recall@5 minus EASE" in judged.figures()
    assert [name for name in judged.table().columns.get_level_values(0).unique() if "@20" not in name] == ["recall@5", "ndcg@10"]


def test_several_splits_are_those_of_one_after_the_other(ease: Recommender, liked: pd.DataFrame) -> None:
    together = ease.evaluate("strong", ["ndcg@10"], splits=3)
    apart = [Recommender(EASE, **{"train.seed": seed}).fit(liked).evaluate("strong", ["ndcg@10"]) for seed in (0, 1, 2)]
    pd.testing.assert_frame_equal(together.differences(), compare(apart).differences())
    assert {"low", "high", "ahead"} <= set(together.differences())
    assert repr(together).startswith("SplitsTogether(splits=3, model=ndcg@10")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["ndcg"]}, "how many places"),
        ({"metrics": ["accuracy@10"]}, "no measure is called 'accuracy'"),
        ({"metrics": []}, "metrics"),
        ({"metrics": [10]}, "metrics"),
        ({"splits": 1}, "splits"),
        ({"splits": "5"}, "splits"),
        ({"protocol": "last", "splits": 3}, "protocol 'last' has one split"),
    ],
)
def test_what_cannot_be_measured_is_refused(ease: Recommender, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ease.evaluate(**options)


def test_a_frame_without_anything_new_says_so(ease: Recommender, liked: pd.DataFrame) -> None:
    odd = pd.DataFrame({"user": ["nobody", "viewer 0001"], "item": ["War film 06", "nothing"]})
    with pytest.raises(UsageError, match="1 are of users whom the model does not know, 1 are with items that it does not know"):
        ease.evaluate(odd)


def test_the_command_takes_both(ease: Recommender, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    copy.copy(ease).save("model")
    assert main(["recommender", "evaluate", "model", "--metrics", "ndcg@10, recall@5", "--splits", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 splits")
    assert lines[2].startswith("ndcg@10")
    assert main(["recommender", "evaluate", "model", "--metrics", "ndgc@10"]) == 2
    assert "did you mean 'ndcg'" in capsys.readouterr().err


def test_more_places_than_items_are_all_items(ease: Recommender) -> None:
    k, items = 10**30, len(ease.fitted.items)
    judged = ease.evaluate("random", [f"ndcg@{k}", f"map@{k}", f"ndcg@{items}", f"map@{items}"]).figures()
    for measure in ("ndcg", "map"):
        assert judged[f"{measure}@{k}"] == judged[f"{measure}@{items}"]
    log = pd.DataFrame({"user": ["viewer 0001"] * 2, "item": ["Noir film 01", "War film 01"], "reward": [1, 0], "share": 0.5})
    estimates = ease.evaluate(log, [f"ips@{k}", f"ips@{items}"], propensity="share").table()
    assert estimates.loc[f"ips@{k}"].equals(estimates.loc[f"ips@{items}"])
