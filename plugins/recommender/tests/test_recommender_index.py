"""Vectors of users and items give the scores of the model, and an index of them its lists."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_recommender.example import CONFIG
from vaehub_recommender.item_index import load_index
from vaehub_recommender.recommender import Recommender

EASE = {**CONFIG, "decoder": {**CONFIG["decoder"], "base": None}}
NETWORK = {**CONFIG, "decoder": {"name": "catalogue", "hidden": [8]}}


@pytest.fixture(scope="module", params=[CONFIG, EASE, NETWORK], ids=["mixture", "linear", "network"])
def model(request, liked: pd.DataFrame) -> Recommender:
    return Recommender(request.param).fit(liked)


def scores(frame: pd.DataFrame) -> pd.Series:
    return frame.set_index(["user", "item"])["score"].sort_index()


def test_inner_products_are_the_scores(model: Recommender) -> None:
    items, users = model.item_embeddings(), model.user_vectors()
    assert items.columns.equals(users.columns)
    products = (users @ items.T).stack()
    expected = scores(model.recommend(k=len(items), exclude_seen=False))
    np.testing.assert_allclose(products.sort_index(), expected, atol=1e-5)


def test_what_an_exported_index_finds_is_the_ranking_of_the_model(model: Recommender, tmp_path) -> None:
    asked = {"new": ["Noir film 01", "War film 02"], "other": ["Noir film 03"]}
    model.export_index(tmp_path / "index")
    found = load_index(tmp_path / "index").search(model.user_vectors(asked), k=9)
    expected = model.recommend(asked, k=9, exclude_seen=False)
    assert found[["user", "item", "rank"]].values.tolist() == expected[["user", "item", "rank"]].values.tolist()
    np.testing.assert_allclose(found["score"], expected["score"], atol=1e-5)


def test_a_short_catalogue_gives_all_it_has(model: Recommender, tmp_path) -> None:
    found = model.export_index(tmp_path / "index").search(model.user_vectors([["Noir film 01"]]), k=10_000)
    assert len(found) == len(model.fitted.items)


def test_ids_come_back_as_they_went_in(liked: pd.DataFrame, tmp_path) -> None:
    numbers = liked.assign(item=liked.item.factorize()[0] + 2**60)
    model = Recommender(EASE).fit(numbers)
    model.export_index(tmp_path / "index")
    found = load_index(tmp_path / "index").search(model.user_vectors(["viewer 0001"]), k=3)
    assert found.item.dtype == np.int64
    assert found.item.min() >= 2**60


def test_an_index_that_cannot_be_read_is_refused(model: Recommender, tmp_path) -> None:
    folder = tmp_path / "index"
    index = model.export_index(folder)
    with pytest.raises(UsageError, match="take both from one model"):
        index.search(model.user_vectors([["Noir film 01"]]).iloc[:, 1:])
    about = json.loads((folder / "items.json").read_text())
    (folder / "items.json").write_text(json.dumps(about | {"format": "vaehub-index/9"}))
    with pytest.raises(UsageError, match="format 'vaehub-index/9'"):
        load_index(folder)
    (folder / "items.json").write_text(json.dumps(about))
    (folder / "vectors.safetensors").write_bytes(b"no")
    with pytest.raises(UsageError, match=r"vectors\.safetensors|damaged"):
        load_index(folder)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.txt"):
        model.export_index(folder)
    with pytest.raises(UsageError, match="kind"):
        model.export_index(tmp_path / "other", kind="annoy")


def test_without_faiss_it_says_how_to_get_it(model: Recommender, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(UsageError, match=r"pip install 'vaehub-recommender\[faiss\]'"):
        model.export_index(tmp_path / "index", kind="faiss")
    assert not (tmp_path / "index").exists()


def test_faiss_finds_nearly_all_of_them(model: Recommender, tmp_path) -> None:
    model.export_index(tmp_path / "index", kind="faiss")
    found = load_index(tmp_path / "index").search(model.user_vectors(), k=10)
    expected = model.recommend(k=10, exclude_seen=False)
    both = found.merge(expected, on=["user", "item"])
    assert len(both) > 0.99 * len(expected)
    np.testing.assert_allclose(both["score_x"], both["score_y"], atol=1e-5)


def test_vectors_come_with_their_users(model: Recommender, tmp_path) -> None:
    index = model.export_index(tmp_path / "index")
    with pytest.raises(UsageError, match=r"^vectors: should be a DataFrame, as Recommender.user_vectors gives it, not ndarray"):
        index.search(model.user_vectors().to_numpy())
