"""The linear part of large catalogues: exact where it reads all items, near it where it reads the nearest, within bounded memory."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array

from vaehub.base import Spec
from vaehub.errors import UsageError
from vaehub_recommender import memory
from vaehub_recommender.closed_form import add_gram, gram, inverse, mean_with_transpose, solve
from vaehub_recommender.domain import Recommendation
from vaehub_recommender.interactions import Interactions
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.implicit import ImplicitMultinomial
from vaehub_recommender.parts.linear_part import WAYS_OUT
from vaehub_recommender.parts.sparse_linear import SparseLinear
from vaehub_recommender.rank import csr_tensor
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.scores import SparseHistoryScores
from vaehub_recommender.sparse_ridge import low_rank, nearest_products, solve_nearest, with_factor

ITEMS = 40
SPEC = Spec((ITEMS,), cond=ITEMS)
ALONE = {
    "domain": {"name": "recommender", "history": True},
    "latent": 1,
    "encoder": {"name": "bag", "hidden": [1]},
    "likelihood": "implicit_multinomial",
    "train": {"epochs": 1, "batch_size": 200, "monitor": "val_ndcg", "score_rows": 0},
}


def likes(users=90, seed=0):
    """Users of four tastes."""
    rng = np.random.default_rng(seed)
    near = np.arange(ITEMS) // 10 == (np.arange(users) % 4)[:, None]
    return csr_array((rng.random((users, ITEMS)) < np.where(near, 0.5, 0.08)).astype(np.float32))


def dense(decoder):
    """B (I, I)."""
    parts = (decoder.values, decoder.columns, decoder.starts)
    return torch.from_numpy(csr_array(tuple(t.numpy() for t in parts), shape=(ITEMS, ITEMS)).toarray())


def fitted(neighbours, **options):
    decoder = SparseLinear(SPEC, 2, ImplicitMultinomial(SPEC), neighbours=neighbours, base=None, **options)
    decoder.initialise(Interactions.of(likes(), history=True))
    return decoder


def test_with_all_items_as_neighbours_it_is_ease():
    exact = Ease(SPEC, 2, ImplicitMultinomial(SPEC), penalty=7.0, dropout=0.3, base=None)
    exact.learn(likes())
    torch.testing.assert_close(dense(fitted(1000, penalty=7.0, dropout=0.3)), exact.weights, atol=1e-5, rtol=1e-4)


def test_each_column_is_the_regression_on_the_nearest_items():
    x = likes().toarray().astype(np.float64)
    products = nearest_products(likes(), 9)
    lengths = np.sqrt((x**2).sum(0))
    cosine = x.T @ x / np.outer(lengths, lengths)
    np.fill_diagonal(cosine, -1)
    near = dense(fitted(9)) != 0
    for item in range(ITEMS):
        assert np.sort(cosine[products.items[item], item]) == pytest.approx(np.sort(cosine[:, item])[-9:])
        assert set(near[:, item].nonzero()[:, 0].tolist()) == set(products.items[item].tolist())
    whole = products.__class__(
        products.diagonal, products.items, products.values, low_rank(likes(), ITEMS)
    )  # so that nothing is left out
    weights = solve_nearest(whole, torch.full((ITEMS,), 3.0))
    for item in (0, 17, 39):
        own = x[:, products.items[item]]
        np.testing.assert_allclose(weights[item], np.linalg.solve(own.T @ own + 3 * np.eye(9), own.T @ x[:, item]), atol=1e-4)


def test_blocks_of_items_change_nothing(monkeypatch):
    whole = dense(fitted(9))
    monkeypatch.setattr("vaehub_recommender.sparse_ridge.CELLS", 3 * ITEMS)
    monkeypatch.setattr("vaehub_recommender.sparse_ridge.LOOKED_UP", 200)
    torch.testing.assert_close(dense(fitted(9)), whole)


def test_where_products_have_no_factor_the_diagonal_grows_until_they_have():
    wrong = torch.tensor([[[1.0, 3.0], [3.0, 1.0]], [[2.0, 1.0], [1.0, 2.0]]])
    factors = with_factor(wrong.clone())
    torch.testing.assert_close(factors @ factors.mT, torch.tensor([[[4.0, 3.0], [3.0, 4.0]], [[2.0, 1.0], [1.0, 2.0]]]))


def test_scores_are_the_product_and_the_same_bits_in_any_batch(monkeypatch):
    decoder, seen = fitted(9), likes(seed=1)
    scores = decoder.linear_scores(csr_tensor(seen))
    whole = scores.block(0, ITEMS)
    torch.testing.assert_close(whole, torch.from_numpy(seen.toarray()) @ dense(decoder))
    assert torch.equal(torch.cat([scores.block(0, 7), scores.block(7, ITEMS)], 1), whole)
    assert torch.equal(scores.at(torch.tensor([5, 0, 39])), whole[:, [5, 0, 39]])
    assert torch.equal(decoder.linear_scores(csr_tensor(seen[4:5])).block(0, ITEMS), whole[4:5])
    assert torch.equal(scores.approximate().block(0, ITEMS), whole[:1])
    monkeypatch.setattr("vaehub_recommender.scores.ADDED", 5)
    assert torch.equal(scores.block(0, ITEMS), whole)


def test_an_empty_history_scores_nothing():
    decoder = fitted(9)
    empty = csr_tensor(csr_array((2, ITEMS), dtype=np.float32))
    assert not SparseHistoryScores(empty, decoder.starts, decoder.columns, decoder.values).block(0, ITEMS).any()


def test_the_weights_to_an_item_are_its_column():
    decoder = fitted(9)
    assert torch.equal(decoder.weights_to(12, torch.arange(ITEMS)), dense(decoder)[:, 12])


@pytest.mark.parametrize("base", [None, {"name": "catalogue", "hidden": []}], ids=["alone", "beside a VAE"])
def test_a_recommender_with_it_is_saved_updated_and_explained(liked, tmp_path, base):
    decoder = {"name": "linear", "exact_items": 5, "neighbours": 8, "penalty": 5, "base": base}
    recommender = Recommender({**ALONE, "decoder": decoder}).fit(liked)
    assert type(recommender.fitted.run.vae.decoder.solved) is SparseLinear
    recommender.save(tmp_path / "films")
    again = Recommender.load(tmp_path / "films")
    assert again.recommend(k=5).equals(recommender.recommend(k=5))
    user, item = again.recommend(k=1).loc[0, ["user", "item"]]
    why = again.explain(user, item, k=100)
    assert why["contribution"].sum() == pytest.approx(why.attrs["score"] - why.attrs["base"], abs=1e-5)
    more = pd.DataFrame({"user": ["new"] * 2, "item": [item, "a new film"], "time": liked["time"].max()})
    again.partial_fit(more, epochs=0)
    assert again.recommend(["new"], k=3)["item"].nunique() == 3
    anew = SparseLinear(
        again.fitted.run.spec, 1, ImplicitMultinomial(again.fitted.run.spec), penalty=5.0, neighbours=8, base=None
    )
    anew.learn(again.fitted.log.matrix)
    for name in SparseLinear.learnt_anew:
        assert torch.equal(getattr(again.fitted.run.vae.decoder.solved, name), getattr(anew, name))


def test_a_catalogue_that_outgrows_the_exact_part_gets_the_sparse_one(liked):
    decoder = {"name": "linear", "exact_items": liked["item"].nunique(), "neighbours": 8, "base": None}
    recommender = Recommender({**ALONE, "decoder": decoder}).fit(liked)
    assert type(recommender.fitted.run.vae.decoder.solved) is Ease
    recommender.partial_fit(pd.DataFrame({"user": ["new"], "item": ["a new film"], "time": liked["time"].max()}), epochs=0)
    assert type(recommender.fitted.run.vae.decoder.solved) is SparseLinear
    assert recommender.fitted.run.vae.decoder.solved.values.any()


def test_what_is_larger_than_memory_is_refused_in_figures_before_it_is_taken(monkeypatch, liked):
    monkeypatch.setattr(memory, "free_memory", lambda: 8e9)
    spec = Spec((50_000,), cond=50_000)
    with pytest.raises(
        UsageError, match=r"50,000 items: takes 10\.0 GB of memory at its peak, and 8\.0 GB are free; leave out rare"
    ):
        Ease(spec, 4, ImplicitMultinomial(spec))
    spec = Spec((30_000,), cond=30_000)
    with pytest.raises(UsageError, match=r"fitting weights between 30,000 items: takes 11\.[23] GB"):
        Ease(spec, 4, ImplicitMultinomial(spec), base=None).learn(csr_array((5, 30_000), dtype=np.float32))
    monkeypatch.setattr(memory, "free_memory", lambda: 1e5)
    with pytest.raises(UsageError, match=r"8 neighbours of 40 items: takes 0\.4 GB"):
        SparseLinear(SPEC, 4, ImplicitMultinomial(SPEC), neighbours=8, base=None).learn(likes())


@pytest.mark.slow
def test_every_way_out_of_a_refusal_exists(monkeypatch, liked):
    for way in ("min_item and min_user", "decoder.name=sparse_linear", "recommender_mult_vae"):
        assert way in WAYS_OUT
    monkeypatch.setattr(memory, "free_memory", lambda: 1e9)  # too little for 10,000 items, enough for those that two have
    rare = pd.DataFrame({"user": np.resize(liked["user"].unique(), 10_000), "item": [f"rare {n}" for n in range(10_000)]})
    frame = pd.concat([liked[["user", "item"]], rare])
    ease = {**ALONE, "decoder": {"name": "ease", "penalty": 5, "base": None}}
    with pytest.raises(UsageError, match="min_item and min_user"):
        Recommender(ease).fit(frame)
    with pytest.warns(UserWarning, match="are left out"):
        Recommender(ease).fit(frame, min_item=2, min_user=2)
    Recommender(ease, **{"decoder.name": "sparse_linear", "decoder.neighbours": 3}).fit(frame)
    Recommender("recommender_mult_vae", **{"train.epochs": 1, "encoder.hidden": [4], "decoder.hidden": [4], "latent": 2}).fit(
        frame
    )


def test_a_table_of_the_command_line_leaves_out_the_rare_too(tmp_path, liked):
    liked.to_csv(tmp_path / "liked.csv", index=False)
    domain = Recommendation(path=str(tmp_path / "liked.csv"), history=True, min_item=20, min_user=5)
    with pytest.warns(UserWarning, match="are left out"):
        train = domain.source.log.matrix
    assert min(train.sum(0)) >= 20
    assert min(train.sum(1)) >= 5


def test_free_memory_is_the_least_of_what_the_system_says(monkeypatch, tmp_path):
    assert 0 < memory.free_memory() < 1e15
    for name, text in (("max", "1000000\n"), ("current", "900000\n"), ("stat", "anon 5\ninactive_file 40000\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    assert memory.free_memory() == 140_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_memory() > 1e7


def test_the_closed_form_is_made_in_the_memory_of_the_products():
    products = gram(likes())
    weights, _ = solve(products, 3.0)
    assert weights.data_ptr() == products.data_ptr()
    matrix = torch.eye(3, dtype=torch.double)
    assert inverse(matrix).data_ptr() == matrix.data_ptr() == add_gram(matrix, csr_array((2, 3))).data_ptr()


@pytest.mark.parametrize("decoder", [Ease, SparseLinear])
def test_the_likelihood_of_rows_some_at_a_time(decoder, monkeypatch):
    likelihood = ImplicitMultinomial(SPEC)
    part = decoder(SPEC, 4, likelihood, penalty=5, base=None)
    part.learn(likes())
    rows = csr_tensor(likes())
    scores = part.linear_scores(rows)
    whole = likelihood.log_density(scores.block(0, ITEMS), rows.to_dense())
    monkeypatch.setattr("vaehub_recommender.scores.BLOCK", 7 * ITEMS)
    torch.testing.assert_close(scores.log_prob(rows, likelihood), whole)


def test_the_mean_with_the_transpose_in_parts(monkeypatch):
    monkeypatch.setattr("vaehub_recommender.closed_form.ROWS", 7)
    matrix = torch.randn(20, 20, dtype=torch.double)
    torch.testing.assert_close(mean_with_transpose(matrix.clone()), (matrix + matrix.T) / 2)
