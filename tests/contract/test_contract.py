"""The contract carries mixed rows, z in pieces and objectives that learn: three parts as a stranger would write them, end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

import vaehub
from vaehub import Batch, InMemory, Kind, Model, Spec, TensorData, UsageError
from vaehub.host.registry import registry, use_file
from vaehub.model.likelihoods import Normal as NormalLikelihood
from vaehub.model.likelihoods import PerColumn
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.objectives import ELBO, TCVAE
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import Mixture, StandardNormal
from vaehub.model.vae import VAE, log_likelihood

HERE = Path(__file__).parent
QUICK = {
    "encoder": {"name": "mlp", "hidden": [32]},
    "decoder": {"name": "mlp", "hidden": [32]},
    "optimizer": {"lr": 0.01},
    "train": {"epochs": 15, "batch_size": 64, "score_rows": 0},
}


@pytest.fixture(autouse=True, scope="module")
def parts():
    for name in ("mixed_table", "ladder", "semi_supervised"):
        use_file(HERE / f"{name}.py")


def small_vae(spec: Spec, likelihood=NormalLikelihood) -> VAE:
    return VAE(
        MLPEncoder(spec, DiagNormal(2), hidden=(8,)),
        MLPDecoder(spec, 2, likelihood(spec), hidden=(8,)),
        StandardNormal(spec, 2),
    )


def test_a_mixed_table_with_gaps_trains_saves_and_gives_rows_of_its_kinds(tmp_path):
    config = QUICK | {"domain": "mixed_table", "likelihood": "per_column", "latent": 2}
    config["encoder"] = {"name": "mlp", "hidden": [32], "mask": True}
    run = vaehub.train(config, out=tmp_path / "run", progress=False)
    again = vaehub.load(tmp_path / "run")
    assert again.spec.kinds == run.spec.kinds == (Kind("real"), Kind("count"), Kind("category", 3))
    rows = again.sample(200, noise=True)
    assert set(np.unique(rows[:, 2])) <= {0, 1, 2}
    assert (rows[:, 1] >= 0).all()
    assert (rows[:, 1] == rows[:, 1].round()).all()
    codes, labels = again.encode(again.data("test")), again.data("test").labels.numpy()
    centre = np.array([codes[labels == group].mean(0) for group in (0, 1)])
    nearest = np.linalg.norm(codes[:, None] - centre, axis=-1).argmin(1)
    assert (nearest == labels).mean() > 0.9
    whole = type(again.domain)(gaps=0.0).data("test").rows.x
    mask = torch.rand(whole.shape) < 0.5
    filled = again.reconstruct(TensorData(torch.where(mask, whole, torch.nan), mask=mask))
    assert np.isfinite(filled).all()


def test_the_families_of_columns_are_those_of_their_kinds_each_at_its_place():
    spec = Spec((4,), kinds=(Kind("category", 3), Kind("real"), Kind("category", 3), Kind("real")))
    family = PerColumn(spec)
    params = torch.randn(5, *family.param_shape)
    px = family(params)
    x = torch.tensor([[0.0, 0.5, 2.0, -0.5]] * 5)
    log_px = px.log_prob(x)
    logits = params[:, :6].view(5, 3, 2).log_softmax(1)
    torch.testing.assert_close(log_px[:, 0], logits[:, 0, 0])
    torch.testing.assert_close(log_px[:, 2], logits[:, 2, 1])
    real = NormalLikelihood(Spec((2,)))(params[:, 6:].view(5, 1, 2))
    torch.testing.assert_close(log_px[:, [1, 3]], real.log_prob(x[:, [1, 3]]))
    assert not family.support.check(torch.tensor([3.0, 0.0, 0.0, 0.0])).all()
    assert family.support.check(x).all()
    with pytest.raises(UsageError, match="one kind a column"):
        PerColumn(Spec((4,)))


def test_a_ladder_has_its_kl_free_bits_and_active_units_by_layer(tmp_path):
    config = QUICK | {"domain": "toy", "latent": 4, "encoder": "ladder", "prior": "ladder"}
    config["train"] = QUICK["train"] | {"epochs": 60}
    run = vaehub.train(config, out=tmp_path / "run", progress=False)
    figures = run.evaluate("test", samples=20)
    assert len(figures["kl_per_dim"]) == 2
    assert figures["kl"] == pytest.approx(sum(figures["kl_per_dim"]), rel=1e-6)
    assert min(figures["kl_per_dim"]) > 0
    assert max(figures["kl_per_dim"]) > 1
    assert figures["nll"] < -figures["elbo"] + 1e-6
    terms = run.vae(run.data("val")[torch.arange(8)], samples=3)
    assert terms.kl_per_dim.shape == (8, 2)
    torch.testing.assert_close(terms.kl, (terms.log_qz - terms.log_pz).mean(0))
    assert ELBO(free_bits=100.0)._kl(terms).item() == pytest.approx(400.0)  # 100 nats a dimension, two dimensions a layer


def test_the_head_of_an_objective_is_saved_and_comes_back(tmp_path):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (600,), generator=generator)
    x = torch.randn(600, 4, generator=generator)
    x[:, 0] += 3.0 * labels
    y = torch.nn.functional.one_hot(labels, 2).float()
    y[100:] = torch.nan
    codec = registry().load("domain", "mixed_table").codec_type(Spec((4,), targets=2))
    splits = {"train": TensorData(x[:500], y=y[:500]), "val": TensorData(x[500:], y=y[500:])}
    config = QUICK | {"domain": "mixed_table", "likelihood": "normal", "objective": "semi_supervised", "latent": 2}
    run = vaehub.train(config, out=tmp_path / "run", domain=InMemory(codec, splits), progress=False)
    again = vaehub.load(tmp_path / "run")
    codes = torch.from_numpy(again.encode(x[500:]))
    assert (again.objective.classify(codes) == labels[500:]).float().mean() > 0.85
    assert torch.equal(again.objective.head.weight, run.objective.head.weight)
    again.save(tmp_path / "one.safetensors")
    assert torch.equal(vaehub.load(tmp_path / "one.safetensors").objective.head.weight, run.objective.head.weight)
    assert run.to("meta").objective.head.weight.is_meta  # it follows the model


# What the findings of the first round ask of the arithmetic


def test_a_mask_of_fewer_dimensions_counts_for_every_row():
    x = torch.randn(4, 3, 2)
    x[:, 0, 0] = torch.nan
    mask = torch.ones(3, 2, dtype=torch.bool)
    mask[0, 0] = False
    vae = small_vae(Spec((3, 2)))
    torch.manual_seed(0)
    narrow = vae(Batch(x, mask=mask)).elbo
    torch.manual_seed(0)
    wide = vae(Batch(x, mask=mask.expand(4, 3, 2))).elbo
    assert narrow.isfinite().all()
    assert torch.equal(narrow, wide)
    rows = TensorData(x, mask=mask)[torch.tensor([2, 3])]
    assert rows.mask.shape == (2, 3, 2)


def test_a_mask_that_does_not_fit_is_named():
    with pytest.raises(UsageError, match=r"mask: shape \(5,\) does not broadcast to x of shape \(4, 3\)"):
        _ = Batch(torch.zeros(4, 3), mask=torch.ones(5, dtype=torch.bool)).observed


def test_gaps_are_refused_where_a_row_is_scored_as_one_event():
    px = MultivariateNormal(torch.full((2, 3), 5.0), torch.eye(3))
    mask = torch.tensor([[True, True, False]] * 2)
    with pytest.raises(UsageError, match="cannot leave out cells"):
        log_likelihood(px, Batch(torch.tensor([[5.0, 5, 0]] * 2), mask=mask))
    exact = Independent(Normal(torch.full((2, 3), 5.0), 1.0), 0)
    expected = 2 * Normal(5.0, 1.0).log_prob(torch.tensor(5.0))
    torch.testing.assert_close(log_likelihood(exact, Batch(torch.tensor([[5.0, 5, 0]] * 2), mask=mask)), expected.expand(2))


@pytest.mark.parametrize("prior", [StandardNormal, Mixture])
def test_free_bits_are_nats_a_dimension_whatever_the_prior(prior):
    spec, latent = Spec((4,)), 40
    encoder = MLPEncoder(spec, DiagNormal(latent), hidden=(4,))
    vae = VAE(encoder, MLPDecoder(spec, latent, NormalLikelihood(spec), hidden=(4,)), prior(spec, latent))
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    terms = vae(Batch(torch.randn(16, 4)))
    assert ELBO(free_bits=50.0)._kl(terms).item() == pytest.approx(50.0 * latent)


def test_the_terms_of_tc_vae_are_what_they_are_named_after():
    """Two independent dimensions whose codes say little of the row: exact figures by enumerating all N = B rows."""
    torch.manual_seed(0)
    mean, scale = torch.randn(400, 2), torch.ones(400, 2)
    q = Independent(Normal(mean, scale), 1)
    terms = vaehub.Terms(
        torch.zeros(1, 400), q.rsample((1,)), q, Independent(Normal(torch.zeros(2), 1.0), 1), q, Batch(torch.zeros(400, 1))
    )
    information, correlation, dimensions = TCVAE.decompose(terms, 400)
    pairs = Normal(mean, scale).log_prob(terms.z[0].unsqueeze(1))
    joint = pairs.sum(-1).logsumexp(1) - np.log(400)
    product = (pairs.logsumexp(1) - np.log(400)).sum(-1)
    torch.testing.assert_close(information, (q.log_prob(terms.z[0]) - joint).mean())
    torch.testing.assert_close(correlation, (joint - product).mean())
    torch.testing.assert_close(information + correlation + dimensions, (q.log_prob(terms.z[0]) - terms.log_pz[0]).mean())
    assert abs(float(correlation)) < 0.1
    assert 0 < float(information) < np.log(400)


def test_every_part_is_wired_once_with_the_whole_model():
    shown: list[Model] = []

    class Nosy(NormalLikelihood):
        def wire(self, vae):
            shown.append(vae)

    vae = small_vae(Spec((3,)), Nosy)
    assert shown == [vae]
