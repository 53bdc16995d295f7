"""Networks that read and write strings: the law they state is the law they draw from, and it can be differentiated."""

import pytest
import torch

from vaehub.base import Batch, Spec, Step
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Categorical
from vaehub.model.objectives import ELBO
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_molecules.parts.autoregressive import until_end
from vaehub_molecules.parts.gru import GRUDecoder, GRUEncoder
from vaehub_molecules.parts.predictive import Predictive
from vaehub_molecules.parts.relaxed import gumbel, relaxed
from vaehub_molecules.parts.transformer import TransformerDecoder, TransformerEncoder

SPEC = Spec((7,), classes=5)
WRITERS, READERS = (GRUDecoder, TransformerDecoder), (GRUEncoder, TransformerEncoder)
SMALL = {GRUDecoder: {"width": 12, "embedding": 6}, GRUEncoder: {"width": 12, "embedding": 6}}


def writer(cls, spec=SPEC, **options):
    small = SMALL.get(cls, {"width": 12, "heads": 2, "layers": 2})
    net = cls(spec, 3, Categorical(spec), **{**small, **options}).eval()
    with torch.no_grad():
        net.out.weight.mul_(4)
    return net


def vae(encoder_cls, writer_cls, spec=SPEC):
    encoder = encoder_cls(spec, DiagNormal(3), **SMALL.get(encoder_cls, {"width": 12, "heads": 2, "layers": 2}))
    return VAE(encoder, writer(writer_cls, spec), StandardNormal(spec, 3))


def every_string(length, classes):
    """All rows that end in END for good."""
    rows = torch.cartesian_prod(*[torch.arange(classes)] * length)
    later = (rows == 0).cumsum(1).bool()
    return rows[~(later & (rows != 0)).any(1)]


@pytest.mark.parametrize("cls", WRITERS)
def test_probabilities_of_all_strings_sum_to_one(cls):
    spec = Spec((4,), classes=3)
    x = every_string(4, 3)
    assert len(x) == 31
    log_px = writer(cls, spec)(torch.randn(1, 3).expand(len(x), -1)).log_prob(x).sum(1)
    assert log_px.logsumexp(0).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("cls", WRITERS)
def test_strings_are_drawn_as_often_as_their_probability_says(cls):
    spec = Spec((3,), classes=3)
    net, z, n = writer(cls, spec), torch.randn(1, 3), 20_000
    drawn, counts = net(z).sample((n,))[:, 0].unique(dim=0, return_counts=True)
    chance = net(z.expand(len(drawn), -1)).log_prob(drawn).sum(1).exp()
    error = (chance * (1 - chance) / n).sqrt()
    assert ((counts / n - chance).abs() < 5 * error + 1e-4).all()


@pytest.mark.parametrize("cls", WRITERS)
def test_the_mode_is_the_likeliest_symbol_after_those_before(cls):
    net, z = writer(cls), torch.randn(9, 3)
    mode = net(z).mode
    best = net.logits(net.features(net.shifted_embeddings(mode), z)).argmax(-1)
    assert (best == mode)[until_end(mode)].all()


@pytest.mark.parametrize("cls", WRITERS)
def test_rows_do_not_depend_on_their_neighbours(cls):
    net, z = writer(cls), torch.randn(20, 3)
    x = net(z).mode
    alone = torch.cat([net(row[None]).mode for row in z])
    assert torch.equal(x, alone)
    parts = torch.cat([net(z[i : i + 1]).log_prob(x[i : i + 1]) for i in range(20)])
    assert torch.allclose(net(z).log_prob(x), parts, atol=1e-5)


@pytest.mark.parametrize("cls", WRITERS)
def test_a_cold_relaxed_string_is_the_mode_and_has_a_slope(cls):
    net, z = writer(cls), torch.randn(6, 3, requires_grad=True)
    none = torch.zeros(6, 7, 5)
    soft = relaxed(net, z, tau=0.01, hard=True, noise=none)
    assert torch.equal(soft.argmax(-1), net(z).mode)
    assert torch.allclose(soft.sum(-1), torch.ones(6, 7), atol=1e-5)
    (slope,) = torch.autograd.grad(relaxed(net, z, tau=1.0, noise=none)[..., 1].sum(), z)
    assert slope.abs().sum() > 0


@pytest.mark.parametrize("cls", WRITERS)
def test_the_slope_of_a_relaxed_string_is_that_of_finite_differences(cls):
    net, z = writer(cls).double(), torch.randn(1, 3, dtype=torch.double)
    noise = gumbel(torch.zeros(1, 7, 5, dtype=torch.double))
    weights = torch.randn(7, 5, dtype=torch.double)
    assert torch.autograd.gradcheck(lambda at: (relaxed(net, at, 1.0, False, noise) * weights).sum(), z.requires_grad_())


def test_after_the_end_a_relaxed_string_stays_ended():
    net = writer(GRUDecoder)
    with torch.no_grad():
        net.out.bias[0] += 50
    soft = relaxed(net, torch.randn(3, 3), tau=0.5)
    assert torch.allclose(soft[..., 0], torch.ones(3, 7))


@pytest.mark.parametrize("cls", READERS)
def test_encoders_read_nothing_after_the_end(cls):
    net = cls(SPEC, DiagNormal(3), **SMALL.get(cls, {"width": 12, "heads": 2, "layers": 2})).eval()
    x = torch.tensor([[1, 2, 0, 0, 0, 0, 0], [3, 1, 4, 2, 1, 1, 2]])
    noisy = x.clone()
    noisy[0, 3:] = torch.tensor([4, 2, 1, 3])
    assert torch.allclose(net(Batch(x)).mean, net(Batch(noisy)).mean, atol=1e-6)
    assert torch.allclose(net(Batch(x)).mean[:1], net(Batch(x[:1])).mean, atol=1e-5)
    assert not torch.allclose(net(Batch(x)).mean[1], net(Batch(x.flip(1))).mean[1])


@pytest.mark.parametrize("cls", [*WRITERS, *READERS])
def test_rows_that_are_no_strings(cls):
    last = DiagNormal(2) if cls in READERS else Categorical(Spec((3, 3), classes=4))
    with pytest.raises(UsageError, match="rows of symbols"):
        cls(Spec((3, 3), classes=4), last) if cls in READERS else cls(Spec((3, 3), classes=4), 2, last)


@pytest.mark.parametrize("cls", [TransformerDecoder, TransformerEncoder])
def test_heads_that_do_not_share_the_width(cls):
    with pytest.raises(UsageError, match="multiple of heads"):
        cls(SPEC, DiagNormal(2), width=10, heads=4) if cls in READERS else writer(cls, width=10, heads=4)


@pytest.mark.parametrize(("encoder", "decoder"), list(zip(READERS, WRITERS, strict=True)))
def test_every_weight_learns_with_the_heads(encoder, decoder):
    spec = Spec((7,), cond=2, classes=5, targets=2)
    model, objective = vae(encoder, decoder, spec), Predictive(base=lambda: ELBO(), share=0.5)
    objective.wire(model)
    x = every_string(7, 5)[::997]
    y = torch.randn(len(x), 2)
    y[0, 0] = torch.nan
    loss, logs = objective(model(Batch(x, torch.randn(len(x), 2), None, y)), Step())
    loss.backward()
    assert loss.isfinite()
    assert logs["property_error"].isfinite()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_heads_are_wanted_but_there_is_nothing_to_predict():
    with pytest.raises(UsageError, match=r"domain\.properties"):
        Predictive(base=lambda: ELBO()).wire(vae(GRUEncoder, GRUDecoder))


def test_the_temperature_falls_geometrically():
    objective = Predictive(base=lambda: ELBO(), hot=1.0, cold=0.25, cooling=4)
    assert [objective.tau(epoch) for epoch in (0, 2, 4, 9)] == pytest.approx([1, 0.5, 0.25, 0.25])


@pytest.mark.parametrize("cls", WRITERS)
def test_word_dropout_hides_symbols_in_training_only(cls):
    net, x = writer(cls, word_dropout=0.9), torch.tensor([[1, 2, 3, 4, 1, 2, 3]])
    assert torch.equal(net.shifted_embeddings(x), net.shifted_embeddings(x))
    assert (net.train().shifted_embeddings(x) == 0).all(-1).any()
