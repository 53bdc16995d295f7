import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from vaehub import Spec
from vaehub.errors import UsageError
from vaehub_images.codec import ImageCodec
from vaehub_images.digits import Digits
from vaehub_images.mnist import MNIST, static_binary
from vaehub_images.pixels import Pixels, bernoulli_draw, drawn_once, quantise, to_bytes, unit

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def mnist():
    return MNIST(labels=True)


def test_mnist_is_the_published_data(mnist):
    test, train, val = (mnist.data(split) for split in ("test", "train", "val"))
    assert torch.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (len(train), len(val), len(test)) == (50_000, 10_000, 10_000)
    mean = torch.cat([train.pixels, val.pixels]).double().mean() / 255
    assert mean.item() == pytest.approx(0.13066, abs=5e-6)


def test_validation_is_the_end_of_the_training_images(mnist):
    small = MNIST(validation=100)
    assert len(small.data("train")) == 59_900
    assert torch.equal(small.data("val").pixels, mnist.data("val").pixels[-100:])


def test_labels_are_the_condition(mnist):
    batch = mnist.data("test")[torch.tensor([0, 1])]
    assert mnist.codec.spec.cond == 10
    assert batch.cond.argmax(-1).tolist() == mnist.data("test").labels[:2].tolist() == [7, 2]
    assert MNIST().data("test")[torch.tensor([0])].cond is None


def test_grey_pixels_are_in_the_unit_interval(mnist):
    x = mnist.data("test")[torch.arange(100)].x
    assert x.dtype == torch.float32
    assert x.shape == (100, 1, 28, 28)
    assert (x.min(), x.max()) == (0, 1)


def test_coins_have_the_grey_value_as_chance():
    torch.manual_seed(0)
    grey = torch.arange(256, dtype=torch.uint8).repeat(20_000, 1)
    mean, p = bernoulli_draw(grey).double().mean(0), torch.arange(256) / 255
    assert mean[0] == 0
    assert mean[255] == 1
    z = (mean - p)[1:-1] / (p * (1 - p) / 20_000).sqrt()[1:-1]
    assert z.abs().max() < 5
    assert z.square().mean().item() == pytest.approx(1, abs=0.4)


def test_coins_of_neighbours_are_independent():
    torch.manual_seed(0)
    x = bernoulli_draw(torch.full((50_000, 9), 128, dtype=torch.uint8))
    off = torch.corrcoef(x.T) - torch.eye(9)
    assert off.abs().max() < 0.025


def test_dynamic_training_batches_differ_and_evaluation_is_fixed():
    domain, index = MNIST(binarise="dynamic"), torch.arange(50)
    train, test = domain.data("train"), domain.data("test")
    assert not torch.equal(train[index].x, train[index].x)
    assert torch.equal(test[index].x, domain.data("test")[index].x)
    assert set(train[index].x.unique().tolist()) == set(test[index].x.unique().tolist()) == {0.0, 1.0}


def test_fixed_draws_leave_the_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    drawn_once(torch.full((10, 1, 4, 4), 100, dtype=torch.uint8), "x")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("levels", [2, 4, 8, 16, 32, 64, 128, 256])
def test_levels_survive_the_way_to_bytes_and_back(levels):
    x = torch.arange(levels)
    assert torch.equal(quantise(levels)(to_bytes(x, levels)), x)
    assert quantise(levels)(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [0, levels - 1]


def test_grey_survives_the_way_to_numbers_and_back():
    grey = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(unit(grey)), grey)


def test_levels_are_declared(mnist):
    domain = Digits(levels=16)
    x = domain.data("train")[torch.arange(200)].x
    assert domain.codec.spec.classes == 16
    assert (x.dtype, int(x.min()), int(x.max())) == (torch.int64, 0, 15)


def test_binary_levels_are_refused():
    with pytest.raises(UsageError, match="levels=256"):
        MNIST(binarise="dynamic", levels=256)


def test_digits_split_without_overlap():
    domain = Digits()
    sizes = [len(domain.data(split)) for split in SPLITS]
    assert sizes == [1297, 200, 300]
    everything = torch.cat([domain.data(split).pixels for split in SPLITS])[:, 0]
    source = torch.from_numpy(load_digits().images / 16 * 255).round().to(torch.uint8)
    assert sorted(map(bytes, everything.flatten(1).numpy())) == sorted(map(bytes, source.flatten(1).numpy()))
    assert torch.equal(domain.data("test").pixels, Digits().data("test").pixels)


def test_pixels_move_with_their_condition():
    data = Pixels(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 1]), unit, cond=2)
    moved = data.to("cpu")
    assert torch.equal(moved[torch.tensor([1])].cond, data[torch.tensor([1])].cond)
    assert moved.labels is data.labels


@pytest.fixture
def static(tmp_path):
    rng = np.random.default_rng(0)
    bits = {name: rng.integers(0, 2, (rows, 784), np.uint8) for name, rows in (("train", 7), ("valid", 4), ("test", 3))}
    np.savez(tmp_path / "packed.npz", **{name: np.packbits(rows, axis=1) for name, rows in bits.items()})
    for name, rows in bits.items():
        np.savetxt(tmp_path / f"binarized_mnist_{name}.amat", rows, fmt="%d")
    return tmp_path, bits


def test_static_binary_images_from_both_formats(static):
    folder, bits = static
    domain = MNIST(binarise="static", path=str(folder / "packed.npz"))
    for split, name in zip(SPLITS, ("train", "valid", "test"), strict=True):
        x = domain.data(split)[torch.arange(len(bits[name]))].x
        assert torch.equal(x.flatten(1), torch.from_numpy(bits[name]).float())
        assert torch.equal(static_binary(folder)[split][0], domain.data(split).pixels)


def test_static_needs_a_path_and_has_no_labels(static):
    with pytest.raises(UsageError, match=r"domain\.path"):
        MNIST(binarise="static")
    with pytest.raises(UsageError, match=r"domain\.path"):
        MNIST(path="x.npz")
    with pytest.raises(UsageError, match="no labels"):
        _ = MNIST(binarise="static", path=str(static[0] / "packed.npz"), labels=True).codec.spec


@pytest.mark.parametrize("content", ["", "0 1 2", "0 1\n" * 100, "a b c"])
def test_bad_amat_files_are_named(tmp_path, content):
    (tmp_path / "binarized_mnist_train.amat").write_text(content)
    with pytest.raises(UsageError, match=r"binarized_mnist_train\.amat"):
        static_binary(tmp_path)


def test_bad_packed_files_are_named(tmp_path):
    np.savez(tmp_path / "x.npz", train=np.zeros((3, 97), np.uint8))
    with pytest.raises(UsageError, match=r"x\.npz.*\(N, 98\)"):
        static_binary(tmp_path / "x.npz")


def test_a_restored_domain_needs_no_data(mnist):
    domain = MNIST(labels=True)
    domain.codec = ImageCodec.from_json(mnist.codec.spec, mnist.codec.to_json())
    assert domain.codec.condition(["7"]).argmax() == domain.codec.condition([7]).argmax() == 7
    assert "gallery" not in vars(domain)


@pytest.mark.parametrize("values", [["10"], ["-1"], ["seven"], [], ["1", "2"], [1.5]])
def test_bad_conditions(mnist, values):
    with pytest.raises(UsageError, match="--cond"):
        mnist.codec.condition(values)


def test_a_condition_for_an_unconditional_model():
    with pytest.raises(UsageError, match="without labels"):
        Digits().codec.condition(["1"])


@pytest.mark.parametrize("other", ["abc", {"a": 1}, [1], None, ["a"]])
def test_classes_that_are_none_are_refused(other):
    good = {"classes": ["a", "b"], "binarised": False, "depth": None}
    assert list(ImageCodec.from_json(Spec((1, 2, 2), cond=2), good).classes) == ["a", "b"]
    with pytest.raises(ValueError, match=r"valid list|valid string|1 classes"):
        ImageCodec.from_json(Spec((1, 2, 2), cond=2), good | {"classes": other})
