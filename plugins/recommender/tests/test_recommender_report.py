"""The report page: what it says, what it draws, and that it is one file which needs nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgb
from scipy.sparse import csr_array

import vaehub
import vaehub_recommender.judge.protocols
from vaehub.cli.app import main
from vaehub.errors import UsageError
from vaehub.report import HALF, NARROW, WIDE
from vaehub.report.style import SERIES, drawn
from vaehub_recommender import generated_ratings
from vaehub_recommender.choose import Choice, Tried
from vaehub_recommender.held_out import HeldOut
from vaehub_recommender.judge import ByPopularity, judge
from vaehub_recommender.judge.baselines import slices
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.report import Findings, gather, report_page, write
from vaehub_recommender.report.charts import exposure_figure, length_figure, segment_figure
from vaehub_recommender.report.examples import examples
from vaehub_recommender.report.findings import Example, Map, Suggestion
from vaehub_recommender.report.item_names import OTHER, kinds_in, kinds_of, names_of
from vaehub_recommender.report.map_figure import map_figure
from vaehub_recommender.report.maps import has_codes, principal_plane
from vaehub_recommender.report.page import PRIVACY
from vaehub_recommender.report.tables import measures, segments, tried
from vaehub_recommender.report.verdict import exposure_in_words, verdict
from vaehub_recommender.scores import DenseScores

CONFIG = {
    "domain": {"name": "recommender", "history": True},
    "encoder": {"name": "bag", "hidden": [16]},
    "decoder": "ease",
    "likelihood": "implicit_multinomial",
    "latent": 6,
    "train": {"epochs": 2, "batch_size": 100, "monitor": "val_ndcg", "score_rows": 0},
}


def cells(rows, items=30):
    return csr_array(rows[:, :items].astype(np.float32))


@pytest.fixture(scope="module")
def judged():
    """A model that knows what is held out, one that does not, and popularity."""
    rng = np.random.default_rng(0)
    liked = rng.random((80, 30)) < np.linspace(0.6, 0.1, 30)
    held = liked & (rng.random(liked.shape) < 0.3)
    test = HeldOut(np.arange(80), cells(liked & ~held), cells(held))
    popular = ByPopularity(test.history)

    def knowing(noise):
        found = torch.from_numpy(held + noise * np.random.default_rng(1).random(held.shape)).float()
        return lambda seen: ((rows, DenseScores(found[rows])) for rows in slices(seen.shape[0]))

    return judge(
        {"model": knowing(0.5), "EASE": knowing(3.0), "popularity": popular}, test, test.history, notes=["a <b>note</b>"]
    )


@pytest.fixture(scope="module")
def findings(judged):
    """All that a page can show, made up."""
    rng = np.random.default_rng(0)
    amount = np.arange(1.0, 61)
    names, words = (np.array([f"{kind} {n % 3}" for n in range(60)], object) for kind in ("$film", "kind"))
    users = Map(rng.normal(size=(60, 2)), 0.5, amount)
    example = Example("<i>", 20, ("one", "two"), (Suggestion("three & four", (("one", 0.25),)), Suggestion("five", ())))
    items = replace(users, kinds=words, order=("kind 1", "kind 0", "kind 2"), names=names)
    made = {"model": "encoder bag"}
    return Findings("80 users", judged, "How.", users, items, (example, Example("b", 3, ("x",), ())), made)


@pytest.fixture(scope="module")
def whole(findings):
    return render(findings)


def render(findings):
    return report_page(findings, "films").html()


def shown_on(canvas, draw, *given):
    """A figure as it is drawn for this width."""
    figure = drawn(lambda canvas: draw(*given, canvas), canvas)
    figure.draw_without_rendering()
    return figure


@pytest.fixture(scope="module")
def recommender():
    frame = generated_ratings.ratings(viewers=150, films=3)
    items = pd.DataFrame({"item": generated_ratings.film_names(3)})
    items["title"], items["genre"] = "The " + items["item"], items["item"].str.split().str[0] + "|Film"
    return Recommender(CONFIG).fit(frame, min_rating=4, items=items)


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"base64,[^\"]+|<style>.*?</style>", "", html, flags=re.S)))


def test_the_page_is_one_file_that_needs_nothing_else(whole):
    html = whole
    assert not re.search(r"(src|href|srcset)=\"(?!data:|#)", html)
    assert "http" not in html
    assert "&lt;i&gt;" in html
    assert "&lt;b&gt;note" in html
    text = text_of(html)
    assert "three &amp; four for one +0.25" in text
    assert "this user has every item" in text
    assert "nan" not in text.lower().replace("finance", "")
    assert "20 items, those first that count most here: one · two …" in text


def test_every_figure_is_there_for_screens_and_phones_and_has_its_text(whole):
    charts = re.findall(r"<svg [^>]*>", whole)
    assert len(charts) == 2 * 6
    assert all('role="img"' in chart and 'aria-label="' in chart for chart in charts)


@pytest.mark.slow
def test_what_is_not_there_is_not_drawn(findings):
    bare = replace(findings, users=None, items=None, examples=())
    html = render(bare)
    assert html == render(bare)
    assert html.count("<svg ") == 2 * 4
    assert "There is no map" in html
    assert "<h2>Examples</h2>" not in html


def test_the_verdict_goes_by_the_paired_intervals(judged):
    well, text = verdict(judged)
    assert well
    assert "ranks better than EASE, better than popularity" in text
    assert "80 users" in text
    worse = replace(judged, scorecards=dict(reversed(judged.scorecards.items())))
    assert verdict(worse)[0] is False
    assert "worse than model" in verdict(worse)[1]
    same = replace(judged, scorecards={"model": judged.scorecards["model"], "twin": judged.scorecards["model"]})
    renamed = replace(
        same,
        scorecards={**same.scorecards, "twin": replace(same.scorecards["model"], users=same.scorecards["model"].users * 1.0)},
    )
    assert "level with twin" in verdict(renamed)[1]
    assert not verdict(renamed)[0]
    assert verdict(replace(judged, scorecards={"model": judged.scorecards["model"]}))[1] == "No other model was judged beside it."


def test_the_page_of_a_model_with_nothing_beside_it(findings, judged):
    alone = replace(judged, scorecards={"model": judged.scorecards["model"]})
    assert "−" not in text_of(render(replace(findings, judged=alone, users=None, items=None)))


def test_the_table_has_all_measures_and_colours_only_those_of_quality(judged):
    table = {name: cells for name, *cells in measures(judged).rows}
    assert list(table)[:2] == ["NDCG@100", "Recall@20"]
    assert table["NDCG@100"][3].tone == "good"
    assert table["Popularity bias@20"][3].tone == ""
    assert [cell.text for cell in table["Gini@20"][3:]] == ["", ""]
    mean, error = judged.table().loc["model", "ndcg@100"]
    assert table["NDCG@100"][0].text == f"{mean:.4f} ± {error:.4f}"


def test_bold_is_the_best_and_not_the_first(judged):
    assert [cell.best for cell in measures(judged).rows[0][1:4]] == [True, False, False]
    worse = replace(judged, scorecards=dict(reversed(judged.scorecards.items())))
    assert [cell.best for cell in measures(worse).rows[0][1:4]] == [False, False, True]
    twins = replace(judged, scorecards={"model": judged.scorecards["model"], "twin": judged.scorecards["model"]})
    assert not any(cell.best for cell in measures(twins).rows[0][1:3])
    assert not any(cell.best for name, *row in measures(judged).rows if name == "Novelty@20" for cell in row)
    assert all(sum(cell.best for cell in row[2:]) <= 1 for row in segments(judged, "history").rows)


def test_segments_are_drawn_at_their_means_with_their_errors(judged):
    axes = shown_on(WIDE, segment_figure, judged, "history").axes[0]
    table = judged.segments().query("by == 'history' and metric == 'ndcg@100' and model == 'model'")
    points, _, (bars,) = axes.containers[0]
    assert points.get_xdata() == pytest.approx(table["mean"])
    widths = [segment[1, 0] - segment[0, 0] for segment in bars.get_segments()]
    assert widths == pytest.approx(2 * table["se"])
    assert axes.get_yticklabels()[0].get_text().endswith(f"{table['users'].iloc[0]} users")


def test_exposure_is_drawn_beside_what_users_choose(judged):
    axes = shown_on(NARROW, exposure_figure, judged).axes[0]
    assert [bar.get_width() for bar in axes.containers[0]] == pytest.approx(judged.exposure()["model"])
    counts, band = judged.items.counts, judged.items.band
    lines = [segment[0, 0] for segment in axes.collections[0].get_segments()]
    assert lines == pytest.approx([counts[band == b].sum() / counts.sum() for b in range(3)])
    assert f"{lines[0]:.0%} of all interactions" in exposure_in_words(judged)


@pytest.mark.parametrize("canvas", [WIDE, HALF, NARROW], ids=["wide", "half", "narrow"])
def test_nothing_overlaps_or_leaves_the_figure(findings, judged, canvas):
    for figure in (
        *(shown_on(canvas, segment_figure, judged, by) for by in ("history", "popularity")),
        shown_on(canvas, exposure_figure, judged),
        shown_on(canvas, length_figure, judged),
        shown_on(canvas, map_figure, findings.users, "items"),
        shown_on(canvas, map_figure, findings.items, "users"),
    ):
        inside = [axes.get_tightbbox() for axes in figure.axes] + [legend.get_window_extent() for legend in figure.legends]
        assert all(
            box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1 for box in inside
        )
        labels = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
        names = [text.get_window_extent() for text in figure.axes[0].texts]
        assert not any(a.overlaps(b) for boxes in (labels, names) for a, b in combinations(boxes, 2))


def test_a_kind_has_the_colour_of_its_place_in_the_order(findings):
    legend = shown_on(HALF, map_figure, findings.items, "users").legends[0]
    assert [text.get_text() for text in legend.texts] == ["kind 1", "kind 0", "kind 2"]
    colours = [tuple(handle.get_facecolor()[0][:3]) for handle in legend.legend_handles]
    assert colours == [to_rgb(colour) for colour in SERIES[:3]]


def test_the_map_is_of_the_greatest_variance():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(50, 2)) * [5, 2]
    codes = torch.from_numpy(np.hstack([np.zeros((50, 3)), plane])) + 3
    points, share = principal_plane(codes)
    assert share == pytest.approx(1)
    distances = [np.linalg.norm(p[:, None] - p, axis=-1) for p in (points, plane)]
    np.testing.assert_allclose(*distances, atol=1e-9)
    assert principal_plane(torch.ones(9, 4)) is None
    assert principal_plane(codes[:, :1]) is None


def test_kinds_of_items_and_of_users():
    column = pd.Series(["a|b", "b", np.nan, "c|b", "rare"] + ["z"] * 3, name="genre")
    found = kinds_in(column, np.array([9, 9, 1, 5, 1, 4, 4, 4]))
    assert found.words[:3] == ("b", "z", "a")
    assert found.of_items().tolist() == ["a", "b", OTHER, "c", "rare", "z", "z", "z"]
    rows = csr_array(np.array([[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0, 0, 0]], float))
    everyone = csr_array(np.ones((4, 8)))
    assert found.of_users(rows, everyone).tolist() == ["a", "z", OTHER]


def test_names_and_kinds_come_from_the_table_of_items(recommender):
    fitted = recommender.fitted
    assert names_of(fitted)[0] == f"The {fitted.items.values[0]}"
    assert kinds_of(fitted).of_items()[0] in (*generated_ratings.GENRES, OTHER)
    bare = replace(fitted, frames={"item": None, "user": None})
    assert names_of(bare)[0] == fitted.items.values[0]
    assert kinds_of(bare) is None


def test_examples_show_what_the_recommender_says(recommender):
    shown = examples(recommender, names_of(recommender.fitted))
    assert [example.items for example in shown] == sorted(example.items for example in shown)
    first = shown[0]
    best = recommender.recommend([first.user], k=8)
    assert [suggestion.item for suggestion in first.suggestions] == [f"The {item}" for item in best["item"]]
    why = recommender.explain(first.user, best["item"][0], k=3)
    assert first.suggestions[0].reasons[0] == (f"The {why['item'][0]}", pytest.approx(why["contribution"][0]))
    assert not set(first.history) & {suggestion.item for suggestion in first.suggestions}


@pytest.mark.slow
def test_the_page_of_a_recommender_and_of_one_that_knows_nobody(recommender, tmp_path):
    path = write(recommender, tmp_path / "films" / "page.html", recommender.evaluate())
    text = text_of(path.read_text())
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]
    assert "films Recommendation report: 150 users, 36 items" in text
    assert "Users, by their favourite kind" in text
    nobody = Recommender(CONFIG)
    with pytest.raises(UsageError, match="fit"):
        write(nobody, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_a_page_with_single_users_says_so_once_and_one_without_does_not(whole, findings):
    assert text_of(whole).count(PRIVACY) == 1
    bare = report_page(replace(findings, examples=()), "films")
    assert not any(PRIVACY in str(block) for section in bare.sections for block in section.blocks)


@pytest.mark.slow
def test_a_run_has_one_page_by_either_command(tmp_path, monkeypatch, capsys):
    generated_ratings.ratings(viewers=120, films=3).to_parquet(tmp_path / "likes.parquet")
    domain = CONFIG["domain"] | {"path": str(tmp_path / "likes.parquet"), "split": "random", "min_rating": 4}
    vaehub.train(CONFIG | {"domain": domain}, out=tmp_path / "run", progress=False)
    monkeypatch.chdir(tmp_path)
    pages = []
    for words in (["report", "run"], ["recommender", "report", "run"]):
        assert main(words) == 0
        assert capsys.readouterr().out == "run/report.html\n"
        pages.append((tmp_path / "run" / "report.html").read_text())
    assert pages[0] == pages[1]
    assert "a random fifth of each user" in pages[0]
    for title in ("Training", "How good the lists are", "For whom they are good", "Examples", "How it was made"):
        assert f"<h2>{title}</h2>" in pages[0]
    assert "What else was validated" in pages[0]
    assert text_of(pages[0]).count(PRIVACY) == 1
    assert not (tmp_path / "run" / "recommender.html").exists()


@pytest.mark.slow
def test_a_run_is_judged_once_for_its_whole_page(tmp_path, monkeypatch):
    generated_ratings.ratings(viewers=120, films=3).to_parquet(tmp_path / "likes.parquet")
    domain = CONFIG["domain"] | {"path": str(tmp_path / "likes.parquet"), "min_rating": 4}
    run = vaehub.train(CONFIG | {"domain": domain}, out=tmp_path / "run", progress=False)
    asked, judging = [], vaehub_recommender.judge.protocols.evaluate
    monkeypatch.setattr("vaehub_recommender.judge.protocols.evaluate", lambda *given: asked.append(given[2]) or judging(*given))
    run.report()
    assert asked == ["test"]


def test_a_linear_model_alone_has_no_map():
    model = Recommender(CONFIG).fit(generated_ratings.ratings(viewers=80, films=3), min_rating=4)
    assert has_codes(model.fitted)
    model.fitted.run.vae.decoder.base = None
    assert not has_codes(model.fitted)
    assert gather(model, model.evaluate(generated_ratings.ratings(viewers=80, films=3, seed=1))).users is None


def test_what_was_tried_is_a_table_of_the_page(recommender):
    rows = (Tried("EASE", "penalty 9", 0.4, 0.01, seconds=0.5), Tried("VAE", note="not begun: it would take long"))
    (table,) = tried(Choice(rows, "EASE", 50))
    assert [[getattr(cell, "text", cell) for cell in row] for row in table.rows] == [
        ["EASE (penalty 9)", "0.4000 ± 0.0100", "–", "0.5", ""],
        ["VAE", "–", "–", "–", "not begun: it would take long"],
    ]
    assert tried(None) == []
    chosen = replace(gather(recommender), choice=Choice(rows, "EASE", 50))
    assert "not begun: it would take long" in report_page(chosen, "films").html()
