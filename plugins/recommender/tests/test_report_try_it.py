"""The box on the page: it recommends what the model does, its names are harmless, and the curves are those of the measures."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
import zlib
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array

from vaehub_recommender.example import CONFIG, film_ratings, film_recommender
from vaehub_recommender.judge.items import Items
from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.judge.scorecard import LENGTHS, Scorecard
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.report import gather, report_page
from vaehub_recommender.report.try_it import MOST_WEIGHTS, boxed, try_it, unique

EVIL = "</script><script>document.title='broken'</script>"


@pytest.fixture(scope="module")
def ease():
    films = pd.DataFrame({"item": film_ratings()["item"].unique()})
    films["title"] = [EVIL, "Amp & <b>", *films["item"][2:]]
    films["kind"] = films["item"].str.split().str[0]
    decoder = {"name": "ease", "penalty": 20, "base": None}
    return Recommender(CONFIG | {"decoder": decoder}).fit(film_ratings(), min_rating=4, items=films)


@pytest.fixture(scope="module")
def page(ease):
    later = film_ratings().assign(item=np.roll(film_ratings()["item"], 5))
    return report_page(gather(ease, ease.evaluate(later)), "films").html()


def test_the_box_gives_what_recommend_gives(ease):
    names = np.array([str(item) for item in ease.fitted.items.values], dtype=object)
    box = try_it(ease, names)
    assert box.share == 1
    assert box.agreement > 0.99  # values are rounded to 1 / 32767 of the greatest
    history = ["Noir film 01", "War film 02"]
    at = ease.fitted.items.positions(history)
    scores = box.scores(at.tolist())
    expected = ease.recommend([history], k=5)
    assert scores[ease.fitted.items.positions(expected["item"])] == pytest.approx(expected["score"].to_numpy(), abs=1e-4)
    raw = zlib.decompress(base64.b64decode(box.packed))
    starts = np.frombuffer(raw, "<u4", len(names) + 1)
    assert starts.tolist() == box.starts.tolist()
    assert np.frombuffer(raw, "<i2", starts[-1], 4 * len(starts)).tolist() == box.values.tolist()
    assert np.frombuffer(raw, "<u2", starts[-1], 4 * len(starts) + 2 * starts[-1]).tolist() == box.columns.tolist()


def test_the_greatest_weights_are_kept_where_there_are_too_many():
    weights = torch.randn(600, 600, generator=torch.Generator().manual_seed(0))
    box = boxed(weights, tuple(map(str, range(600))))
    assert len(box.values) == MOST_WEIGHTS
    assert box.share == pytest.approx(MOST_WEIGHTS / 360_000)
    kept = np.zeros((600, 600))
    kept[np.repeat(np.arange(600), np.diff(box.starts.astype(int))), box.columns] = box.values * box.scale
    there = kept != 0
    assert np.abs(kept - weights.numpy())[there].max() < box.scale
    assert np.abs(weights.numpy())[~there].max() <= np.abs(weights.numpy())[there].min()


def test_names_are_told_apart():
    assert unique(np.array(["A", "a", "b"], dtype=object)) == ("A [0]", "a [1]", "b")


def test_a_hybrid_has_its_linear_part_on_the_page_and_a_network_alone_has_no_box():
    names = np.array([str(item) for item in film_recommender().fitted.items.values], dtype=object)
    assert 0 < try_it(film_recommender(), names).agreement <= 1
    network = Recommender(CONFIG | {"decoder": "catalogue", "domain": {"name": "recommender"}}).fit(film_ratings(), min_rating=4)
    assert try_it(network, names) is None


def test_names_on_the_page_cannot_end_its_script(page):
    assert EVIL not in page
    assert page.count("<script") == page.count("</script>") == 2
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)
    assert {EVIL, "Amp & <b>"} <= set(json.loads(data)["names"])
    assert "eval(" not in page
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?:", page)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_a_browser_shows_what_recommend_gives(ease, page, tmp_path):
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    titles = ease.fitted.frames["item"].set_index("item")["title"]
    history = [titles.index[0], "War film 02"]
    address = f"file://{tmp_path}/page.html#items={','.join(quote(titles[item], safe='') for item in history)}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", f"--user-data-dir={tmp_path}/profile"]
    shown = subprocess.run(
        ["chromium", *options, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    box = shown[shown.index('class="card widget"') :]
    found = [html.unescape(one) for one in re.findall(r"<li>(.*?) \(-?[\d.]+\)</li>", box[: box.index("</ol>")])]
    assert found == titles[ease.recommend([history], k=10)["item"]].tolist()
    assert "<title>films</title>" in shown


def test_curves_over_k_are_the_measures(ease):
    judged = ease.evaluate("random")
    curves = judged.curves()
    assert set(curves["measure"]) == {"ndcg", "recall"}
    assert curves["k"].max() <= 100
    figures = judged.table()
    for model in judged.models:
        row = curves.query("model == @model and measure == 'recall' and k == 20")
        assert row["mean"].item() == pytest.approx(figures.loc[model, ("recall@20", "mean")])
        assert row["se"].item() == pytest.approx(figures.loc[model, ("recall@20", "se")])


def test_curves_end_where_lists_end():
    seen = np.eye(3)
    held = csr_array(np.roll(seen, 1, 1))
    lists = np.array([[1, 2], [2, 0], [0, 1]])
    card = Scorecard.of(lists, csr_array(seen), held, Items.of(csr_array(seen)), ["ndcg@2"])
    assert card.by_length.columns.tolist() == [f"{m}@{k}" for m in ("ndcg", "recall") for k in LENGTHS if k <= 2]
    assert card.by_length["ndcg@1"].tolist() == metrics(lists, held, ["ndcg@1"])["ndcg@1"].tolist()
