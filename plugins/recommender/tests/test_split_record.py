"""A run keeps its split when its table changes: nobody whom it has learnt from becomes a test user."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import vaehub
from vaehub import UsageError, files
from vaehub_recommender.example import CONFIG
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.split_record import SplitRecord

EASE = {
    **CONFIG,
    "domain": {"name": "recommender", "history": True, "path": "likes.csv", "held_out": 15},
    "decoder": {"name": "ease", "penalty": 20, "base": None},
    "train": {"batch_size": 50, "epochs": 1, "score_rows": 0},
}


def likes(users, items=10, seed=0) -> pd.DataFrame:
    """Users with items that chance gives them."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        [(user, item) for user in users for item in rng.choice(40, items, replace=False)], columns=["user", "item"]
    )


@pytest.fixture
def table(tmp_path, monkeypatch) -> pd.DataFrame:
    """The training table, and a run in the folder `run`."""
    monkeypatch.chdir(tmp_path)
    frame = likes(range(100))
    frame.to_csv("likes.csv", index=False)
    vaehub.train(EASE, out="run", progress=False)
    return frame


def grown(table: pd.DataFrame) -> pd.DataFrame:
    """New users who sort before all others, and new items of those who were there."""
    more = pd.concat([likes(range(-30, 0), seed=1), table, likes(range(0, 100, 2), 4, seed=2)])
    more.to_csv("likes.csv", index=False)
    return more


def test_a_grown_table_leaves_the_judgement_as_it_was(table):
    before = Recommender.load("run").evaluate()
    grown(table)
    with pytest.warns(UserWarning, match=r"likes.csv: the table has changed.*30 of 130 are in no part"):
        after = Recommender.load("run").evaluate()
    assert after.figures() == before.figures()
    assert "30 of 130" in after.notes[-1]


def test_partial_fit_after_growth_is_what_a_fit_of_all_gives(table):
    everything, extra = grown(table), likes([200], seed=3)
    with pytest.warns(UserWarning, match="the table has changed"):
        updated = Recommender.load("run").partial_fit(extra, epochs=0)
    expected = Recommender(EASE).fit(pd.concat([everything, extra]))
    users = [-30, 0, 1, 2, 99, 200]
    scores = [one.recommend(users, k=40, exclude_seen=False).set_index(["user", "item"])["score"] for one in (updated, expected)]
    np.testing.assert_allclose(scores[0], scores[1].loc[scores[0].index], atol=1e-6)


@pytest.mark.parametrize("split", ["random", "strong"])
def test_what_the_linear_part_has_is_known_for_every_split(table, split):
    vaehub.train({**EASE, "domain": {**EASE["domain"], "split": split}}, out="other", progress=False)
    updated = Recommender.load("other").partial_fit(likes([200], seed=3), epochs=0)
    expected = Recommender(EASE).fit(pd.concat([table, likes([200], seed=3)]))
    np.testing.assert_allclose(updated.fitted.run.vae.decoder.weights, expected.fitted.run.vae.decoder.weights, atol=1e-6)


def test_a_saved_recommender_keeps_what_its_linear_part_has(table):
    grown(table)
    with pytest.warns(UserWarning, match="the table has changed"):
        Recommender.load("run").save("saved")
    direct = [Recommender.load("saved").partial_fit(likes([200], seed=3), epochs=0)]
    with pytest.warns(UserWarning, match="the table has changed"):
        direct.append(Recommender.load("run").partial_fit(likes([200], seed=3), epochs=0))
    weights = [one.fitted.run.vae.decoder.weights for one in direct]
    assert bool((weights[0] == weights[1]).all())


def test_a_table_without_users_of_the_split_serves_and_judges_nobody(table):
    table[table.user != 5].to_csv("likes.csv", index=False)
    with pytest.warns(UserWarning, match=r"cannot be judged or updated: likes.csv: 1 of the 100 users"):
        recommender = Recommender.load("run")
    assert len(recommender.recommend(k=1)) == 99
    for refused in (recommender.evaluate, lambda: recommender.partial_fit(table.head()), recommender.fitted.run.evaluate):
        with pytest.raises(UsageError, match=r"1 of the 100 users that the run was split by.*train again"):
            refused()


def test_a_run_without_a_record_says_so(table, tmp_path):
    (tmp_path / "run/split.parquet").unlink()
    weights, header = files.load_model(tmp_path / "run/model.safetensors")
    del header["splits"]
    files.save_model(tmp_path / "run/model.safetensors", weights, header)
    with pytest.warns(UserWarning, match="without a record of its data"):
        assert Recommender.load("run").evaluate().models[0] == "model"


def test_a_model_without_its_record_is_not_judged_by_another_split(table, tmp_path):
    (tmp_path / "run/split.parquet").unlink()
    Recommender.load("run").evaluate()
    grown(table)
    with pytest.warns(UserWarning, match="cannot be judged"):
        recommender = Recommender.load("run")
    with pytest.raises(UsageError, match="the data have changed"):
        recommender.evaluate()


def test_training_goes_on_with_the_recorded_split(table):
    grown(table)
    with pytest.warns(UserWarning, match="the table has changed"):
        run = vaehub.train(EASE, {"train.epochs": 2}, out="run", resume=True, progress=False)
    assert len(run.domain.source.split.users) == 70
    assert len(run.history) == 2


def test_the_record_comes_back_as_it_was_written(table, tmp_path):
    run = vaehub.load("run")
    record, split = SplitRecord.read(tmp_path / "run/split.parquet"), run.domain.source.split
    for mine, other in ((record.split.train, split.train), (record.split.test.targets, split.test.targets)):
        assert (mine != other).nnz == 0
    assert record.users.values.tolist() == list(range(100))
    (tmp_path / "run/split.parquet").write_bytes(b"PAR1nothing")
    with pytest.raises(UsageError, match=r"split\.parquet"):
        SplitRecord.read(tmp_path / "run/split.parquet")
