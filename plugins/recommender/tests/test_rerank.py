"""Re-ranking: values worked out by hand, combinations, and that lists stay lists."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_recommender.bulk.recommend import recommend
from vaehub_recommender.bulk.request import Request
from vaehub_recommender.example import CONFIG, film_ratings, film_recommender
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.rerank import MMR, Calibration, ItemFacts, PopularityPenalty, Shortlist, choose
from vaehub_recommender.tables import Ids

# three items in the shortlist, relevance 1, 0.9, 0: the first two are alike
SIMILARITY = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.0], [0.0, 0.0, 1.0]])
KINDS = pd.DataFrame({"item": ["a", "b", "c"], "genre": ["drama", "drama", "war|drama"]})
FACTS = ItemFacts(Ids.of(["a", "b", "c"]), np.log([0.5, 0.1, 0.01]), lambda at: SIMILARITY[np.ix_(at, at)], KINDS)


def shortlist(history=(2,), weights=(1.0,)):
    return Shortlist(np.arange(3), np.array([5.0, 4.5, -5.0]), np.array(history), np.array(weights))


def order(*rerankers, of=None, k=3):
    given = of or shortlist()
    return choose(given, [reranker.costs(FACTS)(given) for reranker in rerankers], k).tolist()


def test_relevance_is_the_same_on_every_scale():
    assert shortlist().relevance.tolist() == [1.0, 0.95, 0.0]
    assert Shortlist(np.arange(2), np.zeros(2), np.zeros(0, int), np.zeros(0)).relevance.tolist() == [1, 1]


def test_mmr_by_hand():
    # second place: item 1 has λ .95 - (1 - λ) .8, item 2 has 0: item 1 is better where λ > .8 / 1.75 = .457
    assert order(MMR(0.46)) == [0, 1, 2]
    assert order(MMR(0.45)) == [0, 2, 1]
    assert order(MMR(1.0)) == [0, 1, 2]
    assert order(MMR(0.45), k=1) == [0]


def test_calibration_by_hand():
    # history: c, half war and half drama; a list of a alone: KL = .5 log(.5 / (.99 + .005)) + .5 log(.5 / .005); of c alone: 0
    alone = 0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(0.5 / 0.005)
    given = shortlist()
    cost = Calibration("genre", 0.5).costs(FACTS)(given)
    assert cost.of_next() == pytest.approx([alone, alone, 0.0])
    # a is first where (1 - λ) > λ KL, so up to λ = 1 / (1 + KL)
    edge = 1 / (1 + alone)
    assert order(Calibration("genre", edge - 0.01))[0] == 0
    assert order(Calibration("genre", edge + 0.01))[0] == 2
    cost.choose(2)  # c and a: q = (war 1/4, drama 3/4)
    both = 0.5 * math.log(0.5 / (0.99 * 0.25 + 0.005)) + 0.5 * math.log(0.5 / (0.99 * 0.75 + 0.005))
    assert cost.of_next() == pytest.approx([both, both, 0.0])


def test_the_history_counts_by_its_weights():
    given = shortlist(history=(0, 2), weights=(3.0, 1.0))  # drama 7/8, war 1/8
    cost = Calibration("genre").costs(FACTS)(given)
    expected = 7 / 8 * math.log(7 / 8 / (0.99 + 0.01 * 7 / 8)) + 1 / 8 * math.log(100)
    assert cost.of_next()[0] == pytest.approx(expected)


def test_popularity_by_hand():
    # r - λ log p: 1 + .693 λ, .95 + 2.303 λ, 0 + 4.605 λ: the last is first from λ = 1 / (4.605 - .693) = .2556 on by a, .4126 by b
    assert order(PopularityPenalty(0.0)) == [0, 1, 2]
    assert order(PopularityPenalty(0.1)) == [1, 0, 2]
    assert order(PopularityPenalty(0.3)) == [1, 2, 0]
    assert order(PopularityPenalty(0.42)) == [2, 1, 0]


def test_several_count_together_in_any_order():
    both = [PopularityPenalty(0.1), MMR(0.6)]
    # first b: .95 + .2303; then a: 1 + .0693 - .8 * .6667 = .536, c: .4605
    assert order(*both) == order(*reversed(both)) == [1, 0, 2]
    assert order(PopularityPenalty(0.15), MMR(0.6)) == [1, 2, 0]  # a: 1 + .104 - .533 = .571, c: .691


@pytest.mark.parametrize(
    "reranker", [MMR(0.3), PopularityPenalty(0.5), Calibration("kind", 0.7), [MMR(0.5), PopularityPenalty(0.2)]]
)
def test_lists_are_of_the_shortlist_and_the_same_one_by_one(reranker):
    ratings = film_ratings()
    films = pd.DataFrame({"item": ratings["item"].unique()})
    films["kind"] = films["item"].str.split().str[0]
    recommender = Recommender(CONFIG).fit(ratings, min_rating=4, items=films)
    users = ratings["user"].unique()[:6].tolist()
    lists = recommender.recommend(users, k=4, rerank=reranker)
    both = lists.merge(recommender.recommend(users, k=36), on=["user", "item"])
    assert both["score_x"].equals(both["score_y"])
    assert len(both) == 24
    assert lists.groupby("user")["item"].nunique().eq(4).all()
    assert not lists["item"].equals(recommender.recommend(users, k=4)["item"])
    alone = pd.concat([recommender.recommend([user], k=4, rerank=reranker) for user in users], ignore_index=True)
    assert alone.equals(lists)


def test_a_linear_part_has_similarities_too():
    ease = Recommender(CONFIG | {"decoder": {"name": "ease", "penalty": 20, "base": None}}).fit(film_ratings(), min_rating=4)
    lists = ease.recommend({"new": ["Noir film 01", "War film 01"]}, k=5, rerank=MMR(0.2))
    assert lists["item"].nunique() == 5
    assert lists["item"].tolist() != ease.recommend({"new": ["Noir film 01", "War film 01"]}, k=5)["item"].tolist()


def test_what_is_popular_stays_and_full_users_get_nothing():
    recommender = film_recommender()
    every = recommender.fitted.items.values.tolist()
    asked = {"nobody": [], "full": every, "all but one": every[1:]}
    lists = recommender.recommend(asked, k=3, rerank=[PopularityPenalty(5.0), MMR(0.1)])
    assert lists[lists["user"] == "nobody"].equals(recommender.recommend({"nobody": []}, k=3))
    assert lists.loc[lists["user"] == "all but one", "item"].tolist() == every[:1]
    assert "full" not in set(lists["user"])


def test_what_cannot_be_is_refused():
    recommender = film_recommender()
    numbers = (lambda: MMR(0.0), lambda: MMR(float("nan")), lambda: PopularityPenalty(-1.0), lambda: Calibration("genre", 1.0))
    for make in (*numbers, lambda: MMR("x"), lambda: PopularityPenalty(None), lambda: Calibration("genre", "0.5")):
        with pytest.raises(UsageError, match="give"):
            make()
    with pytest.raises(UsageError, match="nothing else is known of the items"):
        recommender.recommend(k=2, rerank=Calibration("genre"))
    with pytest.raises(UsageError, match=r"'genre'.*no such column"):
        recommender.recommend(k=2, rerank=Calibration("genre", items=pd.DataFrame({"item": ["Noir film 01"]})))
    with pytest.raises(UsageError, match="'mmr' is no re-ranker"):
        recommender.recommend(k=2, rerank=["mmr"])


def test_a_bulk_job_gives_the_lists_of_python(tmp_path):
    recommender = film_recommender()
    recommender.save(tmp_path / "films")
    films = pd.DataFrame({"item": recommender.fitted.items.values})
    films["kind"] = films["item"].str.split().str[0]
    films.to_csv(tmp_path / "films.csv", index=False)
    asked = pd.DataFrame({"user": ["a", "a", "b"], "item": ["Noir film 01", "War film 01", "Noir film 02"]})
    asked.to_csv(tmp_path / "new.csv", index=False)
    request = Request(
        tmp_path / "films", k=4, mmr=0.6, calibrate="kind", calibration=0.3, popularity_penalty=0.1, items=tmp_path / "films.csv"
    )
    recommend(request, tmp_path / "new.csv", tmp_path / "lists.parquet")
    expected = recommender.recommend(asked, k=4, rerank=[PopularityPenalty(0.1), Calibration("kind", 0.3, films), MMR(0.6)])
    assert pd.read_parquet(tmp_path / "lists.parquet")["item"].tolist() == expected["item"].tolist()


@pytest.mark.parametrize("given", [MMR, 3, "MMR", [MMR]])
def test_what_is_no_reranker_is_refused(given):
    with pytest.raises(UsageError, match=r"^rerank: .* is no re-ranker; give one or a list of MMR"):
        film_recommender().recommend({"new": ["Noir film 01"]}, k=1, rerank=given)


@pytest.mark.parametrize("strength", [math.inf, math.nan])
def test_a_penalty_is_finite(strength):
    with pytest.raises(UsageError, match=r"PopularityPenalty: strength=.*: give a finite number"):
        PopularityPenalty(strength)


def test_kinds_of_items_that_no_one_knows_are_refused():
    with pytest.raises(UsageError, match=r"Calibration\('genre'\): the model knows none of the 3 items of the table"):
        order(Calibration("genre", items=KINDS.assign(item=["x", "y", "z"])))
