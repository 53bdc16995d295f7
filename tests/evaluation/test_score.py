"""Scores depend on the row and the seed alone; percentiles rank rows among the training rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vaehub.config.build import build_domain, build_vae
from vaehub.config.load import load_config
from vaehub.data.rows import Subset, TensorData
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.importance import draw_with_same_noise
from vaehub.evaluation.score import PERCENTS, bounded, percentile, raw_scores, reference, score
from vaehub.run import Run

PARTS = [("diag_normal", "standard_normal"), ("full_normal", "vamp"), ("iaf", "flow")]


def model(posterior="diag_normal", prior="standard_normal", **domain):
    config = load_config(
        {
            "domain": {"name": "toy", **domain},
            "posterior": posterior,
            "prior": prior,
            "encoder": {"hidden": [8]},
            "decoder": {"hidden": [8]},
        }
    )
    toy = build_domain(config)
    with seeded("model"):
        return Run(config, toy.codec, toy, build_vae(config, toy.codec.spec))


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A model that knows the toy data a little, with its reference."""
    run = model()
    x = run.data("train").rows.x
    optimizer = torch.optim.Adam(run.vae.parameters(), 1e-2)
    with seeded("fit"):
        for _ in range(150):
            loss = -run.vae(run.data("train")[torch.randint(len(x), (64,))]).elbo.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    run.state["score"] = reference(run.vae, run.data("train"), 10_000)
    return run


@pytest.mark.parametrize(("posterior", "prior"), PARTS)
def test_a_score_depends_on_neither_order_nor_neighbours(posterior, prior):
    run = model(posterior, prior)
    data = run.data("val")
    whole = raw_scores(run.vae, data, 4, 0)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1))
    shuffled = raw_scores(run.vae, Subset(data, order), 4, 0)
    alone = raw_scores(run.vae, Subset(data, torch.tensor([150])), 4, 0)
    for name in ("elbo", "iw"):
        np.testing.assert_allclose(shuffled[name], whole[name][order], atol=1e-4)
        np.testing.assert_allclose(alone[name], whole[name][150:151], atol=1e-4)


def test_equal_rows_have_equal_scores_and_the_seed_matters():
    run = model()
    row = run.data("val")[torch.zeros(250, dtype=torch.long)]
    a, b = (raw_scores(run.vae, TensorData(row.x), 4, seed)["iw"] for seed in (0, 1))
    assert np.ptp(a) < 1e-4
    assert abs(a[0] - b[0]) > 1e-4


@pytest.mark.parametrize(("posterior", "prior"), PARTS)
def test_the_noise_is_common_to_all_rows_and_standard_normal(posterior, prior):
    run = model(posterior, prior)
    batch = run.data("val")[torch.zeros(100, dtype=torch.long)]
    with torch.no_grad(), seeded("noise"):
        q, z = run.vae.encoder(batch), draw_with_same_noise(run.vae, batch, 1000)[0]
    assert (z - z[:, :1]).abs().max() < 1e-4
    if posterior == "diag_normal":
        eps = (z[:, 0] - q.mean[0]) / q.stddev[0]
        assert eps.mean(0).abs().max() < 0.1
        assert (eps.std(0) - 1).abs().max() < 0.1


def test_training_rows_have_even_percentiles(scored):
    table = score(scored, scored.data("train"))
    assert list(table) == ["row", "elbo_score", "iw_score", "percentile", "iw_percentile"]
    for name in ("percentile", "iw_percentile"):
        share = np.histogram(table[name], bins=5, range=(0, 100))[0] / len(table)
        np.testing.assert_allclose(share, 0.2, atol=0.02)
    assert (table["iw_score"] < table["elbo_score"] + 0.5).all()


def test_rows_unlike_the_training_data_come_out_at_the_top(scored):
    noise = (torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    usual, unusual = score(scored, scored.data("val")), score(scored, TensorData(noise))
    assert (unusual["percentile"] > 99).all()
    assert usual["percentile"].between(5, 99).mean() > 0.5
    assert usual["percentile"].is_monotonic_increasing == usual["elbo_score"].is_monotonic_increasing


def test_percentiles_rise_with_the_score_and_end_at_0_and_100():
    quantiles = np.sort(np.concatenate([np.full(40, 1.0), np.linspace(1, 5, 61)])).tolist()
    values = np.linspace(-3, 9, 500)
    found = percentile(values, quantiles)
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0
    assert found[-1] == 100
    assert percentile(np.array([1.0]), quantiles)[0] == pytest.approx(20, abs=1)  # the middle of equal scores


def test_the_reference_is_small_json_of_at_most_10000_rows(scored):
    stored = scored.state["score"]
    assert stored["rows"] == 400
    assert len(stored["elbo"]) == len(stored["iw"]) == 101
    assert all(isinstance(v, float) for v in stored["elbo"])
    assert stored["elbo"] == sorted(stored["elbo"])
    assert reference(scored.vae, scored.data("train"), 10_000) == stored


def test_gaps_and_conditions_are_scored_too():
    for options in ({"gaps": 0.3}, {"classes": True}):
        run = model(**options)
        assert np.isfinite(raw_scores(run.vae, run.data("val"), 3, 0)["iw"]).all()


def test_a_model_without_reference_or_no_rows_is_a_usage_error(scored):
    with pytest.raises(UsageError, match="reference scores"):
        score(model(), model().data("val"))
    with pytest.raises(UsageError, match="at least one row"):
        score(scored, TensorData(torch.zeros(0, 1, 8, 8)))


def test_scores_that_are_not_finite_give_quantiles_that_increase():
    values = np.array([1.0, 2.0, np.inf, np.inf, np.nan, -np.inf])
    quantiles = np.percentile(bounded(values), PERCENTS)
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles) >= 0).all()
