"""The network on beliefs: what its parts are before training, the pool that it learns from, and that it is kept only where it pays."""

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector

from vaehub import InMemory, Run, Spec, UsageError, build_vae, seeded
from vaehub.base import Batch
from vaehub.model.likelihoods import Normal
from vaehub.model.posteriors import DiagNormal
from vaehub_timeseries import Imputer
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.frames import ReadOptions
from vaehub_timeseries.impute.experts import Prediction
from vaehub_timeseries.model import correction
from vaehub_timeseries.model.averaged import averaged_training
from vaehub_timeseries.model.belief_pool import BeliefPool, cut_series
from vaehub_timeseries.model.corrected import BeliefExpert
from vaehub_timeseries.model.correction import UNTRIED, NetworkGain, fit_correction
from vaehub_timeseries.model.cycle import fit_cycle
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.experts import Experts, drifting_expert
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.parts.absolute_error import AbsoluteError
from vaehub_timeseries.parts.beliefs import BeliefDecoder, BeliefEncoder, joined
from vaehub_timeseries.parts.cells import FEATURES, cell_features, values_before

STEPS = 4
SPEC = Spec((STEPS, 2), cond=16)


def belief(rows=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sd = torch.rand(rows, *SPEC.shape, generator=generator)
    sd[:, 0] = 0.0  # the first step was seen
    return torch.randn(rows, *SPEC.shape, generator=generator), sd


def bent(length, seed):
    """A channel that follows neighbouring cells, and its size, which no linear function of them gives."""
    rng = np.random.default_rng(seed)
    walk = np.zeros(length)
    for t in range(1, length):
        walk[t] = 0.9 * walk[t - 1] + rng.normal() * 0.44
    values = np.stack([walk, (np.abs(walk) - 0.8) / 0.6], 1)
    return np.where(rng.random(values.shape) < 0.1, np.nan, values)


def closed_form(series):
    return drifting_expert(fit_autocovariance([torch.from_numpy(x) for x in series], STEPS, 0), False)


@pytest.fixture(scope="module")
def base():
    return closed_form([bent(1500, 0)])


def test_the_decoder_adds_the_code_in_units_of_sd():
    mean, sd = belief()
    z = torch.randn(5, 8)
    px = BeliefDecoder(SPEC, 8, Normal(SPEC, scale=0.1))(z, joined(mean, sd))
    assert torch.allclose(px.mean, mean + sd * z.view_as(sd))
    assert torch.equal(px.mean[:, 0], mean[:, 0])


def test_before_training_the_posterior_is_the_prior():
    encoder = BeliefEncoder(SPEC, DiagNormal(8), width=8, layers=1)
    q = encoder(Batch(torch.zeros(5, *SPEC.shape), joined(*belief())))
    assert not q.mean.any()
    assert bool((q.variance == 1).all())


def test_draws_come_in_pairs_around_the_mean():
    encoder = BeliefEncoder(SPEC, DiagNormal(8), width=8, layers=1)
    with torch.no_grad():
        encoder.leave.bias.fill_(0.7)
    q = encoder(Batch(torch.zeros(5, *SPEC.shape), joined(*belief())))
    torch.testing.assert_close(q.rsample((4,)).mean(0), torch.full((5, 8), 0.7))


def test_a_code_of_another_size_is_refused():
    with pytest.raises(UsageError, match="set latent to 8"):
        BeliefDecoder(SPEC, 3, Normal(SPEC))


def test_a_pool_holds_the_truth_of_hidden_cells_and_shows_the_rest(base):
    series = np.arange(120.0).reshape(60, 2) / 60  # every value tells where it is from
    pool = BeliefPool.of(base, [series], 4, 0)
    assert np.isin(pool.truth[pool.hidden].numpy(), series.astype(np.float32)).all()
    shown = ~pool.hidden & (pool.mean != 0)
    first = (pool.mean[:, 0, 0] * 30).round().long()
    for number in torch.nonzero(shown.flatten(1).all(1)).flatten().tolist():
        assert pool.mean[number].numpy() == pytest.approx(series[first[number] : first[number] + STEPS].astype(np.float32))
    whole = pool.sd[:, :, 0] == 0
    assert torch.equal(whole & pool.hidden[:, :, 0], torch.zeros_like(whole))
    assert bool((pool.sd[pool.hidden] > 0).all())
    assert 0.05 < pool.hidden.float().mean().item() < 0.6
    steps_from = (first.float() - pool.place * STEPS)[pool.sd[:, 0, 0] == 0]
    assert bool(((steps_from >= 0) & (steps_from < STEPS)).all())


def test_windows_begin_at_other_steps_in_every_round_and_pieces_are_apart():
    series = [np.arange(50.0).reshape(50, 1), np.arange(50.0, 53.0).reshape(3, 1)]
    rng = np.random.default_rng(0)
    firsts = {cut_series(series, 8, False, rng)[1][0] for _ in range(30)}
    assert firsts == set(range(8))
    cut, starts = cut_series(series, 8, True, rng)
    assert [piece[0, 0] for piece in cut] == starts
    assert max(map(len, cut)) == 8
    assert starts[-1] == 50  # a short series is taken whole


def test_a_change_of_level_moves_truth_and_belief_alike(base):
    pool = BeliefPool.of(base, [bent(60, 1)], 1, 0)
    still, moved = pool.rows(), pool.rows(shift=1.0)
    index = torch.arange(len(pool.truth))
    torch.manual_seed(0)
    (x, cond, mask, _), (x_moved, cond_moved, _, _) = still[index], moved[index]
    change = (cond_moved - cond)[:, : pool.truth[0].numel()].view_as(x)
    assert 0 < (change != 0).float().mean().item() < 1
    torch.testing.assert_close((x_moved - x)[mask], change[mask], atol=1e-5, rtol=0)
    assert torch.equal(cond_moved[:, pool.truth[0].numel() :], cond[:, pool.truth[0].numel() :])


def test_the_gain_is_the_share_of_the_error_that_a_move_takes_away():
    truth = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(4, 1, 1)
    pool = BeliefPool(truth, torch.zeros_like(truth), torch.ones_like(truth), torch.ones(4, 1, 1).bool(), torch.arange(4))
    share, error = pool.relative_gain(0.1 * truth)
    assert share == pytest.approx(0.1)
    assert error == pytest.approx(0.0, abs=1e-6)
    share, error = pool.relative_gain(torch.tensor([0.0, 0.0, 0.0, 1.0]).view(4, 1, 1))
    assert share == pytest.approx(0.1)
    apart = np.array([-0.1, -0.2, -0.3, 0.6])
    assert error == pytest.approx(np.sqrt((apart**2).sum() * 4 / 3) / 10, rel=1e-5)


@pytest.mark.slow
def test_a_network_is_kept_where_one_variable_bends_with_another(base, tmp_path):
    series = [bent(1500, 0)]
    run, gain = fit_correction(base, series, 0)
    assert gain.kept
    assert gain.gain > 0.05
    assert gain.gain > 2 * gain.error
    new = bent(200, 5)
    hidden = np.random.default_rng(0).random(new.shape) < 0.2
    given = np.where(hidden, np.nan, new)
    expert = BeliefExpert(base, run.vae)
    (before,), (after,) = base.predict([given]), expert.predict([given])
    cells = hidden & ~np.isnan(new)
    assert np.abs(after.mean - new)[cells].mean() < 0.95 * np.abs(before.mean - new)[cells].mean()
    seen = ~np.isnan(given)
    assert np.array_equal(after.mean[seen], given[seen])
    (draws,) = expert.draw([given], 3, 0)
    assert np.array_equal(draws[:, seen], np.broadcast_to(given[seen], (3, int(seen.sum()))))
    fitted = Experts(base.process, run, gain=gain)
    fitted.save(tmp_path / "model")
    loaded = Experts.load(tmp_path / "model")
    assert loaded.gain == gain
    assert np.array_equal(loaded.experts[-1].predict([given])[0].mean, fitted.experts[-1].predict([given])[0].mean)


@pytest.mark.slow
def test_no_network_is_kept_where_the_closed_form_is_exact():
    series = [np.random.default_rng(3).normal(size=(600, 2))]
    lags = torch.zeros(STEPS, 2, 2).double()
    lags[0] = torch.eye(2)
    exact = GaussianExpert("exact", Autocovariance(torch.zeros(2).double(), lags, torch.full((2,), 1e-6).double()))
    run, gain = fit_correction(exact, series, 0)
    assert run is None
    assert not gain.kept
    assert gain.seconds > 0
    assert "not used" in str(gain)


class Oracle:
    """A closed form that leaves nothing to correct: it knows the series that windows are cut from."""

    name, steps = "oracle", STEPS

    def __init__(self, truth):
        self.truth = truth

    def predict(self, series):
        return [Prediction(self.known(x), np.where(np.isnan(x), 0.1, 0.0)) for x in series]

    def known(self, values):
        """The part of the truth (T, C) that agrees with what is seen of it."""
        for start in range(len(self.truth) - len(values) + 1):
            part = self.truth[start : start + len(values)]
            seen = ~np.isnan(values)
            if np.array_equal(part[seen], values[seen]):
                return np.where(seen, values, np.nan_to_num(part))
        raise AssertionError("not from this series")

    def draw(self, series, n, seed):
        raise AssertionError("not asked for")


@pytest.mark.slow
def test_a_network_is_judged_by_what_it_adds_to_the_best_closed_form(base):
    series = bent(1500, 0)
    run, gain = fit_correction(base, [series], 0, Oracle(series))
    assert run is None
    assert not gain.kept
    assert gain.gain <= 0


def test_a_network_corrects_the_covariances_by_phase_where_there_are_some(base):
    config = correction.config_of(Spec((STEPS, 2), cond=4 * STEPS))
    with seeded("test", 0):
        vae = build_vae(config, Spec((STEPS, 2), cond=4 * STEPS))
    rows = InMemory(SeriesCodec(Spec((STEPS, 2), cond=4 * STEPS), ReadOptions()), {})
    run = Run(config, rows.codec, rows, vae)
    cycle = fit_cycle(base.process, [bent(600, 1)], (2.0,), 0.3)
    assert cycle is not None
    for found, name in ((cycle, "cyclic"), (None, "adapted")):
        *_, closed, network = Experts(base.process, run, cycle=found).experts
        assert (closed.name, network.name) == (name, "vae")
        assert network.base is closed


def test_more_updates_where_windows_are_short_or_many():
    assert correction.updates(200, 96, 64) == 300
    assert correction.updates(400, 12, 64) == 600
    assert correction.updates(40, 12, 64) == 80
    assert correction.updates(5_000, 48, 32) == 5_000 * 20 // 32
    assert correction.updates(100_000, 48, 64) == 4_000


def test_a_cell_is_described_by_the_shown_values_around_it():
    mean = torch.tensor([1.0, 2.0, 0.5, 4.0, 8.0]).view(1, 5, 1)
    sd = torch.tensor([0.0, 0.0, 0.5, 0.0, 0.0]).view(1, 5, 1)
    places = (torch.tensor([0]), torch.tensor([2]), torch.tensor([0]))
    near, far = values_before(mean, sd <= 0, places)
    assert [float(near.value), float(near.distance), float(far.value), float(far.distance)] == [2.0, 1.0, 1.0, 2.0]
    features = cell_features(mean, sd, places)
    assert features.shape == (1, FEATURES)
    centre, _, place, apart, before, steps_before, _, _, after = features[0, :9].tolist()
    assert (centre, place, apart) == pytest.approx((0.5 / 3, 2 / 5, 4.0 / 2))
    assert (before, steps_before, after) == pytest.approx((3.0 / 2, np.log(2) / 2, 6.0 / 2))  # 7 sd off counts as FARTHEST
    near, far = values_before(mean, sd <= 0, (places[0], torch.tensor([0]), places[2]))
    assert not near.there
    assert not far.there


def test_only_the_cells_that_the_loss_is_taken_at_are_asked_about_while_training():
    encoder = BeliefEncoder(SPEC, DiagNormal(8), width=8, layers=1, cells=8)
    with torch.no_grad():
        encoder.cells.leave[-1].bias.fill_(1.0)
    mean, sd = belief()
    hidden = torch.zeros(5, *SPEC.shape, dtype=torch.bool)
    hidden[:, 1, 0] = True
    batch = Batch(torch.zeros(5, *SPEC.shape), joined(mean, sd), hidden)
    assert torch.equal(encoder.train()(batch).mean.view_as(sd) != 0, hidden)
    assert torch.equal(encoder.eval()(batch).mean.view_as(sd) != 0, sd > 0)


def test_averaged_weights_follow_the_weights_and_repeat(base):
    pool = BeliefPool.of(base, [bent(400, 1)], 1, 0)
    spec = Spec((STEPS, 2), cond=16)

    def weights():
        with seeded("network", 0):
            vae = build_vae(correction.config_of(spec), spec)
        config = correction.config_of(spec)
        trained = averaged_training(vae, AbsoluteError(relative=False), pool.rows(), config, 12, 5, 0)
        return [parameters_to_vector(averaged.parameters()).clone() for averaged in trained]

    first, again = weights(), weights()
    assert len(first) == 3  # after 5, 10 and 12 updates
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])


def test_too_few_windows_are_not_tried(base, tmp_path):
    assert fit_correction(base, [bent(STEPS * (correction.FEWEST - 1), 0)], 0) == (None, UNTRIED)
    imputer = Imputer(window=STEPS).fit(bent(60, 0))
    assert imputer.network_ == UNTRIED
    imputer.save(tmp_path / "small")
    assert Imputer.load(tmp_path / "small").network_ == UNTRIED
    assert str(imputer.network_) == "not tried: too few windows, causal=True, or a model of one's own"
    lower = "used: the error on cells hidden from it was 3.1% lower (standard error 0.4%) than that of the closed form; 12 s"
    assert str(NetworkGain(True, 0.031, 0.004, 12.2)) == lower
    higher = "tried and not used: the error on cells hidden from it was 0.6% higher (standard error 0.3%) than that of the closed form; 9 s"
    assert str(NetworkGain(False, -0.006, 0.003, 9.0)) == higher
