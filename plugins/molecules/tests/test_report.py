"""The pages: what they say, that they open offline, and that nothing from outside gets into them unescaped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub_molecules.report.cards import Card, told
from vaehub_molecules.report.charts import best_means, histogram, latent_map, plane, score_curve
from vaehub_molecules.report.findings import Measure, RunFindings, SearchFindings
from vaehub_molecules.report.gather import gather, returned_card, sample_card
from vaehub_molecules.report.look import picture
from vaehub_molecules.report.measures import measures
from vaehub_molecules.report.page import render, write_report
from vaehub_molecules.report.searched import head, to_leads

FIGURES = {"exact_reconstruction": 0.5, "kl": 21.3, "active_units": 30.0, "validity": 0.97, "FCD": 1.5, "logp W1": 0.1}


def offline(page):
    return not any(word in page for word in ("<script", "<link", 'src="http', "url(http"))


def test_figures_of_reconstruction_and_of_samples_are_in_one_table():
    found = measures(FIGURES)
    assert [m.name for m in found["Reconstruction and latent space"]] == ["exact reconstruction", "KL", "active units"]
    assert [m.value for m in found["Samples"]] == ["0.970", "1.500", "0.100"]
    assert all(m.meaning for m in found["Reconstruction and latent space"])


def test_cards_tell_what_is_wrong():
    assert sample_card("", "C1CC", "", False) == Card("", "not a molecule", ("C1CC",), "bad")
    assert sample_card("CCO", "OCC", "QED 0.41", True).head == "seen in training"
    assert returned_card("CCO", True, 1.0).mark == "good"
    assert returned_card("CCN", False, 0.4).head == "returned: Tanimoto 0.40"
    assert returned_card("", False, 0.0).head == "returned: not a molecule"
    assert told(["CCO", ""]) == ["QED 0.41, logP -0.0, SA 2.0, weight 46", ""]


def test_likeness_to_leads():
    assert to_leads(["CCO"], []) == [""]
    assert to_leads(["CCO"], ["CCO"]) == ["Tanimoto 1.00 to the lead"]
    assert to_leads(["CCO"], ["c1ccccc1", "CCO"]) == ["Tanimoto 1.00 to lead 2"]
    assert head(2, {"a": 0.5, "b": 1.25}, ("a", "b")) == "2. a 0.5, b 1.25"


def test_means_of_the_best_so_far_leave_failed_calls_out():
    at, means = best_means(np.array([0.1, np.nan, 0.5, 0.3]), 2)
    assert at == [2, 3, 4]
    assert means == pytest.approx([0.1, 0.3, 0.4])


def test_charts_are_the_same_bits_and_take_little_data():
    scores = np.array([0.1, np.nan, 0.5])
    assert picture("a", score_curve(scores)).png == picture("a", score_curve(scores)).png
    assert picture("h", histogram("qed", {"training": np.array([0.5, np.nan]), "samples": np.array([])})).png
    assert picture("m", latent_map(np.random.default_rng(0).normal(size=(9, 4)), np.arange(9.0), "logp")).png


def test_the_plane_is_that_of_most_variance():
    codes = np.random.default_rng(0).normal(size=(50, 3)) * [5, 0.1, 3]
    points, share = plane(codes)
    assert share > 0.99
    np.testing.assert_allclose(np.abs(np.corrcoef(points[:, 0], codes[:, 0])[0, 1]), 1, atol=0.02)


def searched(**more):
    empty = {"leads": [], "best": [], "nearest": [], "pictures": [], "counts": [Measure("calls", "3")]}
    return SearchFindings("a search", "qed; 3 of 3 calls", [Measure("best score", "0.9")], **(empty | more))


def test_a_search_page_draws_the_best_beside_what_was_trained_on():
    cards = {"best": [Card("CCO", "1. 0.9", ("CCO",))], "nearest": [Card("CCN", "nearest in training: Tanimoto 0.40", ("CCN",))]}
    page = render("search.html", searched(**cards))
    assert page.count("<svg") == 2
    assert page.index("1. 0.9") < page.index("nearest in training")
    assert offline(page)


def test_a_search_without_a_score_says_so():
    assert "No call gave a score." in render("search.html", searched())


def test_what_users_wrote_is_escaped():
    page = render("search.html", searched(leads=[Card("C", "<script>alert(1)</script>", ("<b>",))]))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_page_without_unseen_molecules_leaves_their_parts_out():
    findings = RunFindings("r", "about", True, "Healthy", [], measures(FIGURES), [], "0 drawn", [], [], [], [], [])
    page = render("run.html", findings)
    assert "What comes back" not in page
    assert "active units" in page
    assert offline(page)


@pytest.fixture
def little(monkeypatch):
    """Few samples, so that a page takes seconds."""
    for name, value in {"DRAWN": 30, "SHOWN": 4, "PAIRS": 3, "MAPPED": 60}.items():
        monkeypatch.setattr(f"vaehub_molecules.report.gather.{name}", value)
    monkeypatch.setattr("vaehub_molecules.use.judge.DRAWN", 60)


@pytest.mark.usefixtures("little")
@pytest.mark.filterwarnings("ignore")
def test_the_page_of_a_run(run):
    findings = gather(run)
    assert len(findings.samples) == 4
    assert len(findings.pairs) == 3
    assert {"Reconstruction and latent space", "Samples"} == set(findings.measures)
    assert pd.Series([card.smiles for card in findings.way]).is_unique
    page = write_report(run).read_text()
    assert offline(page)
    assert "30 drawn" in page
