"""What is computed on sparse rows equals what is computed on the rows written out: densities, gradients, in one block or many."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from torch.nn import functional as F

from vaehub.base import Batch, Spec
from vaehub.model.posteriors import DiagNormal
from vaehub.sparse import dense
from vaehub_recommender.interactions import Interactions, join_condition, side_width, split_condition
from vaehub_recommender.parts import products
from vaehub_recommender.parts.bag import BagEncoder
from vaehub_recommender.parts.implicit import ImplicitGaussian, ImplicitLogistic, ImplicitMultinomial
from vaehub_recommender.parts.recvae import DenseEncoder
from vaehub_recommender.scores import DenseScores, HistoryScores, LinearScores, MixedScores, scores_of

ITEMS, WIDTH = 40, 5
SPEC = Spec((ITEMS,))
FAMILIES = [ImplicitMultinomial(SPEC), ImplicitLogistic(SPEC), ImplicitGaussian(SPEC), ImplicitGaussian(SPEC, confidence=4.0)]


def rows(seed=0, users=7):
    """Weights 0..1 of a fifth of the items; one user has none."""
    rng = torch.Generator().manual_seed(seed)
    x = (torch.rand(users, ITEMS, generator=rng) < 0.2) * torch.rand(users, ITEMS, generator=rng, dtype=torch.double)
    x[3] = 0
    return x


def linear():
    torch.manual_seed(1)
    return [torch.randn(*shape, dtype=torch.double, requires_grad=True) for shape in ((7, WIDTH), (ITEMS, WIDTH), (ITEMS,))]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize(("block", "kept"), [(2**22, 2**26), (50, 2**26), (50, 0)], ids=["one block", "blocks", "again"])
def test_the_density_of_sparse_rows_and_its_gradients(family, block, kept, monkeypatch):
    monkeypatch.setattr(products, "BLOCK", block)
    monkeypatch.setattr(products, "KEPT", kept)
    x, inputs, weight = rows(), linear(), torch.randn(7, dtype=torch.double)
    found = [LinearScores(*inputs).log_prob(layout, family) for layout in (x, x.to_sparse_csr())]
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-11)
    for one, other in zip(*(torch.autograd.grad(f, inputs, weight) for f in found), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


def test_the_multinomial_is_that_of_the_paper_plus_a_constant_of_the_row():
    x, s = (rows() > 0).double(), torch.randn(7, ITEMS, dtype=torch.double)
    paper = (F.log_softmax(s, 1) * x).sum(1)
    torch.testing.assert_close(FAMILIES[0].log_density(s, x) - paper, (x.sum(1) + 1).lgamma())


def test_under_autocast_products_are_rounded_and_sums_are_not():
    x, inputs = rows().float().to_sparse_csr(), [t.detach().float().requires_grad_() for t in linear()]
    exact = LinearScores(*inputs).log_prob(x, FAMILIES[0])
    with torch.autocast("cpu", torch.bfloat16):
        rounded = LinearScores(*inputs).log_prob(x, FAMILIES[0])
    assert rounded.dtype == torch.float32
    assert 0 < float((rounded - exact).abs().max().detach()) < 0.1
    assert all(g.dtype == torch.float32 for g in torch.autograd.grad(rounded.sum(), inputs))


@given(st.integers(0, 50))
def test_a_bag_of_rows_is_the_matrix_product(seed):
    x, table = rows(seed), torch.randn(ITEMS, WIDTH, dtype=torch.double, requires_grad=True)
    sparse, g = x.to_sparse_csr(), torch.randn(7, WIDTH, dtype=torch.double)
    product = products.BagProduct.apply(table, sparse.crow_indices(), sparse.col_indices(), sparse.values())
    torch.testing.assert_close(product, x @ table)
    torch.testing.assert_close(torch.autograd.grad(product, table, g)[0], x.T @ g)


@pytest.mark.parametrize("encoder", [BagEncoder, DenseEncoder])
def test_encoders_read_both_layouts_alike(encoder):
    net, x = encoder(SPEC, DiagNormal(3)).eval(), rows().float()
    torch.testing.assert_close(net(Batch(x)).mean, net(Batch(x.to_sparse_csr())).mean)


def test_dropout_leaves_out_items_and_scales_the_rest():
    net = BagEncoder(SPEC, DiagNormal(3), hidden=(4,), dropout=0.5).train()
    torch.manual_seed(0)
    drawn = torch.stack([net.bag(rows().float().to_sparse_csr(), None) for _ in range(2000)])
    expected = net.eval().bag(rows().float(), None)
    assert float((drawn.mean(0) - expected).abs().max().detach()) < 0.05
    assert float(drawn.std(0).max().detach()) > 0.05


def test_an_empty_history_has_no_direction_and_no_nan():
    net = BagEncoder(SPEC, DiagNormal(3)).eval()
    assert bool(net(Batch(torch.zeros(2, ITEMS).to_sparse_csr())).mean.isfinite().all())


@pytest.mark.parametrize("scores", ["linear", "history", "mixed", "given"])
def test_blocks_and_columns_are_parts_of_all_scores(scores):
    x, (h, weight, bias) = rows(), (t.detach() for t in linear())
    first, second = LinearScores(h, weight, bias), HistoryScores(x.to_sparse_csr(), torch.randn(ITEMS, ITEMS, dtype=torch.double))
    share = torch.tensor(3.0, dtype=torch.double)
    made = {"linear": first, "history": second, "mixed": MixedScores(first, second, share), "given": DenseScores(h @ weight.T)}[
        scores
    ]
    whole = made.block(0, ITEMS)
    torch.testing.assert_close(torch.cat([made.block(start, start + 8) for start in range(0, ITEMS, 8)], 1), whole)
    torch.testing.assert_close(made.at(torch.tensor([5, 0, 39])), whole[:, [5, 0, 39]])
    expected = {"linear": h @ weight.T + bias, "history": x @ second.weights, "given": h @ weight.T}
    expected["mixed"] = expected["linear"] + 3 * expected["history"]
    torch.testing.assert_close(whole, expected[scores])


def test_scores_of_a_distribution_without_any_are_its_mean():
    px = torch.distributions.Independent(torch.distributions.Bernoulli(logits=torch.randn(2, 4)), 1)
    assert torch.equal(scores_of(px).block(0, 4), px.mean)


@pytest.mark.parametrize("side", [0, 3])
def test_what_is_known_of_users_and_their_history_share_a_condition(side):
    given_side = torch.randn(7, side) if side else None
    data = Interactions.of(csr_array(rows().float().numpy()), given_side, history=True)
    batch = data[torch.tensor([4, 3, 0])]
    known, history = split_condition(batch.cond, ITEMS)
    assert torch.equal(dense(history), dense(batch.x))
    assert known is None if given_side is None else torch.equal(known, given_side[[4, 3, 0]])
    assert batch.cond.shape == (3, side + ITEMS)
    for part, sparse in zip(split_condition(dense(batch.cond), ITEMS), (known, history), strict=True):
        assert (part is None) == (sparse is None)
        assert part is None or torch.equal(dense(part), dense(sparse))
    assert side_width(batch.cond.shape[1], ITEMS) == side


def test_a_condition_without_history_is_what_is_known():
    assert split_condition(torch.ones(2, 3), ITEMS)[1] is None
    assert split_condition(None, ITEMS) == (None, None)
    assert side_width(3, ITEMS) == 3


def test_joined_columns_are_sorted():
    cond = join_condition(torch.ones(7, 2), rows().float().to_sparse_csr())
    assert all(torch.equal(c, c.sort().values) for c in cond.col_indices().split(cond.crow_indices().diff().tolist()))


def test_more_interactions_than_32_bits_can_count_are_addressed():
    start = 2**31 + 7
    data = Interactions(torch.tensor([0, start, start + 2]), _Counting(), _Counting(), ITEMS)
    assert len(data) == 2
    batch = data[torch.tensor([1])]
    assert batch.x.crow_indices().tolist() == [0, 2]
    assert batch.x.col_indices().tolist() == [start % ITEMS, (start + 1) % ITEMS]


class _Counting:
    """A tensor of 2^31 entries that is not there: entry n is n modulo the number of items."""

    def __getitem__(self, at):
        return (at % ITEMS).int()


def test_rows_keep_their_order_and_weights():
    x = csr_array(np.array([[0, 2, 0], [1, 0, 3]], np.float32))
    data = Interactions.of(x)
    assert dense(data[torch.tensor([1, 0, 1])].x).tolist() == [[1, 0, 3], [0, 2, 0], [1, 0, 3]]
    assert data.popularity().tolist() == [1, 1, 1]
    assert (data.matrix() != x).nnz == 0


@pytest.mark.parametrize("kind", ["linear", "history", "mixed", "given"])
def test_quick_scores_are_those_of_the_first_row(kind):
    x, (h, weight, bias) = rows().float(), (t.detach().float() for t in linear())
    first, second = LinearScores(h, weight, bias), HistoryScores(x.to_sparse_csr(), torch.randn(ITEMS, ITEMS))
    made = {
        "linear": first,
        "history": second,
        "mixed": MixedScores(first, second, torch.tensor(3.0)),
        "given": DenseScores(h @ weight.T),
    }
    approximate = made[kind].approximate()
    assert (approximate.rows, approximate.items) == (1, ITEMS)
    torch.testing.assert_close(approximate.block(0, ITEMS), made[kind].block(0, ITEMS)[:1], rtol=1e-5, atol=1e-5)


def test_many_histories_are_summed_in_the_cache_to_the_same_bits(monkeypatch):
    weights, x = torch.randn(ITEMS, ITEMS), rows(users=30).float().to_sparse_csr()
    monkeypatch.setattr("vaehub_recommender.scores.CACHED", 7)
    narrow = HistoryScores(x, weights).block(0, ITEMS)
    monkeypatch.setattr("vaehub_recommender.scores.CACHED", ITEMS)
    assert torch.equal(narrow, HistoryScores(x, weights).block(0, ITEMS))
