"""Weights of wide scale: the formulas, that the unit does not matter, and that a history counts as the same row of training does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import vaehub
from vaehub.errors import UsageError
from vaehub_recommender.api.linear_update import differing_rows
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


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_a_pair_in_two_tables_are_added_before(dwell, kind):
    model = Recommender(EASE).fit(dwell, weight="seconds", weight_transform=kind)
    user, item, seconds = dwell.iloc[0]
    how, before = model.fitted.log.transform, model.fitted.log.matrix
    log = model.partial_fit(pd.DataFrame({"user": [int(user)], "item": [int(item)], "seconds": [100.0]}), epochs=0).fitted.log
    at = log.users.positions([user])[0], log.items.positions([item])[0]
    assert log.matrix[[at[0]]].toarray()[0, at[1]] == pytest.approx(how(np.array([seconds + 100.0]))[0], rel=1e-6)
    assert differing_rows(before, log.matrix).tolist() == [at[0]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_refit_transforms_what_is_left_as_if_the_rest_had_never_been_there(dwell, kind, tmp_path):
    heavy = dwell.assign(seconds=np.where(dwell["user"] < 20, 1000.0, 1.0) * dwell["seconds"])
    Recommender(EASE).fit(heavy, weight="seconds", weight_transform=kind).save(tmp_path / "dwell")
    found = Recommender.load(tmp_path / "dwell").forget(range(20)).fitted
    never = Recommender(EASE).fit(heavy[heavy["user"] >= 20], weight="seconds", weight_transform=kind).fitted
    assert found.log.transform.unit == pytest.approx(never.log.transform.unit, rel=1e-5)
    assert found.codec.columns.transform.most == pytest.approx(never.log.transform.most, rel=1e-5)
    assert found.log.matrix.toarray() == pytest.approx(never.log.matrix.toarray(), rel=1e-4)


@pytest.mark.filterwarnings("ignore:min_user")
def test_a_refit_asks_for_as_many_interactions_as_the_fit(dwell):
    options = {"weight": "seconds", "weight_transform": "log", "min_item": 15, "min_user": 2}
    gone = dwell["user"].unique()[:20].tolist()
    found = Recommender(EASE).fit(dwell, **options).forget(gone).fitted
    never = Recommender(EASE).fit(dwell[~dwell["user"].isin(gone)], **options).fitted
    assert 2 < len(never.items) < 15
    assert found.items.values.tolist() == never.items.values.tolist()
    assert found.users.values.tolist() == never.users.values.tolist()
    assert found.log.matrix.toarray() == pytest.approx(never.log.matrix.toarray(), rel=1e-5)
