"""The nearest items of every item."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from vaehub_recommender import Recommender
from vaehub_recommender.parts import item_knn
from vaehub_recommender.parts.item_knn import nearest


@pytest.fixture(scope="module")
def knn(liked) -> Recommender:
    return Recommender("knn", **{"decoder.neighbours": 10}).fit(liked)


@pytest.mark.parametrize("shrink", [0.0, 10.0])
@pytest.mark.parametrize("rows", [7, 1000])
def test_weights_are_the_greatest_cosines_of_every_column(monkeypatch, shrink, rows) -> None:
    monkeypatch.setattr(item_knn, "ROWS", rows)
    x = np.random.default_rng(0).integers(0, 3, (40, 20)).astype(np.float32)
    x[:, 3] = 0
    length = np.linalg.norm(x, axis=0)
    cosine = (x.T @ x) / np.maximum(np.outer(length, length) + shrink, 1e-12)
    np.fill_diagonal(cosine, 0)
    found = nearest(csr_array(x), 8, shrink).weights(5).toarray()
    np.testing.assert_allclose(found[found > 0], cosine[found > 0], rtol=1e-5)
    np.testing.assert_allclose(np.sort(found, 0)[-5:], np.sort(cosine, 0)[-5:], rtol=1e-5)


def test_fold_in_is_the_training_row_and_files_keep_it(knn, liked, tmp_path) -> None:
    users = knn.fitted.users.values[:5].tolist()
    own = liked[liked.user.isin(users)]
    columns = ["item", "rank", "score"]
    assert knn.recommend(own, k=9)[columns].equals(knn.recommend(users, k=9)[columns])
    knn.save(tmp_path / "knn")
    assert Recommender.load(tmp_path / "knn").recommend(k=9).equals(knn.recommend(k=9))


def test_explanations_are_the_sum_itself(knn, liked) -> None:
    user = liked.user.iloc[0]
    item = knn.recommend(user, k=1)["item"][0]
    why = knn.explain(user, item, k=10**6)
    assert why["linear"].sum() == pytest.approx(why.attrs["score"] - why.attrs["base"], abs=1e-6)
    assert why["network"].abs().max() < 1e-6


def test_more_data_make_the_neighbours_of_all_data(liked) -> None:
    later = liked.user.isin(liked.user.unique()[:30]) | (liked.item == liked.item.iloc[0])
    grown = Recommender("knn").fit(liked[~later]).partial_fit(liked[later], epochs=0)
    whole = Recommender("knn").fit(liked)
    at = grown.fitted.items.positions(whole.fitted.items.values)
    found = grown.fitted.run.vae.decoder.weights[at][:, at]
    assert (found - whole.fitted.run.vae.decoder.weights).abs().max() < 1e-6


def test_beside_ease_both_parts_are_linear(liked) -> None:
    options = {"decoder": {"name": "ease", "penalty": 20, "base": {"name": "item_knn", "neighbours": 10, "base": None}}}
    both = Recommender("ease", **options).fit(liked)
    user = liked.user.iloc[0]
    why = both.explain(user, both.recommend(user, k=1)["item"][0], k=10**6)
    assert why["linear"].sum() == pytest.approx(why.attrs["score"] - why.attrs["base"], rel=1e-5)
    assert both.fitted.run.vae.decoder.is_linear


def test_beside_a_network_the_share_is_chosen_on_validation_users(liked) -> None:
    base = {"name": "catalogue", "hidden": []}
    decoder = {"name": "item_knn", "neighbours": 10, "base": base}
    mixed = Recommender("knn", **{"decoder": decoder, "latent": 4, "train.epochs": 2}).fit(liked)
    assert not mixed.fitted.run.vae.decoder.is_linear
    user = liked.user.iloc[0]
    why = mixed.explain(user, mixed.recommend(user, k=1)["item"][0], k=10**6)
    assert why["contribution"].sum() == pytest.approx(why.attrs["score"] - why.attrs["base"], rel=1e-4)
    assert why["network"].abs().max() > 1e-6
