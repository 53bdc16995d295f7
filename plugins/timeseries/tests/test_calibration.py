import numpy as np
import pytest
from scipy.stats import norm

from vaehub_timeseries.gaps import gap_lengths
from vaehub_timeseries.impute.blend import LINEAR, CalibratedBlend, CrossValidation
from vaehub_timeseries.impute.conformal import Calibration, score_sums
from vaehub_timeseries.impute.experts import with_observed
from vaehub_timeseries.impute.fit import cells_to_hold_out
from vaehub_timeseries.impute.gate import best_weights, lattice, lattice_losses
from vaehub_timeseries.impute.groups import EDGES, GroupSums, gap_bins
from vaehub_timeseries.impute.held_out import HeldOut, excerpt, hold_out, predict_held_out
from vaehub_timeseries.impute.hide import co_missingness, hide
from vaehub_timeseries.impute.linear import LinearExpert

BINS = len(EDGES)
DRAWS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "heavy": lambda rng, n: rng.standard_t(3, n),
    "skew": lambda rng, n: rng.exponential(1, n) - 0.7,
    "narrow": lambda rng, n: 0.3 * rng.standard_normal(n),
}


class Fixed:
    """Believes `shift` and `sd` of every missing cell, whatever is seen."""

    name = "fixed"

    def __init__(self, shift=0.0, sd=1.0):
        self.shift, self.sd = shift, sd

    def predict(self, series):
        return [with_observed(x, np.full(x.shape, self.shift), np.full(x.shape, self.sd)) for x in series]


def calibrated(z, group=None, channels=1):
    group = np.zeros(len(z), dtype=int) if group is None else group
    return Calibration.of(score_sums(group, z, np.ones(len(z)), channels))


def cells(truth, means, sds=None, group=None, place=None):
    truth, means = np.asarray(truth, float), np.asarray(means, float)
    n = len(truth)
    return HeldOut(
        truth,
        means,
        np.ones_like(means) if sds is None else sds,
        np.zeros(n, int) if group is None else group,
        np.linspace(0, 0.999, n) if place is None else place,
        np.zeros(n),
        np.ones(n),
        np.zeros((0, n)),
        np.full(n, np.nan),
        np.full(n, np.nan),
        means[0],
    )


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("n", [3, 10, 40, 500])
def test_intervals_are_honest_with_few_scores(name, n):
    rng, draw = np.random.default_rng(0), DRAWS[name]
    held = []
    for _ in range(80):
        low, high = calibrated(draw(rng, n)).quantiles(np.array([0.05, 0.95]))[0, 0]
        y = draw(rng, 500)
        held.append(((y >= low) & (y <= high)).mean())
    assert np.mean(held) > 0.86
    assert n < 500 or np.mean(held) < 0.915


def test_quantiles_never_cross_and_reach_beyond_the_data():
    z = np.random.default_rng(0).standard_normal(200)
    levels = np.linspace(0.001, 0.999, 400)
    q = calibrated(z).quantiles(levels)[0, 0]
    assert (np.diff(q) > 0).all()
    assert calibrated(z).quantiles(np.array([1e-4]))[0, 0, 0] < z.min() - 0.3


def test_intervals_follow_skew_and_shift():
    z = np.random.default_rng(0).exponential(1, 4000) + 1
    low, middle, high = calibrated(z).quantiles(np.array([0.05, 0.5, 0.95]))[0, 0]
    assert abs(low - 1.05) < 0.05
    assert abs(middle - 1 - np.log(2)) < 0.08
    assert abs(high - 1 - np.log(20)) < 0.35


def test_groups_with_scores_have_their_own_width_and_others_borrow():
    rng = np.random.default_rng(0)
    group = np.repeat([0, BINS], 2000)
    z = rng.standard_normal(4000) * np.repeat([0.5, 2.0], 2000)
    width = np.diff(calibrated(z, group, 3).quantiles(np.array([0.05, 0.95])), axis=-1)[..., 0]
    assert abs(width[0, 0] / (2 * 1.645) - 0.5) < 0.05
    assert abs(width[1, 0] / (2 * 1.645) - 2.0) < 0.1
    assert width[0, 4] == pytest.approx(width[0, 0], rel=0.1)
    assert width[0, 0] < width[2, 0] < width[1, 0]


def test_equal_scores_are_covered():
    low, high = calibrated(np.zeros(500)).quantiles(np.array([0.05, 0.95]))[0, 0]
    assert -0.3 < low < 0 < high < 0.3


def test_crps_is_the_integral_and_that_of_a_normal():
    rng = np.random.default_rng(0)
    fit = calibrated(rng.standard_normal(200_000))
    y, group = np.array([-4.0, -0.7, 0.0, 1.3, 30.0, 900.0]), np.zeros(6, dtype=int)
    t = np.linspace(-1000, 1000, 400_001)
    cdf = fit.levels(t, np.zeros(len(t), dtype=int))
    exact = [np.sum((cdf - (t >= z)) ** 2) * (t[1] - t[0]) for z in y]
    assert fit.crps(y, group) == pytest.approx(exact, abs=6e-3)
    normal = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    assert fit.crps(y, group) == pytest.approx(normal, rel=0.01, abs=0.01)


def test_levels_and_quantiles_are_inverse():
    rng = np.random.default_rng(0)
    fit, group = calibrated(rng.standard_normal(300)), np.zeros(50, dtype=int)
    u = rng.random(50)
    assert fit.levels(fit.quantiles_at(u, group), group) == pytest.approx(u)


def test_a_group_borrows_from_its_channel_and_a_channel_from_all():
    pool = GroupSums(np.zeros((2, BINS, 1)), np.zeros((2, BINS)))
    pool.total[0, 0], pool.count[0, 0] = 4000.0, 1000.0
    pool.total[1, 1], pool.count[1, 1] = 9.0, 1.0
    mean = pool.means()[..., 0]
    assert mean[0, 0] == pytest.approx(4, rel=0.01)
    assert mean[0, 3] == pytest.approx(4, rel=0.01)
    assert 4 < mean[1, 0] < mean[1, 1] < 4.5


def test_bins_of_gap_lengths():
    assert gap_bins(np.array([0, 1, 2, 3, 4, 8, 9, 24, 25, 400])).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize("experts", [1, 2, 3, 4])
def test_the_lattice_covers_the_simplex(experts):
    points = lattice(experts)
    assert points.shape[1] == experts
    assert (points >= 0).all()
    assert points.sum(1) == pytest.approx(1)
    assert np.array_equal(points[:experts], np.eye(experts))
    assert len(np.unique(points, axis=0)) == len(points)


def test_the_gate_finds_the_best_blend():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5000))
    means = np.stack([a, b, 3 * rng.standard_normal(5000)])
    found = best_weights(lattice_losses(cells(0.7 * a + 0.3 * b, means), 1), 3)[0, 0]
    assert found == pytest.approx([0.7, 0.3, 0.0], abs=0.06)


def test_the_gate_is_per_channel_and_gap_length():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal(4000)
    group = np.repeat([0, 4, BINS, BINS + 4], 1000)
    good = np.isin(group, [0, BINS + 4])
    means = np.stack([np.where(good, truth, 5.0), np.where(good, 5.0, truth)])
    found = best_weights(lattice_losses(cells(truth, means, group=group), 2), 2)
    assert found[0, 0, 0] == found[1, 4, 0] == 1
    assert found[0, 4, 0] == found[1, 0, 0] == 0


def test_nothing_is_worse_than_linear_where_it_was_tested():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal(300)
    group = np.repeat(np.arange(3) * BINS, 100)
    means = np.stack([truth + 0.3 * rng.standard_normal(300), rng.standard_normal(300)])
    held_out = cells(truth, means, group=group, place=np.tile(np.linspace(0, 0.999, 100), 3))
    judged, tuned = CrossValidation.of(held_out, 3), CalibratedBlend.of(held_out, 3)
    linear = np.abs(means[LINEAR] - truth)
    for channel in range(3):
        mine = held_out.channel == channel
        assert judged.error[mine].mean() <= linear[mine].mean()
    plain = tuned.linear_only[held_out.channel]
    assert plain.any()
    assert np.array_equal(tuned.predict(held_out)[0][plain], means[LINEAR][plain])


def test_calibration_mends_a_wrong_mean_and_sd_under_shift():
    rng = np.random.default_rng(0)
    series = [2 + 3 * rng.standard_normal((40, 4)) for _ in range(60)]
    hidden = [rng.random(x.shape) < 0.3 for x in series]
    seen = [np.where(h, np.nan, x) for x, h in zip(series, hidden, strict=True)]
    experts = [Fixed(), Fixed(0.5, 0.7)]
    tuned = CalibratedBlend.of(hold_out(experts, seen, 0), 4)
    estimate, level = tuned.predict(predict_held_out(experts, series, hidden))
    assert abs(np.mean(np.abs(level - 0.5) < 0.45) - 0.9) < 0.02
    assert abs(estimate.mean() - 2) < 0.2


def test_what_is_at_hand_outweighs_the_past_where_there_is_enough_of_it():
    past = cells(np.zeros(2000), np.zeros((2, 2000)), group=np.repeat([0, BINS], 1000))
    here = cells(np.ones(300), np.zeros((2, 300)))
    both = past.combined_with(here, 2)
    worth = np.bincount(both.group[:2000], both.weight[:2000], 2 * BINS)
    assert worth[0] < 10
    assert worth[BINS] == 1000


def gaps_of(missing, chosen):
    return np.concatenate([gap_lengths(m | h)[h] for m, h in zip(missing, chosen, strict=True)])


@pytest.mark.parametrize("kind", ["points", "runs", "rows"])
def test_hidden_cells_lie_in_gaps_like_those_of_missing_cells(kind):
    rng = np.random.default_rng(0)
    missing = []
    for _ in range(100):
        m = np.zeros((60, 5), dtype=bool)
        if kind == "points":
            m = rng.random(m.shape) < 0.5
        for _ in range(2):
            start, channel = rng.integers(50), rng.integers(5)
            if kind == "runs":
                m[start : start + 10, channel] = True
            if kind == "rows":
                m[start : start + 6] = True
        missing.append(m)
    chosen = hide(missing, 0.03, rng)
    assert not any((m & h).any() for m, h in zip(missing, chosen, strict=True))
    share = sum(h.sum() for h in chosen) / sum((~m).sum() for m in missing)
    assert 0.02 < share < 0.04
    truly = np.concatenate([gap_lengths(m)[m] for m in missing])
    assert abs(np.log(gaps_of(missing, chosen)).mean() - np.log(truly).mean()) < 0.2
    full = sum((h.sum(1) == 5).sum() for h in chosen) / sum(h.any(1).sum() for h in chosen)
    assert full > 0.9 if kind == "rows" else full < 0.1


def test_channels_that_go_missing_together():
    rng = np.random.default_rng(0)
    m = rng.random((500, 3)) < 0.3
    m[:, 1] = m[:, 0]
    p = co_missingness([m])
    assert p[0, 1] == pytest.approx(1)
    assert p[0, 2] < 0.15


def test_hiding_where_nothing_is_missing_and_in_one_series():
    rng = np.random.default_rng(0)
    (hidden,) = hide([np.zeros((200, 3), dtype=bool)], 0.1, rng)
    assert 20 < hidden.sum() < 120
    one = np.zeros((100, 2), dtype=bool)
    one[20:80, 0] = True
    (hidden,) = hide([one], 0.1, rng)
    assert 0 < hidden.sum() <= 90
    assert not (hidden & one).any()


def with_a_very_long_gap():
    missing = np.random.default_rng(1).random((3000, 6)) < 0.04
    missing[200:2800, 2] = True
    return missing


def test_one_very_long_gap_does_not_use_up_what_is_hidden():
    missing = with_a_very_long_gap()
    for seed in range(5):
        (hidden,) = hide([missing], 0.05, np.random.default_rng(seed))
        share = hidden.sum(0) / (~missing).sum(0)
        assert (share >= 0.02).all()
        assert share.max() <= 0.5
        assert 0.03 < hidden.sum() / (~missing).sum() < 0.08
        assert gap_lengths(hidden).max() < 300


def test_every_channel_is_judged_by_cells_that_were_held_out():
    series = np.where(with_a_very_long_gap(), np.nan, 1.0)
    (hidden,) = cells_to_hold_out([series], 0)
    assert (hidden.sum(0) > 10).all()
    assert np.unique(hold_out([Fixed()], [series], 0).channel).tolist() == list(range(6))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_channel_with_few_observed_cells_is_neither_left_out_nor_hidden_whole(count):
    missing = np.random.default_rng(1).random((200, 3)) < 0.2
    missing[:, 1] = np.arange(200) % 50 != 7
    missing[50 * count :, 1] = True
    for seed in range(5):
        (hidden,) = hide([missing], 0.05, np.random.default_rng(seed))
        assert hidden[:, 1].sum() == (0 if count == 1 else 1)


def test_no_gap_spans_two_series():
    missing = [np.array([[True], [False], [True]])] * 50
    for _ in range(20):
        for h in hide(missing, 0.3, np.random.default_rng(1)):
            assert h.shape == (3, 1)
            assert not h[[0, 2]].any()


def test_linear_expert_is_interpolation_with_the_sd_of_a_bridge():
    x = np.array([[np.nan], [1.0], [np.nan], [np.nan], [np.nan], [5.0], [np.nan]])
    expert = LinearExpert(np.array([0.04]), np.array([1.0]))
    (prediction,) = expert.predict([x])
    assert prediction.mean[:, 0].tolist() == [1, 1, 2, 3, 4, 5, 5]
    assert prediction.sd[:, 0] ** 2 == pytest.approx([0.04, 0, 0.03, 0.04, 0.03, 0, 0.04])
    (past,) = LinearExpert(np.array([0.04]), np.array([1.0]), causal=True).predict([x])
    assert past.mean[:, 0].tolist() == [0, 1, 1, 1, 1, 5, 5]
    assert past.sd[0, 0] == 1


def test_linear_expert_learns_the_variance_of_a_walk():
    rng = np.random.default_rng(0)
    walk = rng.standard_normal((5000, 2)).cumsum(0) * [0.1, 0.5]
    walk[rng.random(walk.shape) < 0.4] = np.nan
    assert np.sqrt(LinearExpert.fit([walk]).step) == pytest.approx([0.1, 0.5], rel=0.05)


def test_linear_draws_are_joint():
    x = np.full((9, 1), np.nan)
    x[[0, 8]] = [[0.0], [8.0]]
    expert = LinearExpert(np.array([1.0]), np.array([100.0]))
    (draws,) = expert.draw([x], 5_000, 0)
    (prediction,) = expert.predict([x])
    assert np.array_equal(draws[:, [0, 8], 0], np.tile([0.0, 8.0], (5_000, 1)))
    assert draws.mean(0) == pytest.approx(prediction.mean, abs=0.08)
    assert draws.std(0) == pytest.approx(prediction.sd, rel=0.05, abs=1e-9)
    assert np.corrcoef(draws[:, 3, 0], draws[:, 5, 0])[0, 1] == pytest.approx(0.6, abs=0.03)  # of a bridge: sqrt(3*3 / (5*5))


def test_long_series_are_rehearsed_on_pieces():
    pieces = excerpt([np.zeros((100_000, 8))])
    assert sum(p.size for p in pieces) <= 250_000
    assert len(pieces) > 10
    assert pieces[0].base is not None
