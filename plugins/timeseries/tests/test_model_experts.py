"""The experts: what they believe, what they draw, and what a folder keeps of them."""

import numpy as np
import pytest
import torch

from vaehub.base import Batch
from vaehub_timeseries.model.chain import extended, with_noise
from vaehub_timeseries.model.corrected import CorrectedExpert
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.model.experts import Experts, fit_experts
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.model.importance_sampling import ImportanceSamplingExpert
from vaehub_timeseries.model.settings import default_window

STEPS, PHI = 4, 0.8
SHORT = {"epochs": 1, "batch_size": 16, "monitor": "val_imputation", "score_rows": 0}
OF_ANY_VAE = {
    "domain": "timeseries",
    "latent": 3,
    "encoder": {"name": "masked_series", "width": 8, "layers": 1},
    "decoder": {"name": "series", "width": 8, "layers": 1},
    "likelihood": "normal",
    "trainer": {"accelerator": "cpu"},
    "train": SHORT,
}
CORRECTED = {
    **OF_ANY_VAE,
    "encoder": {"name": "linear_gaussian", "width": 8, "layers": 1},
    "decoder": "linear_gaussian",
    "likelihood": {"name": "normal", "scale": 0.1},
    "objective": "absolute_error",
}


def process():
    """AR(1) in two channels of their own."""
    lags = torch.stack([PHI**k * torch.eye(2, dtype=torch.float64) for k in range(STEPS)])
    return Autocovariance(torch.zeros(2).double(), lags, torch.full((2,), 1e-4).double())


def holed(length, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(length, 2)).cumsum(0) * 0.3
    return np.where(rng.random(x.shape) < share, np.nan, x)


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def predictions(expert, series):
    return [array for prediction in expert.predict(series) for array in (prediction.mean, prediction.sd)]


@pytest.fixture(scope="module")
def corrected():
    return fit_experts([holed(60)], STEPS, CORRECTED, 0, False)


@pytest.fixture(scope="module")
def completed():
    return fit_experts([holed(60)], STEPS, OF_ANY_VAE, 0, False)


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_short_and_long_series_are_believed_alike(level):
    expert = GaussianExpert("gaussian", process(), level)
    short = [holed(n, n) for n in (1, 3, 4)]
    both = expert.predict([*short, holed(30)])
    for values, prediction in zip(short, both, strict=False):
        smooth = expert.chain.smooth(torch.from_numpy(values))
        np.testing.assert_allclose(prediction.mean, smooth.mean.numpy(), atol=1e-8)
        gap = np.isnan(values)
        np.testing.assert_allclose(prediction.sd[gap], smooth.sd.numpy()[gap], rtol=1e-5)


def test_observed_cells_are_the_values_and_gaps_have_a_spread():
    values = holed(40)
    for expert in (GaussianExpert("a", process()), GaussianExpert("b", process(), causal=True)):
        (prediction,), (draws,) = expert.predict([values]), expert.draw([values], 5, 0)
        seen = ~np.isnan(values)
        assert np.array_equal(prediction.mean[seen], values[seen])
        assert not prediction.sd[seen].any()
        assert (prediction.sd[~seen] > 0).all()
        assert np.array_equal(draws[:, seen], np.broadcast_to(values[seen], (5, seen.sum())))
        assert np.isfinite(draws).all()


@pytest.mark.parametrize("hole", [False, True])
def test_with_causal_no_future_is_used(hole):
    expert = GaussianExpert("gaussian", process(), 0.3, causal=True)
    values, now = holed(40), 20
    other = values.copy()
    other[now:] = np.nan if hole else 100 + holed(20, 7)
    (before,), (after,) = expert.predict([values]), expert.predict([other])
    assert np.array_equal(before.mean[:now], after.mean[:now])
    assert np.array_equal(before.sd[:now], after.sd[:now])
    two_sided = GaussianExpert("gaussian", process(), 0.3).predict([other])[0]
    assert not np.array_equal(two_sided.mean[:now], before.mean[:now])


def test_causal_knows_what_a_window_ending_there_knows():
    values = np.full((9, 2), np.nan)
    values[3] = 1.0
    (prediction,) = GaussianExpert("gaussian", process(), causal=True).predict([values])
    expected = [0.0, 0.0, 0.0, 1.0, PHI, PHI**2, PHI**3, 0.0, 0.0]  # a window reaches back three steps
    np.testing.assert_allclose(prediction.mean[:, 0], expected, atol=1e-3)
    np.testing.assert_allclose(prediction.sd[4, 0] ** 2, 1 - PHI**2, atol=1e-3)


def test_the_sum_over_a_gap_varies_as_the_whole_covariance_says():
    """A gap of six steps, longer than a window: marginals alone would give a quarter of the variance."""
    values = np.zeros((12, 2))
    values[3:9] = np.nan
    expert = GaussianExpert("gaussian", process())
    lags = extended(with_noise(process(), 0.0), 12)[:, 0, 0].numpy()
    covariance = lags[np.abs(np.subtract.outer(np.arange(12), np.arange(12)))]
    gap = np.arange(3, 9)
    rest = np.setdiff1d(np.arange(12), gap)
    inner = covariance[np.ix_(gap, rest)] @ np.linalg.inv(covariance[np.ix_(rest, rest)]) @ covariance[np.ix_(rest, gap)]
    theory = (covariance[np.ix_(gap, gap)] - inner).sum()
    (draws,) = expert.draw([values], 8000, 3)
    found = draws[:, 3:9].sum(1).var(0)
    apart = (expert.predict([values])[0].sd[3:9] ** 2).sum(0)
    assert np.abs(found / theory - 1).max() < 6 * (2 / 8000) ** 0.5
    assert (apart < 0.5 * theory).all()


def test_draws_depend_on_the_seed_alone():
    expert, series = GaussianExpert("gaussian", process()), [holed(30), holed(9, 2)]
    assert same(expert.draw(series, 3, 5), expert.draw(series, 3, 5))
    assert not same(expert.draw(series, 3, 5), expert.draw(series, 3, 6))
    assert same(predictions(expert, series), predictions(GaussianExpert("gaussian", process()), series))


def test_a_belief_is_not_mixed_up_with_that_of_another_series():
    expert = GaussianExpert("gaussian", process())
    one, other = holed(30), holed(30, 9)
    first = expert.predict([one])[0].mean
    assert not np.array_equal(expert.predict([other])[0].mean, first)
    assert np.array_equal(expert.predict([one])[0].mean, first)


def test_generated_series_have_the_autocovariance():
    drawn = GaussianExpert("gaussian", process()).generate(4000, 10, 0)
    assert drawn.shape == (4000, 10, 2)
    for k in (0, 1, 6):
        assert abs((drawn[:, 0, 0] * drawn[:, k, 0]).mean() - PHI**k) < 0.08


def test_an_untrained_correction_is_exactly_zero(corrected):
    vae = corrected.run.vae
    expert = CorrectedExpert(GaussianExpert("gaussian", corrected.process), vae)
    windows = torch.from_numpy(np.stack([holed(STEPS, s) for s in range(8)]))
    assert bool(expert.correction(windows).any())
    saved = {name: p.clone() for name, p in vae.encoder.leave.named_parameters()}
    with torch.no_grad():
        for parameter in vae.encoder.leave.parameters():
            parameter.zero_()
    try:
        assert not expert.correction(windows).any()
        assert same(predictions(expert, [holed(30)]), predictions(expert.base, [holed(30)]))
    finally:
        vae.encoder.leave.load_state_dict(saved)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", ["corrected", "completed"])
def test_the_neural_expert_keeps_to_the_contract(kind, causal, request):
    fitted = request.getfixturevalue(kind)
    expert = Experts(fitted.process, fitted.run, causal).experts[-1]
    assert expert.name == "vae"
    assert isinstance(expert, {"corrected": CorrectedExpert, "completed": ImportanceSamplingExpert}[kind])
    series = [holed(n, n) for n in (1, 3, 4, 11, 30)]
    for values, prediction, draws in zip(series, expert.predict(series), expert.draw(series, 4, 0), strict=True):
        seen = ~np.isnan(values)
        assert np.array_equal(prediction.mean[seen], values[seen])
        assert not prediction.sd[seen].any()
        assert (prediction.sd[~seen] > 0).all()
        assert np.isfinite(prediction.mean).all()
        assert np.isfinite(prediction.sd).all()
        assert draws.shape == (4, *values.shape)
        assert np.array_equal(draws[:, seen], np.broadcast_to(values[seen], (4, seen.sum())))
    assert same(expert.draw(series, 4, 1), expert.draw(series, 4, 1))


@pytest.mark.parametrize("kind", ["corrected", "completed"])
def test_causal_neural_experts_use_no_future(kind, request):
    fitted = request.getfixturevalue(kind)
    expert = Experts(fitted.process, fitted.run, True).experts[-1]
    values = holed(20)
    other = values.copy()
    other[12:] += 5.0
    for one, two in zip(predictions(expert, [values]), predictions(expert, [other]), strict=True):
        np.testing.assert_allclose(one[:12], two[:12], atol=1e-5)


@pytest.mark.parametrize("kind", ["corrected", "completed"])
def test_what_is_saved_comes_back_bit_for_bit(kind, request, tmp_path):
    fitted = request.getfixturevalue(kind)
    fitted.save(tmp_path / "model")
    loaded, series = Experts.load(tmp_path / "model"), [holed(17, 4)]
    assert [e.name for e in loaded.experts] == [e.name for e in fitted.experts] == ["gaussian", "adapted", "vae"]
    for one, other in zip(fitted.experts, loaded.experts, strict=True):
        assert same(predictions(one, series), predictions(other, series))
        assert same(one.draw(series, 2, 3), other.draw(series, 2, 3))
    assert np.array_equal(fitted.generate(2, 9, 0), loaded.generate(2, 9, 0))


def test_closed_form_alone_is_saved_too_with_its_causality(tmp_path):
    fitted = fit_experts([holed(60)], STEPS, None, 0, True)
    assert fitted.run is None
    fitted.save(tmp_path / "model")
    loaded = Experts.load(tmp_path / "model")
    assert loaded.causal
    assert same(predictions(loaded.experts[-1], [holed(20)]), predictions(fitted.experts[-1], [holed(20)]))
    assert not list((tmp_path / "model").glob("vae*"))


def test_fitting_twice_gives_the_same_bits(corrected):
    again = fit_experts([holed(60)], STEPS, CORRECTED, 0, False)
    assert same(predictions(again.experts[-1], [holed(20)]), predictions(corrected.experts[-1], [holed(20)]))


def test_generate_is_one_window_by_default(corrected):
    assert corrected.generate(3, None, 0).shape == (3, STEPS, 2)


def test_windows_fit_the_size_of_the_data():
    assert default_window([np.zeros((1000, 2))]) == 48
    assert default_window([np.zeros((10, 2)), np.zeros((7, 2))]) == 10
    assert default_window([np.zeros((1000, 100))]) == 5
    assert default_window([np.zeros((1000, 5000))]) == 1


def test_the_trained_vae_is_in_eval_mode_so_that_it_hides_nothing(corrected):
    assert not corrected.run.vae.training
    x = torch.randn(4, STEPS, 2)
    assert bool(corrected.run.vae.encoder.seen(Batch(x)).all())


@pytest.mark.parametrize("length", [STEPS, 5 * STEPS])
def test_one_wild_reading_does_not_move_its_neighbours_further_than_it_may(length):
    """A reading hundreds of standard deviations out once moved what was imputed beside it by as much."""
    values = np.zeros((length, 2))
    values[1, 0], values[2, 0] = 400.0, np.nan
    expert = GaussianExpert("gaussian", process())
    (prediction,) = expert.predict([values])
    assert 0 < prediction.mean[2, 0] < 8
    assert prediction.mean[1, 0] == 400.0
    (drawn,) = expert.draw([values], 5, 0)
    assert (drawn[:, 1, 0] == 400.0).all()
    assert np.abs(drawn[:, 2, 0]).max() < 20
