"""The report is one page that opens offline, shows what it should, and escapes what it is given."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

import vaehub
from vaehub.errors import UsageError
from vaehub.evaluation.judge import Judge
from vaehub.report.run_page import clock, write_report
from vaehub.run import Run
from vaehub.training.fit import train


def drawing():
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot([1, 2])
    return figure


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def run(tmp_path_factory, monkeypatch_module):
    config = {
        "domain": "toy",
        "latent": 3,
        "encoder": {"hidden": [16]},
        "decoder": {"hidden": [16]},
        "train": {"epochs": 2, "batch_size": 64},
    }
    run = train(config, out=tmp_path_factory.mktemp("runs") / "a <b> run")
    monkeypatch_module.setattr(Judge, "figures", lambda self, run: {"Some <i>figure</i> & more": drawing()})
    monkeypatch_module.setattr(Judge, "metrics", lambda self, run, split: {"digit_accuracy": 0.98765, "kind": "<script>"})
    return run


@pytest.fixture(scope="module")
def html(run):
    path = write_report(run)
    assert path == run.path / "report.html"
    return path.read_text()


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.images, self.tags, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.images += [found] if tag == "img" else []
        self.links += [v for k, v in attrs if k in ("src", "href", "srcset", "action", "data", "poster") and v]

    def handle_data(self, data):
        self.text += data


def test_nothing_comes_from_outside(html):
    page = Page(html)
    assert page.images
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"https?://|@import|url\(", html)


def test_figures_are_in_the_page_and_in_the_folder(run, html):
    page = Page(html)
    files = {path.name: path.read_bytes() for path in (run.path / "figures").glob("*.png")}
    inlined = [base64.b64decode(image["src"].partition(",")[2]) for image in page.images]
    assert set(files) == {"training_curves.png", "kl_per_dimension.png", "some_i_figure_i_more.png"}
    assert sorted(inlined) == sorted(files.values())
    assert all(png.startswith(b"\x89PNG") for png in inlined)
    assert all(image["alt"] for image in page.images)


def test_what_is_given_is_escaped(html):
    assert "<script>" not in html
    assert "<i>figure</i>" not in html
    assert "a <b> run" not in html
    text = Page(html).text
    assert "Some <i>figure</i> & more" in text
    assert "<script>" in text
    assert "a <b> run" in text


def test_it_says_what_was_measured_and_how_to_repeat_it(run, html):
    text = Page(html).text
    for needed in (
        "-log p(x)",
        "-ELBO",
        "active units",
        "bits per dimension",
        "0.9877",
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


def test_findings_are_shown(run, html):
    shown = Page(html).text
    assert "Healthy" in shown or "What to do:" in shown


def test_the_same_run_gives_the_same_page(run, html):
    assert write_report(run).read_text() == html


def test_a_run_without_curves_or_dimensions_still_has_a_report(run, tmp_path):
    bare = Run(run.config, run.codec, run.domain, run.vae, {}, tmp_path)
    page = Page(write_report(bare).read_text())
    assert not any("Training curves" in image["alt"] for image in page.images)


def test_a_model_file_alone_has_no_report(run):
    with pytest.raises(UsageError, match="folder"):
        write_report(Run(run.config, run.codec, run.domain, run.vae))


@pytest.mark.parametrize(("seconds", "text"), [(7.4, "0:07 min"), (61, "1:01 min"), (3725, "1:02:05 h")])
def test_clock(seconds, text):
    assert clock(seconds) == text
