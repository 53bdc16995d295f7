"""The pages: what they say, that they open offline, and that nothing from outside gets into them unescaped."""

from __future__ import annotations

import re
from functools import partial
from html import unescape

import numpy as np
import pandas as pd
import pytest

from vaehub.report import Card, Page, Section
from vaehub.report.style import HALF, NARROW, drawn, svg
from vaehub_molecules.report.cards import card, property_lines
from vaehub_molecules.report.charts import best_means, front_figure, latent_figure, property_figure, score_figure
from vaehub_molecules.report.measures import described_figures, meaning
from vaehub_molecules.report.sections import returned_card, run_sections, sample_card
from vaehub_molecules.search import Constraints, optimize
from vaehub_molecules.search.evolve import Evolve
from vaehub_molecules.search.provenance import command
from vaehub_molecules.search.report import ORIGINS, model_link, search_page
from vaehub_molecules.use.latent_space import LatentSpace

FIGURES = {"exact_reconstruction": 0.5, "token_reconstruction": 0.9, "validity": 0.97, "FCD": 1.5, "weight W1": 123.4}


def offline(page):
    return not re.search(r'<script[^>]* src|<link|src="(?!data:)|url\((?!#)|href="http|fetch\(|XMLHttpRequest', page)


def test_figures_of_reconstruction_and_of_samples_are_in_one_table():
    found = described_figures(FIGURES)
    assert [m.name for m in found["Reconstruction"]] == ["exact reconstruction", "token reconstruction"]
    assert [m.value for m in found["Samples"]] == ["0.970", "1.500", "123"]
    assert all(m.meaning for m in found["Reconstruction"])


def test_a_share_comes_with_its_standard_error_and_no_two_figures_have_one_meaning():
    (exact,) = described_figures({"exact_reconstruction": 0.5, "exact_reconstruction_se": 0.0125})["Reconstruction"]
    assert exact.value == "0.500 ± 0.013"
    names = ["uniqueness", "uniqueness@1k", "IntDiv", "IntDiv2", "logp W1", "weight W1"]
    assert len({meaning(name) for name in names}) == len(names)
    assert "g/mol" in meaning("weight W1")


def test_cards_tell_what_is_wrong():
    assert sample_card("", "C1CC", "", False) == Card("not a molecule", None, ("C1CC",), tone="error")
    assert sample_card("CCO", "OCC", "QED 0.41", True).title == "seen in training"
    assert returned_card("CCO", True, 1.0).tone == "good"
    assert returned_card("CCN", False, 0.4).title == "returned: Tanimoto 0.40"
    assert returned_card("", False, 0.0).title == "returned: not a molecule"
    assert property_lines(["CCO", ""]) == ["QED 0.41, logP -0.0, SA 2.0, weight 46", ""]


def test_a_drawn_molecule_is_told_to_those_who_cannot_see_it():
    markup = card("c1ccccc1").drawing.markup
    assert markup.startswith('<svg role="img" aria-label="the molecule c1ccccc1"')
    assert "<title>the molecule c1ccccc1</title>" in markup


def test_means_of_the_best_so_far_leave_failed_calls_out():
    at, means = best_means(np.array([0.1, np.nan, 0.5, 0.3]), 2)
    assert at == [2, 3, 4]
    assert means == pytest.approx([0.1, 0.3, 0.4])


def test_charts_take_little_data():
    scores = np.array([0.1, np.nan, 0.5])
    groups = {"training molecules": np.array([0.5, np.nan]), "samples": np.array([])}
    trace = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.1]})
    codes = np.random.default_rng(0).normal(size=(9, 4))
    for figure in (
        score_figure(scores),
        property_figure("qed", "QED", groups),
        latent_figure(codes, np.arange(9.0), "logp"),
        front_figure(trace, trace, ("a", "b")),
    ):
        for canvas in (HALF, NARROW):
            assert svg(drawn(figure.draw, canvas), "key", figure.alt).count("<text") > 2


@pytest.fixture(scope="module")
def made(run):
    """A short search from a lead and a small pool, with its page."""
    space = LatentSpace(run)
    pool = [smiles for smiles in space.domain.train["smiles"] if space.can_read(smiles)][:40]
    limits = Constraints(sa_max=4.0, elements=("C", "N", "O"))
    return space, partial(optimize, space, "qed", 12, Evolve(population=6), [pool[0]], limits, 3, workers=0, pool=pool)


@pytest.mark.filterwarnings("ignore")
def test_a_search_page_says_how_it_was_made_and_where_it_began(made, tmp_path):
    space, search = made
    result = search(out=tmp_path / "best")
    page = (tmp_path / "best" / "report.html").read_text()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert offline(page)
    for needed in ("method evolve", "seed 3", "sa_max 4.0", "elements C, N, O", "population 6", "40 molecules", "1 molecules"):
        assert needed in text, needed
    assert f"vaehub molecules optimize {space.run.path}" in text
    assert "--sa-max 4.0" in text
    assert "--element C --element N --element O" in text
    given = result.trace[result.trace["by"].isin(["lead", "pool"])]["score"].max()
    assert f"best of leads and pool {given:#.4g}" in text
    for by in result.trace["by"].unique():
        assert ORIGINS[by] in unescape(page)
    assert 'class="away"' not in page  # the model has no page of its own yet


def test_a_search_page_links_to_the_page_of_its_model(made, tmp_path):
    space, _ = made
    (space.run.path / "report.html").write_text("")
    (link,) = model_link(space, tmp_path)
    assert (tmp_path / link.href).resolve() == (space.run.path / "report.html").resolve()
    assert not link.href.startswith("/")
    (space.run.path / "report.html").unlink()
    assert model_link(space, tmp_path) == []


def test_every_origin_is_explained():
    from vaehub_molecules.search.hybrid import PROPOSERS

    assert {proposer.name for proposer in PROPOSERS} | {"lead", "pool", "bo"} <= ORIGINS.keys()


@pytest.mark.filterwarnings("ignore")
def test_a_search_without_a_score_says_so(made, tmp_path):
    space, search = made
    result = search()
    for call in result.buffer.calls:
        object.__setattr__(call.answer, "values", ())
    settings = {"objective": ["qed"], "budget": 12, "method": "hybrid", "seed": 0, "constraints": {}}
    html = search_page(result, space, tmp_path, settings).html()
    assert "No call gave a score." in html
    assert not re.search(r"\bnan\b", re.sub(r"<style>.*?</style>", "", html, flags=re.S).lower())


def test_what_users_wrote_is_escaped(run, tmp_path):
    settings = {"objective": ["<script>"], "budget": 1, "method": "<b>", "seed": 0, "constraints": {"scaffold": "<i>"}}
    said = command(LatentSpace(run), tmp_path, settings)
    assert "'<script>'" in said
    assert "--scaffold '<i>'" in said
    html = Page("x", [Section("y", [])], said).html()
    assert "<script>" not in html


@pytest.fixture
def little(monkeypatch):
    """Few samples, so that a page takes seconds."""
    for name, value in {"DRAWN": 30, "SHOWN": 4, "PAIRS": 3, "MAPPED": 60}.items():
        monkeypatch.setattr(f"vaehub_molecules.report.sections.{name}", value)
    monkeypatch.setattr("vaehub_molecules.use.evaluation.SAMPLES", 60)


@pytest.mark.slow
@pytest.mark.usefixtures("little")
@pytest.mark.filterwarnings("ignore")
def test_a_run_has_molecules_on_its_page(run):
    titles = {section.title: section for section in run_sections(run)}
    assert list(titles) == [
        "What it is worth", "New molecules", "What comes back", "What lies near", "From one to another", "Properties"
    ]  # fmt: skip
    assert len(titles["New molecules"].blocks[0].groups) == 4
    assert len(titles["What comes back"].blocks[0].groups) == 3
    way = [group[0].code for group in titles["From one to another"].blocks[0].groups]
    assert pd.Series(way).is_unique
    page = Page("run", list(titles.values())).html()
    assert offline(page)
    assert "30 drawn" in page
    assert page.count('role="img"') == page.count("<svg")


@pytest.mark.filterwarnings("ignore")
def test_a_run_without_unseen_molecules_leaves_their_parts_out(run, little, monkeypatch):
    monkeypatch.setattr("vaehub_molecules.report.sections.readable_test_molecules", lambda space: [])
    assert [section.title for section in run_sections(run)] == ["What it is worth", "New molecules", "Properties"]
