"""The report is one page that opens offline, shows what it should, and escapes what it is given."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

import vaehub
from vaehub.errors import UsageError
from vaehub.evaluation.doctor import CHECKS, Diagnosis, Finding, examine
from vaehub.evaluation.importance import evidence
from vaehub.evaluation.judge import Judge
from vaehub.evaluation.measured import domain_metrics
from vaehub.report import Section, Text
from vaehub.report.run_figures import learning_curves
from vaehub.report.run_page import clock_time, figure_text, findings, headline, write_report
from vaehub.run import Run
from vaehub.training.fit import train

CONFIG = {
    "domain": "toy",
    "latent": 3,
    "encoder": {"hidden": [16]},
    "decoder": {"hidden": [16]},
    "train": {"epochs": 2, "batch_size": 64},
}
METRICS = {"digit_accuracy": 0.98765, "digit_accuracy_se": 0.0123, "digit_accuracy_chance": 0.1, "kind": "<script>"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Judge, "metrics", lambda self, run, split: METRICS)
        patch.setattr(Judge, "headline", {"digit_accuracy": "of <digits>"})
        patch.setattr(Judge, "sections", lambda self, run: [Section("Own <section>", [Text("own <text>")])])
        yield train(CONFIG, out=tmp_path_factory.mktemp("runs") / "a <b> run")


@pytest.fixture(scope="module")
def html(run):
    path = write_report(run)
    assert path == run.path / "report.html"
    return path.read_text()


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.images, self.charts, self.tags, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.images += [found] if tag == "img" else []
        self.charts += [found] if tag == "svg" else []
        self.links += [v for k, v in attrs if k in ("src", "href", "srcset", "action", "data", "poster") and v]

    def handle_data(self, data):
        self.text += data


def test_nothing_comes_from_outside(html):
    page = Page(html)
    assert page.charts
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in page.links)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"https?://|@import|url\((?!#)", html)


def test_charts_are_in_the_page_for_both_widths_and_in_the_folder(run, html):
    page = Page(html)
    files = {path.name: path.read_bytes() for path in (run.path / "figures").glob("*.png")}
    names = {"the_bound_and_its_parts.png", "learning_rate_and_time.png", "kl_per_latent_dimension.png", "latent_map.png"}
    assert set(files) == names
    assert all(png.startswith(b"\x89PNG") for png in files.values())
    assert len(page.charts) == 2 * len(names)
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in page.charts)
    assert all(image["alt"] for image in page.images)


def test_what_is_given_is_escaped(html):
    for given in ("<script>", "a <b> run", "Own <section>", "own <text>", "of <digits>"):
        assert given not in html
        assert given in Page(html).text


def test_it_says_what_was_measured_and_how_to_repeat_it(run, html):
    text = Page(html).text
    for needed in (
        "-log p(x)",
        "-ELBO",
        "active units",
        "bits per dimension",
        "0.9877 ± 0.012",
        "guessing gives 0.1",
        "digit accuracy",
        "2 epochs",
        "SHA-256",
        "torch",
    ):
        assert needed in text, needed
    assert f"vaehub train '{run.path}/config.yaml'" in text
    assert "400" in text
    assert "(1, 8, 8)" in text
    config = text[text.index("domain:\n  name: toy") :]
    assert vaehub.load_config(run.path / "config.yaml") == run.config
    assert "latent: 3" in config


def test_every_headline_figure_says_of_how_many_rows_and_how_sure_it_is(run):
    tiles = {tile.name: tile for tile in headline(run, pd.DataFrame())}
    for name in ("-log p(x)", "-ELBO", "reconstruction", "KL"):
        assert "test rows" in tiles[name].note
        assert " ± " in tiles[name].value
    e = evidence(run.vae, run.data("test"), 64)
    error = float(e.elbo.std()) / len(e.elbo) ** 0.5
    assert tiles["-ELBO"].value == f"{-float(e.elbo.mean()):.2f} ± {error:.2f}"


def test_a_verdict_says_no_more_than_what_was_looked_at():
    none = Diagnosis([], CHECKS, ())
    assert none.verdict == f"{len(CHECKS)} checks of the optimisation: none fired."
    (block,) = findings(none)
    assert block.tone == "good"
    assert list(block.checked) == none.checks
    assert len(set(none.checks)) == len(CHECKS)
    fault = Finding("wrong", "error", "one thing", "another")
    some = Diagnosis([fault], CHECKS, CHECKS[:2])
    assert [block.tone for block in findings(some)] == ["", "error"]
    assert some.verdict == f"{len(CHECKS)} checks of the optimisation and 2 of the domain: 1 of them fired."


def test_the_domain_adds_checks_of_its_own(run, monkeypatch):
    def always(checkup):
        """Something of the domain."""
        return Finding("odd", "note", "seen", "look")

    monkeypatch.setattr(Judge, "checks", lambda self: (always,))
    diagnosis = examine(run)
    assert "odd" in [finding.name for finding in diagnosis.findings]
    assert diagnosis.checks[-1] == "Something of the domain."


def test_the_checks_are_listed_on_the_page(html):
    text = Page(html).text
    assert "checks of the optimisation: " in text
    assert all(line in text for line in Diagnosis([], CHECKS, ()).checks)
    assert "Healthy" not in text


def test_the_domain_is_measured_once(run, monkeypatch):
    asked = []
    fresh = Run(run.config, run.codec, run.domain, run.vae)
    monkeypatch.setattr(Judge, "metrics", lambda self, run, split: asked.append(split) or {})
    assert [domain_metrics(fresh), domain_metrics(fresh)] == [{}, {}]
    assert asked == ["test"]


def test_curves_show_the_loss_where_it_is_another_quantity_and_the_epoch_that_was_kept():
    metrics = pd.DataFrame({"train_elbo": [-3.0, -2], "val_elbo": [-4.0, -5], "train_loss": [3.0, 2], "val_ndcg": [0.1, 0.2]})

    def texts(frame, monitor):
        figures = {figure.title: figure for figure in learning_curves(frame, monitor)}
        from vaehub.report.style import WIDE, drawn

        chart = drawn(figures["The bound and its parts"].draw, WIDE)
        return figures, [text.get_text() for text in chart.legends[0].texts]

    figures, legend = texts(metrics, "val_ndcg")
    assert legend == ["training", "validation", "the epoch that was kept"]
    assert "epoch 2 of 2" in figures["The bound and its parts"].note
    assert "What else was validated" in figures
    assert "training loss" in texts(metrics.assign(train_loss=[9.0, 8]), "val_elbo")[1]
    assert "epoch 1 of 2" in texts(metrics, "val_elbo")[0]["The bound and its parts"].note


def test_a_figure_without_an_error_has_none():
    assert figure_text({"a": 0.5}, "a") == figure_text({"a": 0.5, "a_se": float("nan")}, "a") == "0.5"
    assert figure_text({"a": 0.5, "a_se": 0.25}, "a") == "0.5 ± 0.25"


def test_the_same_run_gives_the_same_page(run, html):
    assert write_report(run).read_text() == html


def test_a_run_without_curves_still_has_a_report(run, tmp_path):
    bare = Run(run.config, run.codec, run.domain, run.vae, {}, tmp_path)
    text = Page(write_report(bare).read_text()).text
    assert "The bound and its parts" not in text
    assert "Latent map" in text


def test_a_model_file_alone_has_no_report(run):
    with pytest.raises(UsageError, match="folder"):
        write_report(Run(run.config, run.codec, run.domain, run.vae))


@pytest.mark.parametrize(("seconds", "text"), [(7.4, "0:07 min"), (61, "1:01 min"), (3725, "1:02:05 h")])
def test_clock(seconds, text):
    assert clock_time(seconds) == text
