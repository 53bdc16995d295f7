import io
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

import vaehub
from vaehub.evaluation.judge import judge_of_run
from vaehub.report import HALF, NARROW
from vaehub.report.style import drawn, png
from vaehub_images.files import tiled
from vaehub_images.metrics import recognised
from vaehub_images.report.book import plane_of, quantile_grid
from vaehub_images.report.sheets import Sheet


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


def figures_of(run):
    return {figure.title: figure for section in judge_of_run(run).sections(run) for figure in section.figures()}


@pytest.mark.parametrize(("name", "own"), [("plain", "Samples"), ("conditional", "Samples by class")])
def test_the_picture_book_is_complete_and_legible(name, own, request):
    figures = figures_of(request.getfixturevalue(name))
    assert list(figures) == ["Reconstructions", own, "Manifold", "Interpolations", "Latent traversals"]
    for title, figure in figures.items():
        for canvas in (HALF, NARROW):
            grey = np.asarray(Image.open(io.BytesIO(png(drawn(figure.draw, canvas)))).convert("L")).astype(float)
            assert grey.std() > 5, title
        assert len(figure.caption) > 20, title


def test_figures_leave_no_global_state(plain):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    drawn(figures_of(plain)["Samples"].draw, HALF)
    assert pyplot.get_fignums() == []


def test_the_picture_book_is_the_same_every_time(plain):
    first, again = (drawn(figures_of(plain)["Samples"].draw, HALF).axes[0].images[0].get_array() for _ in range(2))
    assert np.array_equal(first, again)


def test_the_paper_between_images_lets_the_page_show_through():
    sheet = Sheet(torch.full((3, 1, 2, 2), 7, dtype=torch.uint8), 2)
    assert sheet.pixels.shape == (5, 5, 4)
    assert sheet.pixels[0, 0].tolist() == [7, 7, 7, 255]
    assert sheet.pixels[2, :, 3].tolist() == [0] * 5
    assert sheet.pixels[4, 4, 3] == 0


@pytest.mark.parametrize("canvas", [HALF, NARROW], ids=["half", "narrow"])
def test_names_of_rows_and_columns_neither_touch_nor_leave_the_sheet(canvas):
    images = torch.zeros(26, 3, 8, 8, dtype=torch.uint8)
    figure = drawn(Sheet(images, 13, ["input", "output"], ["input", *[f"{i / 10:.1f}" for i in range(11)], "input"]).draw, canvas)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    heads = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert all(one.x1 < two.x0 for one, two in pairwise(heads))
    names = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(box.x0 >= 0 and box.x1 < axes.bbox.x0 for box in names)
    assert all(box.y1 <= figure.bbox.y1 for box in heads)


def test_metrics_are_what_they_say(plain):
    metrics = judge_of_run(plain).metrics(plain, "test")
    named = {"reconstruction_mse", "knn_accuracy"}
    assert set(metrics) == named | {f"{name}_se" for name in named} | {"knn_accuracy_chance"}
    x = plain.data("test")[torch.arange(300)].x.numpy()
    assert metrics["reconstruction_mse"] == pytest.approx(((plain.reconstruct(x) - x) ** 2).mean(), rel=1e-4)
    errors = ((plain.reconstruct(x) - x) ** 2).mean((1, 2, 3))
    assert metrics["reconstruction_mse_se"] == pytest.approx(errors.std(ddof=1) / len(errors) ** 0.5, rel=1e-3)
    assert 0.1 < metrics["knn_accuracy"] <= 1
    classes = np.bincount(plain.data("test").labels)
    assert metrics["knn_accuracy_chance"] == pytest.approx(classes.max() / classes.sum())
    assert set(judge_of_run(plain).headline) >= named


def test_levels_are_compared_as_grey_values(conditional):
    assert 0 < judge_of_run(conditional).metrics(conditional, "val")["reconstruction_mse"] < 1


def test_samples_are_recognised_by_what_they_show(monkeypatch, conditional):
    digits = torch.arange(10).repeat_interleave(100)
    monkeypatch.setattr(
        "vaehub_images.metrics.recognise", lambda x: torch.where(torch.arange(len(x)) % 4 == 0, digits, digits + 1)
    )
    assert recognised(conditional).mean() == 0.25


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
    assert quantile_grid(values, 3)[:, 0] == pytest.approx([-2.054, 0, 2.054], abs=0.03)


def test_tiles():
    sheet = tiled(torch.arange(1, 4, dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 2, 2), columns=2, gap=1, fill=9)
    assert sheet.tolist() == [[[1, 1, 9, 2, 2], [1, 1, 9, 2, 2], [9] * 5, [3, 3, 9, 9, 9], [3, 3, 9, 9, 9]]]
