"""The parts of the published models do what their papers say."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch.distributions import Normal

from vaehub.base import Batch, Spec, Step
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Bernoulli
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_recommender.closed_form import gram, solve
from vaehub_recommender.interactions import InteractionFacts, Interactions
from vaehub_recommender.parts.bag import BagEncoder
from vaehub_recommender.parts.catalogue import Catalogue
from vaehub_recommender.parts.ease import Ease
from vaehub_recommender.parts.hierarchy import HierarchicalEncoder, HierarchicalVamp, Hierarchy
from vaehub_recommender.parts.implicit import ImplicitGaussian, ImplicitLogistic, ImplicitMultinomial
from vaehub_recommender.parts.narrow import Narrow
from vaehub_recommender.parts.recvae import DenseEncoder, RecVAE, row_totals
from vaehub_recommender.scores import DenseScores, MixedScores, scores_of
from vaehub_recommender.validation import SHARES, best_share, mean_ndcg, ndcg_by_share

ITEMS = 30
SPEC = Spec((ITEMS,))


def likes(users=60, seed=0):
    """Users of two tastes, each with half of the items."""
    rng = np.random.default_rng(seed)
    taste = np.arange(users) % 2
    odds = np.where((np.arange(ITEMS) < ITEMS // 2) == (taste[:, None] == 0), 0.5, 0.05)
    return csr_array((rng.random((users, ITEMS)) < odds).astype(np.float32))


def data(history=False):
    return Interactions.of(likes(), history=history)


def a_vae(decoder, encoder=BagEncoder):
    torch.manual_seed(0)
    return VAE(encoder(SPEC, DiagNormal(4)), decoder, StandardNormal(SPEC, 4))


@pytest.mark.parametrize("penalty", [1.0, 500.0])
def test_ease_is_the_ridge_regression_of_each_item_on_the_others(penalty):
    x = likes().toarray().astype(np.float64)
    weights, diagonal = solve(gram(likes()), penalty)
    for item in range(0, ITEMS, 7):
        others = np.delete(np.arange(ITEMS), item)
        own = x[:, others]
        beta = np.linalg.solve(own.T @ own + penalty * np.eye(ITEMS - 1), own.T @ x[:, item])
        np.testing.assert_allclose(weights[others, item], beta, atol=1e-12)
    assert not weights.diagonal().any()
    inverse = np.linalg.inv(x.T @ x + penalty * np.eye(ITEMS))
    np.testing.assert_allclose(diagonal, inverse.diagonal(), rtol=1e-10)


def test_the_products_of_items_are_computed_in_parts(monkeypatch):
    whole = gram(likes())
    monkeypatch.setattr("vaehub_recommender.closed_form.ROWS", 7)
    assert torch.equal(gram(likes()), whole)
    np.testing.assert_array_equal(whole, likes().toarray().T @ likes().toarray())


def test_ease_needs_the_history():
    decoder = Ease(SPEC, 4, ImplicitMultinomial(SPEC))
    with pytest.raises(UsageError, match=r"domain\.history=true"):
        decoder.initialise(data())
    with pytest.raises(UsageError, match=r"domain\.history=true"):
        Ease(SPEC, 4, ImplicitMultinomial(SPEC), base=None)(torch.zeros(1, 4))


def test_too_many_items_for_ease_are_refused_before_any_memory_is_asked_for():
    spec = Spec((5_000_000,))
    with pytest.raises(UsageError, match=r"5,000,000 items: takes 100000\.0 GB of memory at its peak"):
        Ease(spec, 4, ImplicitMultinomial(spec))


def test_ease_alone_scores_the_history():
    decoder = Ease(SPEC, 4, ImplicitMultinomial(SPEC), base=None)
    decoder.initialise(data(history=True))
    batch = data(history=True)[torch.arange(5)]
    scores = scores_of(decoder(torch.zeros(5, 4), batch.cond)).block(0, ITEMS)
    torch.testing.assert_close(scores, batch.x.to_dense() @ decoder.weights)


def test_the_mixture_adds_the_linear_part_after_training_and_not_before():
    decoder = Ease(SPEC, 4, ImplicitMultinomial(SPEC))
    decoder.initialise(data(history=True))
    batch, z = data(history=True)[torch.arange(5)], torch.randn(5, 4)
    base, training, mixed = (
        scores_of(px).block(0, ITEMS)
        for px in (decoder.base(z, batch.cond), decoder.train()(z, batch.cond), decoder.eval()(z, batch.cond))
    )
    assert torch.equal(training, base)
    torch.testing.assert_close(mixed, base + decoder.share * (batch.x.to_dense() @ decoder.weights))


def test_the_share_is_that_which_ranks_best_for_validation_users():
    decoder = Ease(SPEC, 4, ImplicitMultinomial(SPEC))
    decoder.initialise(data(history=True))
    vae, rows = a_vae(decoder).eval(), data(history=True)
    held = csr_array(likes(seed=1) - likes(seed=1).multiply(likes()))
    held.eliminate_zeros()
    found = {}
    for share in SHARES:
        decoder.share.fill_(share)
        found[share] = mean_ndcg(vae, rows, held)
    best = best_share(vae, rows, held)
    assert found[best] == max(found.values())
    assert max(found.values()) > min(found.values())


def test_shares_are_judged_together_as_one_by_one():
    torch.manual_seed(0)
    seen = data()[torch.arange(60)].x
    first, second = DenseScores(torch.randn(60, ITEMS)), DenseScores(torch.randn(60, ITEMS))
    together = ndcg_by_share(MixedScores(first, second, torch.tensor(1.0)), seen, likes(seed=1))
    assert together.shape == (len(SHARES), (likes(seed=1).sum(1) > 0).sum())


@pytest.mark.parametrize("family", [ImplicitMultinomial, ImplicitLogistic, ImplicitGaussian])
def test_the_bias_starts_where_all_users_are_alike(family):
    likelihood = family(SPEC)
    rows = torch.from_numpy(likes(2000).toarray())
    start = likelihood.popular(rows.sum(0), len(rows)).requires_grad_()
    log_px = likelihood.log_density(start.expand(len(rows), -1), rows).mean()
    (slope,) = torch.autograd.grad(log_px, start)
    assert float(slope.abs().max()) < 0.02


def test_the_catalogue_starts_from_popularity():
    decoder = Catalogue(SPEC, 4, ImplicitMultinomial(SPEC))
    decoder.initialise(data())
    counts = torch.from_numpy(likes().sum(0))
    assert torch.equal(decoder.out.bias.argsort(stable=True), counts.argsort(stable=True))


def test_a_likelihood_that_needs_a_matrix_is_refused():
    with pytest.raises(UsageError, match="bernoulli needs all scores"):
        Catalogue(SPEC, 4, Bernoulli(SPEC))


def test_items_with_features_in_common_start_near_each_other():
    rows = data()
    features = torch.zeros(ITEMS, 3)
    features[:10, 0] = features[10:20, 1] = 1
    rows.facts = InteractionFacts(features)
    encoder = BagEncoder(SPEC, DiagNormal(4), hidden=(64,))
    before = encoder.bag.weight.detach().clone()
    encoder.initialise(rows)
    table = torch.nn.functional.normalize(encoder.bag.weight.detach())
    assert float((table[:10] @ table[:10].T).mean()) > 0.3
    assert abs(float((table[:10] @ table[10:20].T).mean())) < 0.2
    assert torch.equal(encoder.bag.weight[20:], before[20:])
    assert float(encoder.bag.weight.detach().std()) == pytest.approx(float(before.std()), rel=0.2)


def test_the_composite_prior_is_the_mixture_of_the_paper():
    objective, vae = RecVAE(), a_vae(Catalogue(SPEC, 4, ImplicitMultinomial(SPEC)), DenseEncoder)
    objective.wire(vae)
    vae.eval()
    batch, z = data()[torch.arange(5)], torch.randn(1, 5, 4)
    q = vae.encoder(batch).base_dist
    parts = [Normal(0.0, 1.0), q, Normal(0.0, float(np.exp(5.0)))]
    expected = sum(w * p.log_prob(z).exp() for w, p in zip((0.15, 0.75, 0.1), parts, strict=True)).log()
    torch.testing.assert_close(objective.log_prior(z, batch), expected)


def test_the_weight_of_the_divergence_grows_with_the_history():
    objective, vae = RecVAE(gamma=0.01), a_vae(Catalogue(SPEC, 4, ImplicitMultinomial(SPEC)), DenseEncoder).eval()
    objective.wire(vae)
    terms = vae(data()[torch.arange(5)])
    loss, logs = objective(terms, Step())
    divergence = (terms.q.base_dist.log_prob(terms.z) - objective.log_prior(terms.z, terms.batch)).sum(-1).mean(0)
    expected = 0.01 * (row_totals(terms.batch.x) * divergence).mean() - terms.log_px.mean()
    torch.testing.assert_close(loss, expected)
    assert logs["composite_kl"] == pytest.approx(float(divergence.mean().detach()))


def test_encoder_and_decoder_take_turns_and_the_former_encoder_follows():
    objective, vae = RecVAE(encoder_epochs=2, decoder_epochs=1), a_vae(Catalogue(SPEC, 4, ImplicitMultinomial(SPEC)))
    objective.wire(vae)
    turns = []
    for epoch in range(6):
        with torch.no_grad():
            vae.encoder.bag.bias.fill_(epoch)
        objective.prepare(Step(epoch=epoch))
        trained = [any(p.requires_grad for p in part.parameters()) for part in (vae.encoder, vae.decoder)]
        turns.append((*trained, vae.encoder.training, float(objective.former.bag.bias[0].detach())))
    one = [(True, False, True), (True, False, True), (False, True, False)]
    assert [t[:3] for t in turns] == one * 2
    assert [t[3] for t in turns] == [0, 0, 2, 2, 2, 5]


def test_without_turns_both_train_and_the_former_encoder_follows():
    objective, vae = RecVAE(encoder_epochs=2, decoder_epochs=0), a_vae(Catalogue(SPEC, 4, ImplicitMultinomial(SPEC)))
    objective.wire(vae)
    for epoch in range(3):
        with torch.no_grad():
            vae.encoder.bag.bias.fill_(epoch)
        objective.prepare(Step(epoch=epoch))
        assert all(p.requires_grad for p in vae.parameters())
        assert float(objective.former.bag.bias[0].detach()) == (0, 0, 2)[epoch]


def test_three_weights_are_asked_for():
    with pytest.raises(UsageError, match="three numbers, not 2"):
        RecVAE(weights=(0.5, 0.5))


def test_the_narrow_posterior_is_all_but_a_point():
    q = Narrow(4)(torch.ones(2, 4))
    assert float((q.rsample((100,)) - 1).abs().max()) < 0.01


def test_two_layers_draw_the_upper_first():
    upper = torch.distributions.Independent(Normal(torch.full((2,), 50.0), 1.0), 1)
    both = Hierarchy(upper, lambda z2: torch.distributions.Independent(Normal(z2[..., :1] * 2, 1.0), 1), 3)
    z = both.rsample((500,))
    assert z.shape == (500, 3)
    assert float((z[:, 0] - 2 * z[:, 1]).abs().max()) < 6
    torch.testing.assert_close(both.log_prob(z), upper.log_prob(z[:, 1:]) + Normal(2 * z[:, 1], 1.0).log_prob(z[:, 0]))


def test_pseudo_users_are_seen_through_the_upper_half_of_the_encoder():
    encoder = HierarchicalEncoder(SPEC, DiagNormal(5))
    prior = HierarchicalVamp(SPEC, 5, components=6)
    vae = VAE(encoder, Catalogue(SPEC, 5, ImplicitMultinomial(SPEC)), prior)
    prior.initialise(data()[torch.arange(20)])
    terms = vae(data()[torch.arange(8)])
    assert bool(terms.elbo.isfinite().all())
    assert prior().upper.components.mean.shape == (6, 3)
    assert prior().sample((4,)).shape == (4, 5)


def test_pseudo_users_need_normal_halves():
    prior = HierarchicalVamp(SPEC, 4)
    VAE(MLPEncoder(SPEC, DiagNormal(4)), MLPDecoder(SPEC, 4, ImplicitMultinomial(SPEC)), prior)
    assert torch.isfinite(prior().log_prob(torch.zeros(4)))


def test_common_parts_of_the_engine_take_sparse_rows_too():
    spec = Spec((ITEMS,))
    vae = VAE(MLPEncoder(spec, DiagNormal(2)), MLPDecoder(spec, 2, ImplicitMultinomial(spec)), StandardNormal(spec, 2)).eval()
    batch = data()[torch.arange(5)]
    torch.manual_seed(0)
    sparse = vae(batch).log_px
    torch.manual_seed(0)
    torch.testing.assert_close(sparse, vae(Batch(batch.x.to_dense())).log_px)


def test_dropout_in_the_linear_part_is_the_mean_over_inputs_that_are_left_out():
    decoder = Ease(SPEC, 4, ImplicitMultinomial(SPEC), penalty=3.0, dropout=0.4, base=None)
    decoder.initialise(data(history=True))
    x = likes().toarray().astype(np.float64)
    rng = np.random.default_rng(0)
    draws = [x * (rng.random(x.shape) >= 0.4) / 0.6 for _ in range(4000)]
    moments = sum(d.T @ d for d in draws) / len(draws)
    item = 3
    others = np.delete(np.arange(ITEMS), item)
    beta = np.linalg.solve(moments[np.ix_(others, others)] + 3.0 * np.eye(ITEMS - 1), (x.T @ x)[others, item])
    np.testing.assert_allclose(decoder.weights[others, item], beta, atol=0.01)
