"""Models side by side: what is measured, left out, shown and refused."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array

from vaehub.errors import UsageError
from vaehub_recommender.closed_form import gram
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.judge import ByEase, ByPopularity, Judged, evaluate, judge, metrics, protocols
from vaehub_recommender.judge.baselines import Ranking
from vaehub_recommender.scores import DenseScores, Scores

USERS, ITEMS = 90, 140


def tastes(users: int, seed: int) -> csr_array:
    """Interactions (U, I) of users who like one of two halves of the items, and popular ones more."""
    rng = np.random.default_rng(seed)
    liked = np.arange(ITEMS) % 2 == rng.integers(0, 2, (users, 1))
    odds = 0.6 / (1 + np.arange(ITEMS) / 20)
    return csr_array((rng.random((users, ITEMS)) < np.where(liked, odds, odds / 6)).astype(np.float32))


def held(users: int, seed: int) -> HeldOut:
    """New users, some of whose items are held out; nothing of the first."""
    x, rng = tastes(users, seed).toarray(), np.random.default_rng(seed)
    out = (x > 0) & (rng.random(x.shape) < 0.3)
    out[0] = False
    return HeldOut(1000 * seed + np.arange(users), csr_array(x * ~out), csr_array(x * out))


def split() -> Split:
    """Others are held out than those to learn from."""
    return Split(np.arange(400), tastes(400, 0), np.arange(ITEMS), held(50, 1), held(USERS, 2), False, 0, ("Users are drawn.",))


def fixed(scores: np.ndarray, batch: int) -> Ranking:
    """A model that says this (U, I), a few rows at a time."""

    def rank(seen: csr_array) -> Iterator[tuple[slice, Scores]]:
        for start in range(0, seen.shape[0], batch):
            rows = slice(start, min(start + batch, seen.shape[0]))
            yield rows, DenseScores(torch.from_numpy(scores[rows]))

    return rank


def noise(batch: int = 40) -> Ranking:
    return fixed(np.random.default_rng(3).random((USERS, ITEMS)).astype(np.float32), batch)


@pytest.fixture(scope="module")
def judged() -> Judged:
    return evaluate({"noise": noise()}, split())


def test_popularity_and_ease_are_always_beside_the_model(judged: Judged) -> None:
    assert judged.models == ["noise", "EASE", "popularity"]
    ndcg = judged.table()["ndcg@100", "mean"]
    assert ndcg["EASE"] > ndcg["popularity"] > ndcg["noise"]
    assert evaluate({}, split()).models == ["EASE", "popularity"]


def test_figures_equal_those_of_dense_matrices(judged: Judged) -> None:
    test = split().test
    scores = np.random.default_rng(3).random((USERS, ITEMS)).astype(np.float32)
    scores[test.history.toarray() > 0] = -1
    expected = metrics(np.argsort(-scores, axis=1, kind="stable"), test.targets)
    pd.testing.assert_frame_equal(judged.scorecards["noise"].users[expected.columns], expected)
    assert judged.table()["ndcg@100", "mean"]["noise"] == pytest.approx(expected["ndcg@100"].mean())
    assert judged.table()["ndcg@100", "se"]["noise"] == pytest.approx(expected["ndcg@100"].std() / np.sqrt(USERS - 1))


def test_ease_ranks_as_its_formula() -> None:
    s = split()
    x = s.train.toarray().astype(float)
    precision = np.linalg.inv(x.T @ x + 200 * np.eye(ITEMS))
    weights = precision / -np.diag(precision)
    np.fill_diagonal(weights, 0)
    ((rows, scores),) = ByEase(gram(s.train), 200.0)(s.test.history)
    assert rows == slice(0, USERS)
    np.testing.assert_allclose(scores.block(0, ITEMS), s.test.history.toarray() @ weights, atol=1e-5)


def test_popularity_counts_users() -> None:
    train = csr_array(np.array([[2.0, 0, 9], [1, 0, 0]], dtype=np.float32))
    ((_, scores),) = ByPopularity(train)(csr_array((2, 3)))
    assert scores.block(0, 3).tolist() == [[2, 0, 1], [2, 0, 1]]


@pytest.mark.parametrize("batch", [1, 7, 90])
def test_batches_change_nothing(judged: Judged, batch: int) -> None:
    again = judge({"noise": noise(batch)}, split().test, split().train)
    pd.testing.assert_frame_equal(again.scorecards["noise"].users, judged.scorecards["noise"].users)
    assert again.scorecards["noise"].times_shown.tolist() == judged.scorecards["noise"].times_shown.tolist()
    assert again.scorecards["noise"].bands["tail"].equals(judged.scorecards["noise"].bands["tail"])


def test_users_with_nothing_held_out_are_counted(judged: Judged) -> None:
    assert judged.left_out == 1
    assert len(judged.history) == USERS - 1
    assert 0 not in judged.scorecards["noise"].users.index
    assert "1 with nothing held out are left out" in judged.lines()[0]


def test_figures_of_the_first_20_places_do_not_depend_on_the_measures(judged: Judged) -> None:
    short = judge({"noise": noise()}, split().test, split().train, ["hit@3"])
    assert short.scorecards["noise"].times_shown.tolist() == judged.scorecards["noise"].times_shown.tolist()
    assert short.scorecards["noise"].users["novelty@20"].equals(judged.scorecards["noise"].users["novelty@20"])


def test_segments_by_history_are_quarters_of_the_users(judged: Judged) -> None:
    table = judged.segments().query("by == 'history' and model == 'EASE' and metric == 'ndcg@100'")
    assert len(table) == 4
    assert table["users"].sum() == USERS - 1
    assert table["users"].between(15, 30).all()
    assert np.average(table["mean"], weights=table["users"]) == pytest.approx(judged.table()["ndcg@100", "mean"]["EASE"])
    assert table["segment"].str.fullmatch(r"\d+–\d+ items").all()


def test_segments_by_popularity_hold_out_one_band_at_a_time(judged: Judged) -> None:
    table = judged.segments().query("by == 'popularity' and metric == 'recall@20'").set_index(["model", "segment"])["mean"]
    head, middle, tail = table["popularity"]
    assert head > middle > tail
    assert table["noise"].max() < head


def test_exposure_says_who_is_shown_what_is_popular(judged: Judged) -> None:
    table = judged.exposure()
    assert table.sum().to_list() == pytest.approx([1, 1, 1])
    head, _, tail = table.to_numpy()
    assert head[2] > head[1] > head[0]
    shown, tail_items = judged.scorecards["noise"].times_shown, judged.items.band == 2
    assert tail[0] == pytest.approx(shown[tail_items].sum() / (20 * (USERS - 1)))


def test_users_of_one_length_are_one_segment() -> None:
    x = csr_array(np.eye(6, dtype=np.float32))
    one = HeldOut(np.arange(6), x, csr_array(np.roll(np.eye(6, dtype=np.float32), 1, 1)))
    table = judge({"popularity": ByPopularity(x)}, one, x).segments().query("by == 'history'")
    assert set(table["segment"]) == {"1 item"}
    assert set(table["users"]) == {6}


def test_differences_are_of_the_first_model_by_default(judged: Judged) -> None:
    table = judged.differences()
    assert table["model"].unique().tolist() == ["noise"]
    assert table["against"].unique().tolist() == ["EASE", "popularity"]
    ease = judged.differences("EASE", "noise").set_index("metric")
    back = table[table["against"] == "EASE"].set_index("metric")
    assert ease["difference"].to_list() == pytest.approx((-back["difference"]).to_list())
    assert ease["low"].to_list() == pytest.approx((-back["high"]).to_list())
    assert ease.loc["ndcg@100", "low"] > 0
    with pytest.raises(UsageError, match="did you mean 'popularity'"):
        judged.differences("EASE", "popular")


def test_lines_say_it_all_on_a_terminal(judged: Judged) -> None:
    text = "\n".join(judged.lines())
    for part in (
        "ndcg@100",
        "coverage@20",
        "EASE",
        "popularity",
        "±",
        "noise minus the others",
        "by history",
        "tail (",
        "penalty",
        "Users are drawn.",
        "Split: no leak found",
        "share of the first 20 places",
    ):
        assert part in text
    assert max(map(len, judged.lines())) < 130
    assert "nan" not in text


def test_json_is_strict_and_complete(judged: Judged) -> None:
    value = json.loads(json.dumps(judged.to_json(), allow_nan=False))
    assert value["users"] == USERS - 1
    assert value["figures"]["EASE"]["coverage@20"]["se"] is None
    assert value["figures"]["EASE"]["ndcg@100"]["mean"] == pytest.approx(judged.table()["ndcg@100", "mean"]["EASE"])
    assert {"model", "against", "metric", "difference", "se", "low", "high"} == set(value["differences"][0])
    assert len(value["segments"]) == len(judged.segments())


def test_figures_under_one_name_each(judged: Judged) -> None:
    figures = judged.figures()
    assert figures["ndcg@100"] == pytest.approx(judged.table()["ndcg@100", "mean"]["noise"])
    assert {"ndcg@100_se", "EASE ndcg@100", "popularity coverage@20"} <= figures.keys()
    assert "coverage@20_se" not in figures
    row = judged.differences(against="EASE").set_index("metric").loc["ndcg@100"]
    assert figures["ndcg@100 minus EASE"] == pytest.approx(row["difference"])
    assert figures["ndcg@100 minus EASE_se"] == pytest.approx(row["se"])
    assert [name for name in figures if " minus " in name] == [
        f"ndcg@100 minus {other}{end}" for other in judged.models[1:] for end in ("", "_se")
    ]
    assert all(isinstance(value, float) for value in figures.values())


def test_penalty_is_the_best_on_validation_users(monkeypatch: pytest.MonkeyPatch) -> None:
    s = split()
    ease, how = protocols.chosen_ease(s.train, s.val)
    means = {p: protocols.mean_ndcg(ByEase(gram(s.train), p), s.val) for p in protocols.PENALTIES}
    assert ease.penalty == max(means, key=means.__getitem__)
    assert "validation" in how
    monkeypatch.setattr(protocols, "SEARCHED_ITEMS", 10)
    assert protocols.chosen_ease(s.train, s.val)[0].penalty == protocols.PENALTY


def test_ease_is_left_out_of_vast_catalogues_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "EASE_ITEMS", 100)
    found = evaluate({"noise": noise()}, split())
    assert found.models == ["noise", "popularity"]
    assert any("EASE is left out: weights between 140 items" in line for line in found.lines())


def test_what_is_tested_beside_what_was_trained_on() -> None:
    s = split()
    assert protocols.tested_share(s, s.test) == pytest.approx(USERS / 400)
    assert protocols.tested_share(replace(s, known_users=True), s.test) == pytest.approx(s.test.targets.nnz / s.train.nnz)


def test_mistakes_are_named() -> None:
    s = split()
    with pytest.raises(UsageError, match="'EASE': a baseline has this name"):
        evaluate({"EASE": noise()}, s)
    with pytest.raises(UsageError, match="'train': nothing is held out"):
        evaluate({"noise": noise()}, s, "train")
    with pytest.raises(UsageError, match="0 models"):
        judge({}, s.test, s.train)
    empty = replace(s.test, targets=csr_array((USERS, ITEMS)))
    with pytest.raises(UsageError, match="0 items held out of 90 users"):
        judge({"noise": noise()}, empty, s.train)
    with pytest.raises(UsageError, match="no measure is called"):
        judge({"noise": noise()}, s.test, s.train, ["precise@3"])
