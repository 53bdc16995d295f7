"""What pages are made of: charts that follow the page's colours, labels that leave each other room, and blocks that escape."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from vaehub.report import (
    HALF,
    NARROW,
    WIDE,
    Beside,
    Card,
    Cards,
    Cell,
    Code,
    Column,
    Drawing,
    Facts,
    Figure,
    Finding,
    Key,
    Link,
    Links,
    Listing,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    best,
)
from vaehub.report.charts import Cloud, bars, cloud, histogram, plane, write_apart
from vaehub.report.style import LIGHT, PALETTE, drawn, svg

BAD = "<i>&\"'"


def wave(canvas):
    figure = canvas.figure(2.0)
    figure.subplots().plot([0, 1], [0, 1], label=BAD)
    figure.legend()
    return figure


EVERY = [
    Text(BAD),
    Tiles([Tile(BAD, BAD, BAD)]),
    Finding(BAD, "error", BAD, BAD, [BAD]),
    Table((BAD, BAD), [[BAD, Cell(BAD, best=True, tone="good")], [BAD, BAD]], BAD, BAD, folded=True),
    Facts({BAD: BAD}, BAD),
    Code(BAD, BAD, folded=True),
    Code(BAD, BAD),
    Figure(BAD, wave, BAD, BAD, BAD),
    Cards([[Card(BAD, Drawing("<svg></svg>", BAD), (BAD,), BAD), Card(BAD)], [Card(BAD, tone="error")]], BAD),
    Listing(BAD, BAD, [(BAD, BAD)]),
    Key([("blue", "line", BAD)]),
    Links([Link(BAD, "other.html", BAD)]),
    Beside([Column([Text(BAD), Figure(BAD, wave, BAD, half=True)])]),
]


@pytest.fixture(scope="module")
def html():
    return Page(BAD, [Section(BAD, EVERY, BAD)], BAD, [Text(BAD)], {BAD: BAD}, [Link(BAD, "other.html", BAD)]).html()


def test_every_kind_of_block_escapes_what_it_is_given(html):
    assert "<i>&" not in html
    assert html.count("&lt;i&gt;") > 40
    assert html.rstrip().endswith("</html>")


def test_charts_are_drawn_for_screens_and_phones_and_named_for_those_who_cannot_see(html):
    charts = re.findall(r"<svg[^>]*>", html)
    assert len(charts) == 2 * 2 + 1
    assert all('role="img"' in chart and "aria-label" in chart for chart in charts)
    assert html.count("<title>") == 1 + len(charts)


def test_charts_take_the_colours_and_the_type_of_the_page(html):
    chart = html[html.index('<div class="wide">') : html.index('<div class="narrow">')]
    assert "var(--blue)" in chart
    assert not any(light in chart for light in LIGHT.values())
    assert "font-family" not in chart
    assert "http" not in html
    assert "<style" not in chart
    dark = html[html.index("prefers-color-scheme: dark") :]
    assert all(f"--{name}: {colour};" in dark for name, (_, colour) in PALETTE.items())


def test_ids_are_of_one_chart_only(html):
    found = re.findall(r' id="([^"]+)"', html)
    assert len(set(found)) == len(found)
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(found)


def test_a_page_for_paper_has_no_grey_ground_and_whole_figures(html):
    paper = html[html.index("@media print") :]
    assert "break-inside: avoid" in paper
    assert "break-after: avoid" in paper
    assert "--paper: #fff" in paper


@pytest.mark.parametrize("canvas", [WIDE, HALF, NARROW], ids=["wide", "half", "narrow"])
def test_no_label_lies_under_another(canvas):
    """Nine names of classes at nearly the same place, as of 4 and 9 among digits."""
    points = np.random.default_rng(0).normal(size=(200, 2))
    words = [(0.01 * place, 0.0, f"class {place}") for place in range(9)]
    shown = Cloud(points, ("x", "y"), np.arange(200) % 9, [f"class {i}" for i in range(9)], words=words, all_words=True)
    figure = drawn(lambda canvas: cloud(shown, canvas), canvas)
    svg(figure, "key", "alt")
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    assert [text.get_text() for text in texts] == [word for *_, word in words]
    boxes = [text.get_bbox_patch().get_window_extent() for text in texts]
    assert not any(one.overlaps(two) for one, two in combinations(boxes, 2))
    assert len(figure.legends[0].texts) == 9


def test_labels_that_may_be_left_out_are():
    figure = drawn(lambda canvas: canvas.figure(2.0), NARROW)
    axes = figure.subplots()
    written = write_apart(axes, [(0.5, 0.5, f"word {i}") for i in range(60)], keep=False, most=60)
    assert 1 <= len(written) < 60
    assert write_apart(axes, [], keep=True, most=3) == []


def test_more_kinds_than_colours_share_grey():
    shown = Cloud(np.random.default_rng(0).normal(size=(60, 2)), ("x", "y"), np.arange(60) % 15, [f"k{i}" for i in range(15)])
    labels = [text.get_text() for text in drawn(lambda canvas: cloud(shown, canvas), HALF).legends[0].texts]
    assert len(labels) == 11
    assert labels[-1] == "other"


def test_few_bars_do_not_fill_the_page():
    axes = drawn(lambda canvas: bars([2.0, 1.0], ["red", "red"], ["z2", "z1"], "x", "y", canvas), WIDE).axes[0]
    assert np.diff(axes.get_xlim())[0] > 10
    assert [label.get_text() for label in axes.get_xticklabels()] == ["z2", "z1"]


def test_histograms_take_little_data():
    groups = {"training": np.array([0.5, np.nan]), "samples": np.array([])}
    assert "<svg" in svg(drawn(lambda canvas: histogram(groups, "x", canvas, {"lead": 0.4}), NARROW), "key", "alt")


def test_the_same_chart_gives_the_same_bytes():
    one, two = (svg(drawn(wave, WIDE), "key", "alt") for _ in range(2))
    assert one == two


def test_a_column_may_be_called_as_a_formula():
    assert "$x_1$" in svg(drawn(lambda c: named("$x_1$", c), WIDE), "key", "alt")


def named(name, canvas):
    figure = canvas.figure(2.0)
    figure.subplots().set_title(name)
    return figure


def test_the_plane_is_that_of_most_variance():
    codes = np.random.default_rng(0).normal(size=(50, 3)) * [5, 0.1, 3]
    points, shares = plane(codes)
    assert shares.sum() > 0.99
    assert abs(np.corrcoef(points[:, 0], codes[:, 0])[0, 1]) == pytest.approx(1, abs=0.02)
    assert plane(np.ones((4, 1)))[1].tolist() == [0, 0]


def test_bold_means_best():
    assert best([0.5678, 0.5743]) == [False, True]
    assert best([1.0, 1.0]) == [False, False]
    assert best([1.00001, 1.00002]) == [False, False]
    assert best([2.0, float("nan"), 2.0, 3.0], lower=True) == [True, False, True, False]


def test_progress_is_told_by_chart():
    told = []
    Page("x", [Section("y", [Figure("a", wave, "b"), Figure("c", wave, "d")])]).html(lambda done, of: told.append((done, of)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    def broken(canvas):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Page("x", [Section("y", [Figure("a", broken, "b")])]).write(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
