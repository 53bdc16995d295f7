import pytest
import torch
from torch import nn

from vaehub.base import Batch, Spec, estimate
from vaehub.errors import UsageError
from vaehub.model.likelihoods import Bernoulli, Categorical, DiscretizedLogistic, Multinomial, Normal
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub_images.conv import ConvDecoder, ConvEncoder
from vaehub_images.features import DigitCNN, RandomConv, recognise
from vaehub_images.mnist import MNIST
from vaehub_images.pixelcnn import PixelCNN, Sweep
from vaehub_images.resnet import ResNetDecoder, ResNetEncoder

SMALL = {
    ConvEncoder: {"channels": (4, 6), "hidden": 8},
    ConvDecoder: {"channels": (6, 4), "hidden": 8},
    ResNetEncoder: {"channels": (4, 6), "blocks": 1, "bottleneck": 3, "hidden": 8},
    ResNetDecoder: {"channels": (6, 4), "blocks": 1, "bottleneck": 3, "hidden": 8},
    PixelCNN: {"width": 4, "layers": 3, "kernel": 3, "channels": (6, 4), "hidden": 8},
}
ENCODERS, DECODERS = (ConvEncoder, ResNetEncoder), (ConvDecoder, ResNetDecoder, PixelCNN)
SHAPES = [(1, 8, 8), (3, 7, 5), (2, 1, 3)]


def noisy(module):
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module.eval()


def decoder(cls, spec, likelihood=Bernoulli, **options):
    return noisy(cls(spec, 3, likelihood(spec), **{**SMALL[cls], **options}))


def images(spec, rows=4):
    return torch.randint(max(2, spec.classes), (rows, *spec.shape)).to(torch.long if spec.classes else torch.float32)


def eye(rows, width):
    return torch.eye(width)[torch.arange(rows) % width]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cls", ENCODERS)
def test_encoders_take_any_size_and_read_image_and_condition(cls, shape):
    spec = Spec(shape, cond=2)
    encoder, x = noisy(cls(spec, DiagNormal(3), **SMALL[cls])), images(Spec(shape))
    q = encoder(Batch(x, eye(4, 2)))
    assert (q.batch_shape, q.event_shape) == ((4,), (3,))
    assert not torch.allclose(q.mean, encoder(Batch(1 - x, eye(4, 2))).mean)
    assert not torch.allclose(q.mean, encoder(Batch(x, eye(4, 2).flip(1))).mean)
    with pytest.raises(UsageError, match="cond"):
        encoder(Batch(x))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cls", DECODERS)
@pytest.mark.parametrize(("likelihood", "classes"), [(Bernoulli, 0), (Normal, 0), (Categorical, 4), (DiscretizedLogistic, 4)])
def test_decoders_take_any_size_and_likelihood(cls, shape, likelihood, classes):
    spec = Spec(shape, cond=2, classes=classes)
    network, x, z = decoder(cls, spec, likelihood), images(spec), torch.randn(4, 3)
    log_px = network(z, eye(4, 2)).log_prob(x)
    assert log_px.shape == x.shape
    assert log_px.isfinite().all()
    assert not torch.allclose(log_px, network(-z, eye(4, 2)).log_prob(x))
    assert not torch.allclose(log_px, network(z, eye(4, 2).flip(1)).log_prob(x))
    assert network(z, eye(4, 2)).sample((2,)).shape == (2, *x.shape)


@pytest.mark.parametrize("cls", [*ENCODERS, *DECODERS])
def test_rows_that_are_no_images(cls):
    last = DiagNormal(2) if cls in ENCODERS else Bernoulli(Spec((9,)))
    arguments = (last,) if cls in ENCODERS else (2, last)
    with pytest.raises(UsageError, match="images"):
        cls(Spec((9,)), *arguments)


@pytest.mark.parametrize(
    ("encoder_cls", "decoder_cls"), [(ConvEncoder, ConvDecoder), (ResNetEncoder, ResNetDecoder), (ConvEncoder, PixelCNN)]
)
def test_every_weight_learns(encoder_cls, decoder_cls):
    spec = Spec((2, 6, 6))
    vae = VAE(noisy(encoder_cls(spec, DiagNormal(3), **SMALL[encoder_cls])), decoder(decoder_cls, spec), StandardNormal(spec, 3))
    vae(Batch(images(spec)), 2).elbo.mean().neg().backward()
    assert [name for name, p in vae.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("cls", DECODERS)
def test_no_decoder_mixes_rows(cls):
    spec = Spec((1, 6, 6))
    network, x, z = decoder(cls, spec), images(spec), torch.randn(4, 3)
    whole = network(z).log_prob(x)
    assert torch.allclose(whole[1:3], network(z[1:3]).log_prob(x[1:3]), atol=1e-5)
    assert not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


@pytest.mark.parametrize(("shape", "kernel"), [((1, 5, 6), 3), ((3, 4, 4), 3), ((2, 4, 5), 5)])
def test_pixelcnn_is_causal(shape, kernel):
    """Each element's density reads elements before it in the order (row, column, colour), and no other; it reads the nearest of them."""
    spec = Spec(shape, classes=4)
    network = decoder(PixelCNN, spec, Categorical, kernel=kernel, width=24).double()
    code = network(torch.randn(1, 3).double()).code
    x = images(spec, 1)
    base = network.params(x, code)
    order = [(c, i, j) for i in range(shape[1]) for j in range(shape[2]) for c in range(shape[0])]
    for place, (c, i, j) in enumerate(order):
        other = x.clone()
        other[0, c, i, j] = (x[0, c, i, j] + 2) % 4
        changed = (network.params(other, code) != base).any(1)[0]
        seen = [bool(changed[at]) for at in order]
        assert not any(seen[: place + 1]), (c, i, j)
        assert place + 1 == len(order) or any(seen[place + 1 :]), (c, i, j)
        assert place + 1 == len(order) or order[place + 1][1] != i or seen[place + 1], (c, i, j)


@pytest.mark.parametrize(("shape", "kernel", "classes"), [((1, 6, 5), 3, 0), ((3, 4, 5), 5, 4)])
def test_unrolling_is_teacher_forcing_step_by_step(shape, kernel, classes):
    spec = Spec(shape, classes=classes)
    network = decoder(PixelCNN, spec, Categorical if classes else Bernoulli, kernel=kernel, width=6).double()
    px = network(torch.randn(2, 3).double())
    x = images(spec, 2).double() if not classes else images(spec, 2)
    full, sweep = network.params(x, px.code), Sweep(network, px.code)
    sweep.x = x.clone()
    for row in range(shape[1]):
        sweep.start_row(row)
        for column in range(shape[2]):
            assert torch.allclose(sweep.params(column)[..., 0, 0], full[..., row, column], atol=1e-12)
            sweep.finish(column)


def test_the_mode_is_greedy_and_there_is_no_mean():
    spec = Spec((1, 5, 5), classes=4)
    network = decoder(PixelCNN, spec, Categorical).double()
    px = network(torch.randn(3, 3).double())
    assert torch.equal(px.mode, network.likelihood(network.params(px.mode, px.code)).mode)
    assert torch.equal(estimate(px), px.mode)
    with pytest.raises(NotImplementedError):
        _ = px.mean


def test_pixelcnn_sums_to_one_and_samples_what_it_says():
    spec = Spec((1, 2, 2))
    px = decoder(PixelCNN, spec).double()(torch.randn(1, 3).double())
    every = torch.cartesian_prod(*[torch.arange(2.0)] * 4).view(16, 1, 2, 2).double()
    wide = px.decoder.likelihood(px.decoder.params(every, px.code.expand(16, -1, -1, -1)))
    p = wide.log_prob(every).flatten(1).sum(1).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    torch.manual_seed(0)
    drawn = px.sample((4000,)).view(-1, 4) @ torch.tensor([8.0, 4, 2, 1]).double()
    seen = torch.bincount(drawn.long(), minlength=16) / 4000
    assert (seen - p).abs().max() < 5 * (p * (1 - p) / 4000).sqrt().max()


def test_pixelcnn_refuses_a_law_of_whole_rows():
    spec = Spec((1, 4, 4))
    with pytest.raises(UsageError, match="Multinomial"):
        decoder(PixelCNN, spec, Multinomial)(torch.randn(2, 3)).log_prob(images(spec, 2))


@pytest.mark.parametrize("cls", DECODERS)
def test_bfloat16_gives_densities_in_float32(cls):
    spec = Spec((1, 8, 8))
    network, x, z = decoder(cls, spec), images(spec), torch.randn(4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        log_px = network(z).log_prob(x)
    assert log_px.dtype == torch.float32
    assert log_px.sum().item() == pytest.approx(network(z).log_prob(x).sum().item(), rel=0.1)


def test_digits_are_recognised():
    data = MNIST().data("test")
    x = data[torch.arange(2000)].x
    assert (recognise(x) == data.labels[:2000]).double().mean() >= 0.985


@pytest.mark.parametrize(
    "build", [lambda: DigitCNN(Spec((1, 28, 28))), lambda: RandomConv(Spec((3, 9, 7))), lambda: RandomConv(Spec((11,)))]
)
def test_features_are_fixed_and_differentiable(build):
    network, again = build(), build()
    x = torch.rand(3, *network.spec.shape, requires_grad=True)
    activations = network(x)
    assert len(activations) == 3
    assert all(torch.equal(a, b) for a, b in zip(activations, again(x), strict=True))
    sum(a.square().mean() for a in activations).backward()
    assert x.grad.abs().sum() > 0


def test_digit_features_refuse_other_images():
    with pytest.raises(UsageError, match="random_conv"):
        DigitCNN(Spec((3, 32, 32)))
