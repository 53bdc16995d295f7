import numpy as np
import pytest
import torch
from PIL import Image

import vaehub
from vaehub.evaluation.judge import judge_of_run
from vaehub_images.figures import plane_of, spread
from vaehub_images.files import tiled
from vaehub_images.metrics import recognised

ALWAYS = ["Latent space", "Manifold", "Reconstructions", "Interpolations"]


def trained(folder, **changes):
    config = {
        "domain": {"name": "digits"},
        "latent": 2,
        "encoder": {"name": "mlp", "hidden": [32]},
        "decoder": {"name": "mlp", "hidden": [32]},
        "train": {"epochs": 1, "batch_size": 256},
        **changes,
    }
    return vaehub.train(config, out=folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "plain")


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    changes = {"domain": {"name": "digits", "labels": True, "levels": 16}, "latent": 5, "likelihood": "categorical"}
    return trained(tmp_path_factory.mktemp("runs") / "conditional", **changes)


@pytest.mark.parametrize(("name", "own"), [("plain", "Samples"), ("conditional", "Samples by class")])
def test_the_picture_book_is_complete_and_legible(name, own, request, tmp_path):
    figures = judge_of_run(request.getfixturevalue(name)).figures(request.getfixturevalue(name))
    assert list(figures) == [*ALWAYS, own, "Latent traversals"]
    for title, figure in figures.items():
        figure.savefig(tmp_path / "x.png")
        grey = np.asarray(Image.open(tmp_path / "x.png").convert("L")).astype(float)
        assert grey.std() > 5, title
        assert min(grey.shape) >= 300, title
        assert len(figure.get_supxlabel()) > 20, title


def test_figures_leave_no_global_state(plain):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    judge_of_run(plain).figures(plain)
    assert pyplot.get_fignums() == []


def test_the_picture_book_is_the_same_every_time(plain):
    first, again = (judge_of_run(plain).figures(plain)["Samples"].axes[0].images[0].get_array() for _ in range(2))
    assert np.array_equal(first, again)


def test_metrics_are_what_they_say(plain):
    metrics = judge_of_run(plain).metrics(plain, "test")
    assert set(metrics) == {"reconstruction_mse", "knn_accuracy"}
    x = plain.data("test")[torch.arange(300)].x.numpy()
    assert metrics["reconstruction_mse"] == pytest.approx(((plain.reconstruct(x) - x) ** 2).mean(), rel=1e-4)
    assert 0.1 < metrics["knn_accuracy"] <= 1


def test_levels_are_compared_as_grey_values(conditional):
    assert 0 < judge_of_run(conditional).metrics(conditional, "val")["reconstruction_mse"] < 1


def test_samples_are_recognised_by_what_they_show(monkeypatch, conditional):
    digits = torch.arange(10).repeat_interleave(100)
    monkeypatch.setattr(
        "vaehub_images.metrics.recognise", lambda x: torch.where(torch.arange(len(x)) % 4 == 0, digits, digits + 1)
    )
    assert recognised(conditional) == 0.25


def test_planes():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(50, 2)).astype(np.float32)
    assert np.array_equal(plane_of(flat).codes(plane_of(flat).points(flat)), flat)
    line = rng.normal(size=(50, 1)) * np.ones((1, 6)) + 3
    plane = plane_of(line.astype(np.float32))
    assert np.allclose(plane.codes(plane.points(line)), line, atol=1e-5)
    assert plane.shares[0] == pytest.approx(1)
    assert plane_of(np.ones((4, 1), np.float32)).codes(np.zeros((3, 2))).shape == (3, 1)


def test_spread_is_evenly_probable():
    values = np.random.default_rng(0).normal(size=(100_000, 1))
    assert spread(values, 3)[:, 0] == pytest.approx([-2.054, 0, 2.054], abs=0.03)


def test_tiles():
    sheet = tiled(torch.arange(1, 4, dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 2, 2), columns=2, gap=1, fill=9)
    assert sheet.tolist() == [[[1, 1, 9, 2, 2], [1, 1, 9, 2, 2], [9] * 5, [3, 3, 9, 9, 9], [3, 3, 9, 9, 9]]]
