"""Multilayer perceptrons: shapes, inputs, norms and starting values."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from vaehub.base import Batch, Likelihood, Spec
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Multinomial
from vaehub.model.nets import ACTIVATIONS, NORMS, MLPDecoder, MLPEncoder, mlp
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE

SHAPES = [(5,), (1, 4, 3), (2, 2, 2, 2)]


class Pair(Likelihood):
    """Mean and log scale of every element."""

    @property
    def param_shape(self):
        return (2, *self.spec.shape)

    def forward(self, params):
        return Normal(params[:, 0], params[:, 1].exp())


def rows(spec, n=6, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = (
        torch.randint(0, spec.classes, (n, *spec.shape), generator=g)
        if spec.classes
        else torch.randn(n, *spec.shape, generator=g)
    )
    return Batch(x, torch.randn(n, spec.cond, generator=g) if spec.cond else None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [0, 7])
@pytest.mark.parametrize("cond", [0, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_goes_through(shape, cond, classes, dtype):
    spec = Spec(shape, cond=cond, classes=classes)
    encoder = MLPEncoder(spec, DiagNormal(2), hidden=[8]).to(dtype)
    decoder = MLPDecoder(spec, 2, Pair(spec), hidden=[8]).to(dtype)
    batch = rows(spec)
    q = encoder(batch)
    px = decoder(q.rsample(), batch.cond)
    assert q.mean.dtype == px.mean.dtype == dtype
    assert (q.batch_shape, q.event_shape) == ((6,), (2,))
    assert px.log_prob(batch.x.to(dtype)).shape == (6, *shape)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_option_learns_in_every_parameter(activation, norm, residual):
    torch.manual_seed(0)
    net = mlp(3, 8, 8, 2, activation=activation, norm=norm, dropout=0.2, residual=residual)
    net(torch.randn(64, 3)).square().sum().backward()
    dead = [name for name, p in net.named_parameters() if not p.grad.any()]
    before_batch_norm = {"0.bias", "3.bias", "4.bias", "4.block.0.bias"} if norm == "batch" else set()
    assert set(dead) <= before_batch_norm


@pytest.mark.parametrize(("norm", "layer"), [("layer", nn.LayerNorm), ("batch", nn.BatchNorm1d)])
def test_norm_sits_between_the_linear_layer_and_its_activation(norm, layer):
    kinds = [type(m) for m in mlp(3, 8, 2, norm=norm, activation="relu", dropout=0.1)]
    assert kinds == [nn.Linear, layer, nn.ReLU, nn.Dropout, nn.Linear]


@pytest.mark.parametrize("norm", NORMS)
def test_evaluation_of_a_row_ignores_the_rest_of_the_batch(norm):
    spec = Spec((5,), cond=2)
    encoder = MLPEncoder(spec, DiagNormal(2), hidden=[8, 8], norm=norm, dropout=0.5, residual=True)
    encoder(rows(spec, seed=1))
    encoder.eval()
    batch = rows(spec)
    one = encoder(Batch(*(None if t is None else t[2:3] for t in batch)))
    torch.testing.assert_close(one.mean[0], encoder(batch).mean[2])


def test_dropout_is_noise_in_training_only():
    net, x = mlp(3, 64, 2, dropout=0.5), torch.randn(4, 3)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))


def test_residual_layers_of_equal_width_start_from_the_identity():
    net = mlp(3, 8, 8, 8, 2, residual=True)
    straight = nn.Sequential(net[0], net[1], net[-1])
    for block in net[2:-1]:
        nn.init.zeros_(block.block[0].weight)
    x = torch.randn(4, 3)
    torch.testing.assert_close(net(x), straight(x))
    assert len(net) == 5


def test_no_hidden_layer_is_one_affine_map():
    net = mlp(3, 2)
    x, y = torch.randn(4, 3), torch.randn(4, 3)
    torch.testing.assert_close(net(x) + net(y), net(x + y) + net(torch.zeros(3)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_deep_net_starts_with_signal_that_neither_dies_nor_explodes(activation):
    torch.manual_seed(0)
    net = mlp(256, *[256] * 8, 1, activation=activation)
    last = net[:-1](torch.randn(512, 256))
    assert 0.1 < last.std() < 3


def test_one_hot_and_scaled_levels():
    spec = Spec((2,), classes=5)
    x = torch.tensor([[0, 4], [2, 1]])
    one_hot = MLPEncoder(spec, DiagNormal(1), hidden=[4])
    scaled = MLPEncoder(spec, DiagNormal(1), hidden=[4], levels="scaled")
    assert one_hot.values(x).tolist() == [[1, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0, 1, 0, 0, 0]]
    assert scaled.values(x).tolist() == [[-1, 1], [0, -0.5]]
    assert torch.equal(one_hot.values(x.float()), one_hot.values(x.to(torch.uint8)))


def test_mask_is_an_input_only_where_asked_for():
    spec = Spec((3, 2))
    batch = rows(spec)
    mask = torch.rand(6, 3, 2) > 0.5
    torch.manual_seed(0)
    plain, masked = MLPEncoder(spec, DiagNormal(2), hidden=[8]), MLPEncoder(spec, DiagNormal(2), hidden=[8], mask=True)
    assert torch.equal(plain(batch).mean, plain(batch._replace(mask=mask)).mean)
    assert not torch.allclose(masked(batch).mean, masked(batch._replace(mask=mask)).mean)
    assert torch.equal(masked(batch).mean, masked(batch._replace(mask=torch.ones(6, 3, 2).bool())).mean)
    assert torch.equal(masked.observed(batch._replace(mask=mask[:, :, :1])), mask[:, :, :1].expand(6, 3, 2).flatten(1).float())


def test_condition_is_read_and_required():
    spec = Spec((3,), cond=2)
    encoder, decoder = MLPEncoder(spec, DiagNormal(2), hidden=[8]), MLPDecoder(spec, 2, Pair(spec), hidden=[8])
    batch, z = rows(spec), torch.randn(6, 2)
    assert not torch.allclose(encoder(batch).mean, encoder(batch._replace(cond=batch.cond + 1)).mean)
    assert not torch.allclose(decoder(z, batch.cond).mean, decoder(z, batch.cond + 1).mean)
    with pytest.raises(UsageError, match="2 numbers a row, got 0"):
        decoder(z)
    with pytest.raises(UsageError, match="2 numbers a row, got 4"):
        encoder(batch._replace(cond=torch.zeros(6, 4)))


def test_gaps_in_rows_that_are_one_event_count_as_zero():
    """A multinomial row with a mask over its elements: the hidden counts neither matter nor break the shape of log p(x)."""
    spec = Spec((5,))
    vae = VAE(
        MLPEncoder(spec, DiagNormal(2), hidden=[4]), MLPDecoder(spec, 2, Multinomial(spec), hidden=[4]), StandardNormal(spec, 2)
    )
    x = torch.tensor([[1.0, 0, 2, 3, 4], [2.0, 1, 0, 0, 9]])
    mask = torch.tensor([[True, True, True, True, False]] * 2)
    found = []
    for hidden in (4.0, 9.0):
        torch.manual_seed(0)
        found.append(vae(Batch(torch.where(mask, x, hidden), mask=mask)).log_px)
    assert found[0].shape == (1, 2)
    assert torch.equal(*found)
