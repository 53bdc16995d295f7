"""The imputer: what a frame goes through, and what comes back."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from vaehub.errors import UsageError
from vaehub_timeseries.frames import to_panel_as
from vaehub_timeseries.impute.imputer import Imputer
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.saved import from_model
from vaehub_timeseries.model.gaussian import GaussianExpert

STEPS = 240


def truth(seed=0, steps=STEPS):
    rng, t = np.random.default_rng(seed), np.arange(steps)
    wave = np.sin(t / 3 + rng.random())
    values = {"a": 20 + 5 * wave, "b": 3 * np.cos(t / 3), "c": -wave + 0.5 * np.cos(t / 3)}
    index = pd.date_range("2024-03-30", periods=steps, freq="h")
    return pd.DataFrame({k: v + 0.2 * rng.standard_normal(steps) for k, v in values.items()}, index=index)


def holed(frame, seed=1, rate=0.25):
    hidden = np.random.default_rng(seed).random(frame.shape) < rate
    hidden[100:112, 0] = True
    return frame.mask(hidden)


@pytest.fixture(scope="module")
def frame():
    return holed(truth())


@pytest.fixture(scope="module")
def imputer(frame):
    return Imputer(window=12).fit(frame)


def test_gaps_are_filled_well_and_the_rest_stays(imputer, frame):
    out = imputer.transform(frame)
    assert out[frame.notna()].equals(frame)
    assert np.isfinite(out).all(axis=None)
    pd.testing.assert_index_equal(out.index, frame.index)
    hidden = frame.isna()
    error = (out - truth()).abs()[hidden].mean()
    assert (error < 0.95 * (frame.interpolate(limit_direction="both") - truth()).abs()[hidden].mean()).all()


def test_same_seed_same_bits(imputer, frame):
    again = clone(imputer).fit(frame)
    pd.testing.assert_frame_equal(again.transform(frame), imputer.transform(frame), check_exact=True)
    pd.testing.assert_frame_equal(again.samples(frame, 2)[1], imputer.samples(frame, 2)[1], check_exact=True)


def test_quantiles_are_ordered_calibrated_and_hold_the_median(imputer, frame):
    fresh = truth(5)
    seen = holed(fresh, 6)
    q = imputer.quantiles(seen, [0.05, 0.5, 0.95])
    assert q.columns.tolist()[:3] == [("a", 0.05), ("a", 0.5), ("a", 0.95)]
    assert q.index.equals(seen.index)
    low, middle, high = (q.xs(level, axis=1, level=1) for level in (0.05, 0.5, 0.95))
    hidden = seen.isna()
    assert ((low < middle) & (middle < high))[hidden].where(hidden, True).all(axis=None)
    assert low[~hidden].equals(seen)
    assert high[~hidden].equals(seen)
    pd.testing.assert_frame_equal(middle, imputer.transform(seen), check_exact=True, check_names=False)
    held = ((fresh >= low) & (fresh <= high)).to_numpy()[hidden]
    assert 0.82 < held.mean() < 0.97


def test_samples_are_joint(imputer):
    fresh = truth(7)
    seen = fresh.copy()
    seen.iloc[60:84, 0] = np.nan
    seen.iloc[150:174, 0] = np.nan
    draws = np.stack([s["a"].to_numpy() for s in imputer.samples(seen, 300)])
    assert draws.shape == (300, STEPS)
    assert np.array_equal(draws[:, 90], np.full(300, seen["a"].iloc[90]))
    q = imputer.quantiles(seen, [0.1, 0.9])["a"].to_numpy()[60:84]
    inside = ((draws[:, 60:84] >= q[:, 0]) & (draws[:, 60:84] <= q[:, 1])).mean()
    assert abs(inside - 0.8) < 0.05
    fitted = imputer.fitted_
    drawing = fitted.predictive(to_panel_as(seen, imputer.schema_)).drawing_expert
    (raw,) = drawing.draw(fitted.data(to_panel_as(seen, imputer.schema_)).series, 300, 0)
    mine, theirs = (np.corrcoef(d[:, 60:84].T) for d in (draws, raw[..., 0]))
    assert np.abs(mine - theirs).max() < 0.15
    assert np.abs(theirs[0, 1:4]).max() > 0.2


def test_errors_are_honest_and_never_above_linear(imputer, frame):
    table = imputer.errors_
    assert table.index.tolist() == ["a", "b", "c"]
    rivals = ["linear", "last", "mean", "seasonal_naive", "seasonal_mean"]
    assert table.columns.tolist() == ["imputer", *rivals, "coverage", "cells"]
    assert (table["imputer"] <= table["linear"]).all()
    assert (table["linear"] < table["last"]).all()
    assert table["imputer"].mean() < 0.8 * table["linear"].mean()
    assert imputer.calibration_["reached"].is_monotonic_increasing


def test_a_new_frame_is_adapted_to_anew(imputer):
    """Under a shift that halves the noise, the intervals of the new frame become narrower than those of the fit."""
    calm = truth(3)
    calm = calm.rolling(9, center=True, min_periods=1).mean()
    seen = holed(calm, 4)
    width = {}
    for name, use in (("adapted", imputer), ("fixed", Imputer(window=12, causal=True).fit(holed(truth())))):
        q = use.quantiles(seen, [0.05, 0.95])["b"]
        width[name] = (q[0.95] - q[0.05])[seen["b"].isna()].mean()
    assert width["adapted"] < 0.8 * width["fixed"]


def test_anomalies_stand_out(imputer):
    odd = truth(9)
    odd.iloc[77, 1] += 4
    odd.iloc[30, 2] = np.nan
    score = imputer.score_anomalies(odd)
    assert score.shape == odd.shape
    assert np.isnan(score.iloc[30, 2])
    assert score.notna().sum().sum() == odd.size - 1
    assert score["b"].to_numpy().argmax() == 77
    assert score.iloc[77, 1] > 5 > score["a"].median() > 0.2


def test_forecast_continues_the_series(imputer):
    whole = truth(2)
    past, future = whole.iloc[:-6], whole.iloc[-6:]
    out = imputer.forecast(past, 6)
    assert out.index.equals(future.index)
    assert ((out - future).abs().mean() < 0.7 * (past.iloc[-1] - future).abs().mean()).all()
    q = imputer.forecast(past, 6, [0.05, 0.95])
    assert ((q[("a", 0.05)] < out["a"]) & (out["a"] < q[("a", 0.95)])).all()
    assert len(q) == 6


def test_draws_come_from_the_expert_that_weighs_most(imputer):
    seen = to_panel_as(holed(truth(4)), imputer.schema_)
    predictive = imputer.fitted_.predictive(seen)
    missing = [np.isnan(values) for values in predictive.data.series]
    weights = np.concatenate([predictive.blend.weights[g[m]] for g, m in zip(predictive.groups, missing, strict=True)]).sum(0)
    assert predictive.drawing_expert is imputer.fitted_.experts[int(weights.argmax())]


def test_a_constant_column_has_no_band():
    rng = np.random.default_rng(0)
    still = pd.DataFrame({"c": np.full(80, 5.0), "x": rng.normal(size=80)}).mask(rng.random((80, 2)) < 0.2)
    imputer = Imputer(window=4).fit(still)
    assert (imputer.quantiles(still, [0.05, 0.95])["c"] == 5.0).all().all()
    assert (imputer.samples(still, 2)[1]["c"] == 5.0).all()
    moved = still.copy()
    moved.loc[moved["c"].first_valid_index(), "c"] = 9.0
    q, gap = imputer.quantiles(moved, [0.05, 0.95])["c"], moved["c"].isna()
    assert (q[0.95] > q[0.05])[gap].all()


def counted(monkeypatch, owner, name):
    calls, own = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *given: (calls.append(1), own(*given))[1])
    return calls


def test_every_expert_is_asked_once_about_a_frame(imputer, frame, monkeypatch):
    imputer.transform(holed(truth(3)))
    closed, linear = counted(monkeypatch, GaussianExpert, "_predictions"), counted(monkeypatch, LinearExpert, "predict")
    imputer.transform(frame)
    imputer.quantiles(frame, [0.1, 0.9])
    imputer.samples(frame, 2)
    assert len(linear) == 1
    assert len(closed) == 3  # with a still and a drifting level, and of what trend and rhythms leave


def test_a_forecast_and_its_quantiles_are_one_work(imputer, frame, monkeypatch):
    imputer.transform(frame)
    asked = counted(monkeypatch, LinearExpert, "predict")
    first = imputer.forecast(frame, 5)
    calls = len(asked)
    q = imputer.forecast(frame, 5, [0.5])
    assert len(asked) == calls > 0
    assert q[("a", 0.5)].tolist() == first["a"].tolist()
    assert len(imputer.forecast(frame, 6)) == 6


def test_generated_series_look_like_the_data(imputer, frame):
    out = imputer.generate(40, 24)
    assert out.index.names == ["series", "step", "time"]
    assert out.index[0][2] == frame.index[-1] + frame.index.freq
    assert out.shape == (960, 3)
    assert out.mean().to_numpy() == pytest.approx(frame.mean().to_numpy(), abs=1.5)
    assert out.std().to_numpy() == pytest.approx(frame.std().to_numpy(), rel=0.35)
    assert imputer.generate(1).shape == (12, 3)


def test_a_model_trained_elsewhere_is_judged_on_the_frame_at_hand(imputer):
    fitted = imputer.fitted_
    other = Imputer._from_saved(from_model(fitted.schema, fitted.scaler, fitted.model))
    whole = truth(11)
    seen = holed(whole, 12)
    hidden = seen.isna()
    out = other.transform(seen)
    linear = (seen.interpolate(limit_direction="both") - whole).abs()[hidden].mean()
    assert (out - whole).abs()[hidden].mean().mean() < 0.8 * linear.mean()
    q = other.quantiles(seen, [0.05, 0.95])
    held = ((whole >= q.xs(0.05, axis=1, level=1)) & (whole <= q.xs(0.95, axis=1, level=1))).to_numpy()[hidden]
    assert 0.8 < held.mean() < 0.98
    assert len(other.errors_) == 0


def test_every_kind_of_column_comes_back_in_its_kind():
    t = np.arange(120)
    whole = pd.DataFrame(
        {
            "float32": np.sin(t / 5).astype("float32"),
            "Int64": pd.array(np.rint(10 * np.sin(t / 5)), "Int64"),
            "flag": pd.array(np.sin(t / 5) > 0, "boolean"),
            "kind": pd.Categorical(np.where(np.sin(t / 5) > 0, "up", "down")),
            "whole": t // 2,
        }
    )
    seen = whole.mask(np.random.default_rng(0).random(whole.shape) < [0.2, 0.2, 0.2, 0.2, 0])
    seen["whole"] = whole["whole"]
    imputer = Imputer(window=8).fit(seen)
    out = imputer.transform(seen)
    assert out.dtypes.equals(seen.dtypes)
    assert not out.isna().any(axis=None)
    gaps = seen["kind"].isna()
    assert (out["kind"] == whole["kind"])[gaps].mean() > 0.8
    assert set(imputer.quantiles(seen, [0.5]).columns.get_level_values(0)) == {"float32", "Int64", "flag", "whole"}
    drawn = imputer.generate(2, 5)
    assert drawn.dtypes.equals(seen.dtypes)
    assert imputer.errors_.index.tolist()[:4] == ["float32", "Int64", "flag", "kind"]


def test_columns_with_nothing_observed_are_named():
    empty = holed(truth()).assign(b=np.nan)
    with pytest.warns(UserWarning, match=r"^b: nothing is observed.*fill=-1"):
        out = Imputer(window=8, fill=-1.0).fit_transform(empty)
    assert (out["b"] == -1).all()
    imputer = Imputer(window=8).fit(holed(truth()))
    with pytest.warns(UserWarning, match=r"^b: nothing is observed.*mean"):
        out = imputer.transform(empty)
    assert out["b"].to_numpy() == pytest.approx(holed(truth())["b"].mean())
    with pytest.warns(UserWarning, match="b"):
        assert np.isfinite(imputer.samples(empty, 2)[1]).all(axis=None)


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, np.nan]],
        [[np.nan, np.nan]] * 3,
        [[5.0, 1.0], [5.0, np.nan], [5.0, 2.0]],
        [[1e300, -1e300], [np.nan, 1e300], [2e300, np.nan]],
        [[1e-300, 0.0], [np.nan, 1e-300], [2e-300, np.nan]],
        [[np.inf, 1.0], [2.0, -np.inf], [1.0, 3.0]],
        [[1.0], [np.nan], [3.0]] * 20,
    ],
)
@pytest.mark.filterwarnings("ignore:.*nothing is observed:UserWarning", "ignore:.*are beyond 1e:UserWarning")
def test_never_anything_but_finite_numbers(values):
    x = np.array(values)
    imputer = Imputer().fit(x)
    tables = [imputer.transform(x), *imputer.samples(x, 2), imputer.quantiles(x, [0.05, 0.95]).to_numpy()]
    for out in tables:
        assert np.isfinite(out).all()
    assert np.array_equal(tables[0][np.isfinite(x)], x[np.isfinite(x)])
    scores = imputer.score_anomalies(x).to_numpy()
    assert not np.isinf(scores).any()


def test_causal_uses_the_past_only():
    past = holed(truth())
    imputer = Imputer(window=12, causal=True).fit(past)
    changed = past.copy()
    changed.iloc[150:] = -changed.iloc[150:] + 3
    before, after = imputer.transform(past), imputer.transform(changed)
    pd.testing.assert_frame_equal(before.iloc[:150], after.iloc[:150], check_exact=True)
    first, second = (imputer.quantiles(x, [0.1, 0.9]).iloc[:150] for x in (past, changed))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    pd.testing.assert_frame_equal(before.iloc[:150], imputer.transform(past.iloc[:150]), check_exact=True, check_freq=False)


def test_entities_are_not_mixed():
    high, low = (holed(truth(seed), seed) for seed in (1, 2))
    both = pd.concat([high + 1000, low], keys=["high", "low"], names=["who", "when"]).reset_index()
    both = both.sample(frac=1, random_state=0)
    out = Imputer(window=8, entity="who", time="when").fit_transform(both)
    assert out.index.equals(both.index)
    assert (out.loc[out["who"] == "high", ["a", "b", "c"]] > 900).all(axis=None)
    assert (out.loc[out["who"] == "low", ["a", "b", "c"]] < 100).all(axis=None)


def test_the_long_form():
    wide = holed(truth(steps=80)).rename_axis("when").reset_index()
    long = wide.melt("when", var_name="what", value_name="reading")
    imputer = Imputer(window=8, time="when", variable="what", value="reading").fit(long)
    out = imputer.transform(long)
    assert out.drop(columns="reading").equals(long.drop(columns="reading"))
    assert out["reading"].notna().all()
    assert imputer.quantiles(long, [0.1, 0.9]).columns.tolist() == [("reading", 0.1), ("reading", 0.9)]
    assert imputer.generate(2, 3).columns.tolist() == ["a", "b", "c"]


def test_covariates_are_used_and_left_alone():
    whole = truth()
    seen = holed(whole)
    out = Imputer(window=8, columns=["a"]).fit_transform(seen)
    assert out[["b", "c"]].equals(seen[["b", "c"]])
    assert out["a"].notna().all()


def test_sentinels_are_missing():
    seen = holed(truth()).fillna(-200.0)
    out = Imputer(window=8, missing_values=[-200]).fit_transform(seen)
    assert (out > -100).all(axis=None)


def test_bad_requests_are_explained(imputer, frame):
    with pytest.raises(UsageError, match="'c'"):
        imputer.transform(frame.drop(columns="c"))
    for levels in ([], [0.0], [1.5], ["x"]):
        with pytest.raises(UsageError, match="quantile"):
            imputer.quantiles(frame, levels)
    with pytest.raises(UsageError, match="n: should be a whole number of at least 1, not 0"):
        imputer.samples(frame, 0)
    with pytest.raises(UsageError, match="n: should be a whole number of at least 1, not -1"):
        imputer.generate(-1)
    with pytest.raises(UsageError, match="steps: should be a whole number of at least 1, not 0"):
        imputer.forecast(frame, 0)
