"""More interactions: exact for the linear part, sensible for the network, and never for the old model."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array, random_array

from vaehub import UsageError
from vaehub_recommender.api.linear_update import ClosedForm, updated_closed_form
from vaehub_recommender.closed_form import gram, solve
from vaehub_recommender.recommender import Recommender

PENALTY = 20.0


def more(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["user", "item"]).assign(time=pd.Timestamp("2025-06-01"))


MORE = more(
    ("viewer 0001", "Noir film 06"), ("viewer 0001", "Sequel"), ("new", "Sequel"), ("new", "Noir film 01"), ("new", "Noir film 02"),
    ("other", "Noir film 01"), ("other", "Prequel"), ("lonely", "Solo"),
)  # fmt: skip


def after(model: Recommender, frame: pd.DataFrame, epochs: int) -> Recommender:
    return copy.copy(model).partial_fit(frame, epochs=epochs)


def drawn(rows: int, items: int, seed: int) -> csr_array:
    return csr_array(random_array((rows, items), density=0.08, rng=np.random.default_rng(seed), dtype=np.float32).ceil())


def fresh_form(rows: np.ndarray, noise: float):
    products = gram(csr_array(rows))
    return solve(products, PENALTY + noise * products.diagonal())


@pytest.mark.parametrize(("rows", "noise"), [(3, 0.0), (60, 0.0), (1, 1.5), (60, 1.5)])
def test_the_closed_form_of_the_union(rows: int, noise: float) -> None:
    """By Woodbury's identity for a few rows, by the inverse for many."""
    rest, old, new = drawn(90, 140, 0), drawn(rows, 140, 1), drawn(rows, 143, 2)
    weights, diagonal = fresh_form(np.vstack([rest.toarray(), old.toarray()]), noise)
    found = updated_closed_form(ClosedForm(weights.float(), diagonal.float(), PENALTY, noise), old, new)
    union = np.vstack([np.pad(rest.toarray(), ((0, 0), (0, 3))), new.toarray()])
    for part, fresh in zip(found, fresh_form(union, noise), strict=True):
        assert torch.allclose(part, fresh, rtol=1e-4, atol=1e-6)


def test_rows_come_and_go_some_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr("vaehub_recommender.api.linear_update.ROWS", 5)
    test_the_closed_form_of_the_union(12, 1.5)


def test_an_update_says_what_it_takes_before_it_takes_it(monkeypatch) -> None:
    monkeypatch.setattr("vaehub_recommender.memory.free_memory", lambda: 1e5)
    closed = ClosedForm(torch.zeros(140, 140), torch.full((140,), 1 / PENALTY), PENALTY)
    with pytest.raises(UsageError, match="weights between 140 items after more interactions: takes"):
        updated_closed_form(closed, drawn(3, 140, 1), drawn(3, 140, 2))


def test_fit_counts_all_users_in_the_linear_part(recommender) -> None:
    decoder = recommender.fitted.run.vae.decoder
    fresh, diagonal = fresh_form(recommender.fitted.log.matrix.toarray(), decoder.noise)
    assert torch.allclose(decoder.weights, fresh.float(), rtol=1e-3, atol=1e-5)
    assert torch.allclose(decoder.diagonal, diagonal.float(), rtol=1e-4)


@pytest.mark.parametrize("epochs", [0, 1])
def test_the_linear_part_is_as_if_all_had_been_there_from_the_start(recommender, liked, epochs: int) -> None:
    model = after(recommender, MORE, epochs)
    union = pd.concat([liked, MORE]).drop_duplicates(["user", "item"])
    items, users = model.fitted.items, model.fitted.users
    matrix = np.zeros((len(users), len(items)))
    matrix[users.positions(union.user), items.positions(union.item)] = 1
    assert (model.fitted.log.matrix.toarray() == matrix).all()
    fresh, _ = fresh_form(matrix, model.fitted.run.vae.decoder.noise)
    assert torch.allclose(model.fitted.run.vae.decoder.weights, fresh.float(), rtol=1e-3, atol=1e-5)


def test_twice_is_as_good_as_once(recommender) -> None:
    twice = after(after(recommender, MORE[:4], 0), MORE[4:], 0)
    once = after(recommender, MORE, 0)
    order = twice.fitted.items.positions(once.fitted.items.values)
    weights = twice.fitted.run.vae.decoder.weights[order][:, order]
    assert torch.allclose(weights, once.fitted.run.vae.decoder.weights, rtol=1e-3, atol=1e-5)


def test_the_old_model_stays_as_it_was(recommender) -> None:
    before = recommender.recommend(k=3)
    after(recommender, MORE, 1)
    pd.testing.assert_frame_equal(recommender.recommend(k=3), before)


def test_known_items_keep_their_scores_until_the_network_is_trained(network) -> None:
    model = after(network, more(("new", "Noir film 01"), ("new", "Sequel")), 0)
    options = {"users": "viewer 0003", "k": 10**6, "exclude_seen": False}
    old, new = (m.recommend(**options).set_index("item").score for m in (network, model))
    assert new[old.index].to_numpy() == pytest.approx(old.to_numpy(), abs=1e-5)
    assert set(new.index) - set(old.index) == {"Sequel"}


def test_a_new_item_is_like_those_that_the_same_users_have(network) -> None:
    pairs = [(f"new {n}", item) for n in range(4) for item in ("Sequel", "Noir film 01", "Noir film 02")]
    model = after(network, more(*pairs), 0)
    out, at = model.fitted.run.vae.decoder.out, model.fitted.items.positions(["Sequel", "Noir film 01", "Noir film 02"])
    weight = out.weight[at]
    assert torch.nn.functional.cosine_similarity(weight[:1], weight[1:]).mean() > 0.5
    assert out.bias[at[0]] < out.bias.median()


def test_new_users_are_served_and_new_items_shown(recommender) -> None:
    model = after(recommender, MORE, 1)
    lists = model.recommend(["new", "other", "lonely"], k=10**6)
    assert set(lists.user) == {"new", "other", "lonely"}
    assert {"Prequel", "Solo"} <= set(lists[lists.user == "new"].item)
    assert "Sequel" not in set(lists[lists.user == "new"].item)
    assert "Sequel" not in set(model.recommend("viewer 0001", k=10**6).item)


def test_weights_add_up_where_they_count(liked) -> None:
    frame = liked.assign(plays=2.0)[["user", "item", "plays"]]
    linear = {"name": "ease", "penalty": PENALTY, "base": None}
    config = {
        "domain": {"name": "recommender", "history": True},
        "encoder": "bag",
        "decoder": linear,
        "likelihood": "implicit_multinomial",
    }
    model = Recommender(config, latent=1, train={"epochs": 1, "score_rows": 0}).fit(frame, weight="plays")
    user, item = frame.user[0], frame.item[0]
    model.partial_fit(pd.DataFrame({"user": [user], "item": [item], "plays": [3.0]}), epochs=0)
    log = model.fitted.log
    assert log.matrix[[log.users.positions([user])[0]]].toarray()[0, log.items.positions([item])[0]] == 5.0
    fresh, _ = solve(gram(log.matrix), PENALTY)
    assert torch.allclose(model.fitted.run.vae.decoder.weights, fresh.float(), rtol=1e-3, atol=1e-5)


def test_epochs_are_counted(recommender) -> None:
    with pytest.raises(UsageError, match="epochs: should be a whole number of at least 0, not -1"):
        copy.copy(recommender).partial_fit(MORE, epochs=-1)
