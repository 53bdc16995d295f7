"""What a recommender says that it is worth."""

import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_recommender.recommender import Recommender


@pytest.mark.parametrize("protocol", ["strong", "random"])
def test_popularity_and_the_linear_model_are_always_beside(recommender, protocol: str) -> None:
    table = recommender.evaluate(protocol).table()
    assert table.index.tolist() == ["model", "EASE", "popularity"]
    assert table["ndcg@100"]["mean"]["model"] > table["ndcg@100"]["mean"]["popularity"]


def test_later_interactions_judge_the_model_itself(recommender, liked) -> None:
    lists = recommender.recommend(k=3)
    told = lists[["user", "item"]].assign(time=pd.Timestamp("2025-01-01"))
    judged = recommender.evaluate(told)
    assert judged.table()["recall@20"]["mean"]["model"] == 1.0
    strangers = pd.DataFrame({"user": ["x", "viewer 0001"], "item": ["Noir film 01", "y"], "time": pd.Timestamp("2025-01-01")})
    mixed = recommender.evaluate(pd.concat([told, strangers, liked[:3]]))
    assert mixed.table().equals(judged.table())
    assert "5 of 455 are of unknown users or items, or known already: left out" in "\n".join(mixed.lines())


def test_interactions_that_are_all_known_judge_nothing(recommender, liked) -> None:
    with pytest.raises(UsageError, match=r"none of the .* interactions is new"):
        recommender.evaluate(liked)


def test_a_protocol_that_does_not_exist(recommender) -> None:
    with pytest.raises(UsageError, match=r"protocol 'strng': did you mean 'strong'\?"):
        recommender.evaluate("strng")


def test_users_of_one_item_each_teach_nothing() -> None:
    frame = pd.DataFrame({"user": [1, 2, 3], "item": ["a", "b", "a"]})
    with pytest.raises(UsageError, match="each of the 3 users has one item"):
        Recommender().fit(frame)


def test_a_recommender_and_its_judgement_say_what_they_are(recommender, liked) -> None:
    text = repr(recommender)
    assert f"users={liked.user.nunique()}" in text
    assert f"interactions={len(liked):,}" in text
    assert "latent=" in text
    assert "<caption>Recommender</caption>" in recommender._repr_html_()
    assert repr(Recommender(latent=3)) == "Recommender(latent=3)"
    judged = recommender.evaluate(recommender.recommend(k=3)[["user", "item"]].assign(time=pd.Timestamp("2025-01-01")))
    assert "model=" in repr(judged)
    assert "recall@20 1.0000" in judged._repr_html_()
