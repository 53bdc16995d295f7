"""Explanations: they add up, they are exact where the model is linear, and what is lost without an item where it is not."""

import numpy as np
import pytest

from vaehub import UsageError

USER, ITEM = "viewer 0005", "Noir film 05"
WHOLE = 10**6


def score_of(model, history: list, item: str) -> float:
    lists = model.recommend([history], k=WHOLE, exclude_seen=False)
    return lists[lists.item == item].score.item()


def items_of(liked, user: str = USER) -> list:
    return liked[liked.user == user].item.drop_duplicates().tolist()


@pytest.mark.parametrize("kind", ["recommender", "network"])
def test_contributions_add_up_to_the_score(kind, request) -> None:
    model = request.getfixturevalue(kind)
    parts = model.explain(USER, ITEM, k=WHOLE)
    lists = model.recommend(USER, k=WHOLE, exclude_seen=False)
    assert parts.attrs["score"] == lists[lists.item == ITEM].score.item()
    assert parts.contribution.sum() == pytest.approx(parts.attrs["score"] - parts.attrs["base"], abs=1e-4)
    assert np.allclose(parts.contribution, parts.linear + parts.network)
    assert parts.contribution.is_monotonic_decreasing


def test_the_linear_part_is_exact(recommender, liked) -> None:
    parts = recommender.explain(USER, ITEM, k=WHOLE).set_index("item")
    decoder, ids = recommender.fitted.run.vae.decoder, recommender.fitted.items
    weights = decoder.weights[ids.positions(parts.index), ids.positions([ITEM])[0]]
    assert parts.linear.to_numpy() == pytest.approx((decoder.share * weights).numpy(), rel=1e-6)


def test_the_network_part_is_what_is_lost_and_an_equal_share_of_the_rest(network, liked) -> None:
    parts, items = network.explain(USER, ITEM, k=WHOLE).set_index("item"), items_of(liked)
    whole = score_of(network, items, ITEM)
    lost = np.array([whole - score_of(network, [other for other in items if other != item], ITEM) for item in items])
    rest = parts.network[items].to_numpy() - lost
    assert np.ptp(rest) < 1e-4
    assert (parts.linear == 0).all()


def test_a_list_of_items_is_explained_like_the_user_who_has_them(recommender, liked) -> None:
    mine = recommender.explain(USER, ITEM)
    for given in (items_of(liked), [items_of(liked)], {"me": items_of(liked)}):
        assert recommender.explain(given, ITEM).equals(mine)


def test_k_bounds_the_explanation(recommender) -> None:
    assert len(recommender.explain(USER, ITEM, k=3)) == 3


def test_one_item_carries_all(recommender) -> None:
    (only,) = recommender.explain(["Noir film 01"], ITEM).itertuples()
    assert only.contribution == pytest.approx(
        score_of(recommender, ["Noir film 01"], ITEM) - recommender.explain(USER, ITEM).attrs["base"]
    )


def test_what_cannot_be_explained(recommender) -> None:
    with pytest.raises(UsageError, match="the history is empty"):
        recommender.explain([[]], ITEM)
    with pytest.raises(UsageError, match="item 'x' is unknown to the model, which knows 72"):
        recommender.explain(USER, "x")
    with pytest.raises(UsageError, match="2 users given"):
        recommender.explain({"a": ["Noir film 01"], "b": ["Noir film 02"]}, ITEM)
