"""Weights of wide scale: the formulas, that the unit does not matter, and that a history counts as the same row of training does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import vaehub
from vaehub.errors import UsageError
from vaehub_recommender.example import CONFIG
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.tables import Columns, WeightTransform, interaction_log

EASE = CONFIG | {"decoder": {"name": "ease", "penalty": 5, "base": None}}
KINDS = ["log", "cap", "confidence"]


@pytest.fixture(scope="module")
def dwell():
    """Seconds, most of them few, some of them hours."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 15)) < 0.4)
    return pd.DataFrame({"user": users, "item": items, "seconds": np.exp(rng.normal(3, 2, len(users)))})


def test_formulas_by_hand():
    weights = np.array([1.0, 2.0, 14.0])  # the median is 2
    assert WeightTransform("log").fit(weights)(weights) == pytest.approx([np.log2(1.5), 1, 3])
    assert WeightTransform("cap", percentile=75).fit(weights)(weights) == pytest.approx([0.5, 1, 4])  # the quartile is 8
    assert WeightTransform("confidence", alpha=3).fit(weights)(weights) == pytest.approx([2.5 / 4, 1, 22 / 4])


def test_weights_of_one_pair_are_added_before():
    frame = pd.DataFrame({"user": [1, 1, 2], "item": ["a", "a", "b"], "plays": [3.0, 3.0, 2.0]})
    log = interaction_log(frame, Columns(weight="plays", transform=WeightTransform("log")))
    assert log.transform.unit == 4
    assert log.matrix.toarray() == pytest.approx(np.array([[np.log2(2.5), 0], [0, np.log2(1.5)]]))


@pytest.mark.parametrize("kind", KINDS)
def test_seconds_and_milliseconds_give_the_same_lists(dwell, kind):
    seconds = Recommender(EASE).fit(dwell, weight="seconds", weight_transform=kind).recommend(k=4)
    thousands = dwell.assign(seconds=1024 * dwell["seconds"])
    milliseconds = Recommender(EASE).fit(thousands, weight="seconds", weight_transform=kind).recommend(k=4)
    assert seconds.equals(milliseconds)
    assert not seconds["item"].equals(Recommender(EASE).fit(dwell).recommend(k=4)["item"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_history_is_the_row_of_training_before_and_after_saving(dwell, kind, tmp_path):
    model = Recommender(EASE).fit(dwell, weight="seconds", weight_transform=kind)
    model.save(tmp_path / "dwell")
    again = Recommender.load(tmp_path / "dwell")
    known = model.recommend([0, 1, 2], k=4)
    for one in (model, again):
        assert one.recommend(dwell[dwell["user"] < 3], k=4).equals(known)
    assert again.fitted.codec.columns.transform == model.fitted.log.transform == again.fitted.log.transform
    later = again.partial_fit(pd.DataFrame({"user": [99, 99], "item": [1, 2], "seconds": [20.0, 4000.0]}), epochs=0)
    row = later.fitted.log.matrix[[later.fitted.users.positions([99])[0]]].data
    assert row == pytest.approx(model.fitted.log.transform(np.array([20.0, 4000.0])))
    assert later.evaluate("random").models == ["model", "EASE", "popularity"]


def test_a_run_has_it_by_its_config(dwell, tmp_path):
    dwell.to_csv(tmp_path / "dwell.csv", index=False)
    domain = EASE["domain"] | {
        "path": str(tmp_path / "dwell.csv"),
        "weight": "seconds",
        "weight_transform": "cap",
        "weight_percentile": 80,
    }
    run = vaehub.train(EASE | {"domain": domain}, out=tmp_path / "run", progress=False)
    assert run.codec.columns.transform.most == pytest.approx(np.percentile(dwell["seconds"], 80), rel=1e-6)
    loaded = Recommender.load(tmp_path / "run")
    assert loaded.recommend(dwell[dwell["user"] == 5], k=3).equals(loaded.recommend([5], k=3))


def test_what_cannot_be_is_refused(dwell):
    with pytest.raises(UsageError, match=r"weight_transform='sqrt'"):
        Recommender(EASE).fit(dwell, weight="seconds", weight_transform="sqrt")
    for columns in ({}, {"weight": "seconds", "min_rating": 5}):
        with pytest.raises(UsageError, match="name their column with weight="):
            Recommender(EASE).fit(dwell, weight_transform="log", **columns)
    with pytest.raises(UsageError, match="alpha above 0"):
        WeightTransform("confidence", alpha=0)
    with pytest.raises(UsageError, match="not fitted"):
        WeightTransform("log")(np.ones(1))


@pytest.mark.parametrize("given", [3, ["log"], WeightTransform])
def test_what_is_no_transform_is_refused(given):
    with pytest.raises(UsageError, match=r"^weight_transform: should be one of log, cap, confidence or a WeightTransform, not "):
        WeightTransform.of(given)
