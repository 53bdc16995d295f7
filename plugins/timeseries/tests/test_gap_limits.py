"""Which gaps are left: measured in steps or time, by series, and told in flags; with the values of gaps made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.frames import ReadOptions, to_panel
from vaehub_timeseries.frames.gap_limits import GapLimits

NAN = float("nan")


def steps(frame, **reading):
    """The gap of every cell of the first column to impute, and whether it lies inside."""
    panel = to_panel(frame, ReadOptions(**reading))
    (cells, *_) = panel.layout.targets()
    gaps = panel.timeline.gaps(cells.missing)
    return gaps.steps.tolist(), gaps.inside.tolist()


def test_gaps_are_counted_in_steps_from_the_observed_cells_around_them():
    frame = pd.DataFrame({"a": [NAN, NAN, 1, NAN, 2, NAN, NAN, NAN, 3, NAN]})
    assert steps(frame) == ([2, 2, 0, 1, 0, 3, 3, 3, 0, 1], [False, False, False, True, False, True, True, True, False, False])
    assert steps(frame.iloc[:2].assign(b=1.0))[0] == [2, 2]


def test_rows_that_were_left_out_belong_to_the_gap():
    stamps = pd.to_datetime(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 08:00", "2024-01-01 09:00"])
    assert steps(pd.DataFrame({"a": [1, 2, NAN, 4, 5]}, index=stamps))[0] == [0, 0, 6, 0, 0]


def test_weekends_are_no_part_of_a_gap_in_a_table_of_weekdays():
    days = pd.bdate_range("2024-01-01", periods=15)
    values = np.arange(15.0)
    values[4], values[9:11] = NAN, NAN  # a Friday; a Friday and the Monday after it
    assert steps(pd.DataFrame({"a": values}, index=days))[0] == [0] * 4 + [1] + [0] * 4 + [2, 2] + [0] * 4


def test_months_are_steps():
    values = np.arange(60.0)
    values[10:30] = NAN
    gaps = steps(pd.DataFrame({"a": values}, index=pd.date_range("2015-01-01", periods=60, freq="MS")))[0]
    assert gaps == [0] * 10 + [20] * 20 + [0] * 30


def test_a_gap_ends_where_its_series_ends():
    frame = pd.DataFrame({"who": ["x"] * 4 + ["y"] * 4, "a": [1, 2, NAN, NAN, NAN, NAN, NAN, 4]})
    assert steps(frame, entity="who") == ([0, 0, 2, 2, 3, 3, 3, 0], [False] * 8)
    long = pd.DataFrame(
        {"t": [0, 1, 2, 3] * 2, "variable": ["p"] * 4 + ["q"] * 4, "value": [1, NAN, NAN, 2, NAN, 3, 4, NAN], "who": "x"}
    )
    assert steps(long, time="t", entity="who", variable="variable", value="value")[0] == [0, 2, 2, 0, 1, 0, 0, 1]


def test_stamps_in_any_order():
    shuffled = pd.DataFrame({"t": [3, 0, 2, 1, 4], "a": [NAN, 1.0, NAN, 2.0, 5.0]})
    assert steps(shuffled, time="t")[0] == [2, 0, 2, 0, 0]


def gap_by_hand(table, row):
    """Steps from the last observed reading before a missing one to the first after it, or to the ends of the series, and whether both are there."""
    mine = table[table["who"] == table["who"][row]]
    seen, now = mine[mine["a"].notna()]["t"], table["t"][row]
    before, after = seen[seen < now].max(), seen[seen > now].min()
    inside = not (np.isnan(before) or np.isnan(after))
    begin = mine["t"].min() - 1 if np.isnan(before) else before
    end = mine["t"].max() + 1 if np.isnan(after) else after
    return int(end - begin - 1), inside


@pytest.mark.parametrize("seed", range(20))
def test_gaps_of_random_tables_are_those_counted_by_hand(seed):
    rng = np.random.default_rng(seed)
    rows = [(who, t) for who in "xyz" for t in sorted(rng.choice(60, rng.integers(2, 40), replace=False))]
    table = pd.DataFrame(rows, columns=["who", "t"]).assign(a=lambda f: np.where(rng.random(len(f)) < 0.5, NAN, 1.0))
    table = table.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    found, inside = steps(table, time="t", entity="who", step="1")
    expected = [gap_by_hand(table, row) if np.isnan(table["a"][row]) else (0, False) for row in range(len(table))]
    assert list(zip(found, inside, strict=True)) == expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("area", ["inside", "outside"])
def test_areas_are_those_of_pandas(seed, area):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": np.where(rng.random(40) < 0.6, NAN, rng.normal(size=40)), "b": rng.normal(size=40)})
    panel = to_panel(frame, ReadOptions()).leaving_gaps(GapLimits(area=area))
    filled = panel.fill([np.zeros((40, 2))])
    assert filled["a"].isna().equals(frame["a"].interpolate(limit_area=area, limit_direction="both").isna())


@pytest.fixture(scope="module")
def frame():
    """120 hours, with gaps of 3 at the start, 1, 4, 9 and 2 at the end in a; whole numbers with -1 for missing."""
    rng, t = np.random.default_rng(0), np.arange(120)
    out = pd.DataFrame({"a": np.sin(t / 4) + 0.1 * rng.normal(size=120), "b": np.round(10 * np.cos(t / 4) + 20).astype(int)})
    for start, stop in ((0, 3), (20, 21), (30, 34), (50, 59), (118, 120)):
        out.loc[start : stop - 1, "a"] = NAN
    out.loc[[40, *range(70, 76)], "b"] = -1
    return out.set_index(pd.date_range("2024-01-01", periods=120, freq="h"))


def left(frame, **options):
    """How many steps of the gaps of a are left, and how many sentinels of b."""
    filled = Imputer(window=8, missing_values=[-1], **options).fit_transform(frame)
    observed = frame["a"].notna()
    assert filled["a"][observed].equals(frame["a"][observed])
    assert filled["b"].dtype == frame["b"].dtype
    gaps = [filled["a"].iloc[start:stop].isna() for start, stop in ((0, 3), (20, 21), (30, 34), (50, 59), (118, 120))]
    assert all(gap.all() or not gap.any() for gap in gaps)
    return [int(gap.sum()) for gap in gaps], int((filled["b"] == -1).sum())


@pytest.mark.parametrize(
    ("options", "gaps", "sentinels"),
    [
        ({}, [0, 0, 0, 0, 0], 0),
        ({"max_gap": 1}, [3, 0, 4, 9, 2], 6),
        ({"max_gap": 3}, [0, 0, 4, 9, 0], 6),
        ({"max_gap": "4h"}, [0, 0, 0, 9, 0], 6),
        ({"max_gap": "5h59min"}, [0, 0, 0, 9, 0], 6),
        ({"max_gap": "6"}, [0, 0, 0, 9, 0], 0),
        ({"max_gap": 9}, [0, 0, 0, 0, 0], 0),
        ({"limit_area": "inside"}, [3, 0, 0, 0, 2], 0),
        ({"limit_area": "outside"}, [0, 1, 4, 9, 0], 7),
        ({"limit_area": "inside", "max_gap": 4}, [3, 0, 0, 9, 2], 6),
    ],
)
def test_gaps_that_are_too_long_stay_whole(frame, options, gaps, sentinels):
    assert left(frame, **options) == (gaps, sentinels)


def test_what_is_left_has_no_quantiles_and_is_in_no_draw(frame):
    imputer = Imputer(window=8, max_gap=4, missing_values=[-1]).fit(frame)
    quantiles = imputer.quantiles(frame, [0.1, 0.9])
    gone = np.zeros(120, bool)
    gone[50:59] = True
    assert np.array_equal(quantiles[("a", 0.1)].isna(), gone)
    assert np.array_equal(quantiles[("b", 0.9)].isna(), np.isin(np.arange(120), np.arange(70, 76)))
    for draw in imputer.samples(frame, 2):
        assert np.array_equal(draw["a"].isna(), gone)
    whole = Imputer(window=8, missing_values=[-1]).fit(frame).quantiles(frame, [0.1, 0.9])
    pd.testing.assert_frame_equal(quantiles, whole.where(quantiles.notna()), check_exact=True)


def test_nullable_columns_keep_their_gaps_and_dtypes():
    values = pd.array([1, 2, None, None, None, 3] * 10, dtype="Int64")
    frame = pd.DataFrame({"n": values, "flag": pd.array([True, False, None, None, None, True] * 10, dtype="boolean")})
    filled = Imputer(window=6, max_gap=2).fit_transform(frame)
    pd.testing.assert_frame_equal(filled, frame)
    pd.testing.assert_series_equal(Imputer(window=6, max_gap=3).fit_transform(frame).isna().sum(), pd.Series({"n": 0, "flag": 0}))


def test_flags_say_what_became_of_every_cell(frame):
    with_text = frame.assign(c=np.where(np.arange(120) % 2, "x", "y"), empty=NAN)
    with_text.iloc[5, 2] = None
    imputer = Imputer(window=8, max_gap=4, missing_values=[-1]).fit(frame.assign(c=with_text["c"], empty=np.arange(120.0)))
    with pytest.warns(UserWarning, match="empty: nothing is observed"):
        flags = imputer.flags(with_text)
    assert flags.index.equals(frame.index)
    assert list(flags) == [(name, what) for name in with_text for what in ("flag", "half_width", "gap")]
    assert flags["a"]["flag"].tolist()[:4] == ["estimated"] * 3 + ["observed"]
    assert flags["a"]["flag"].value_counts().to_dict() == {"observed": 101, "estimated": 10, "missing": 9, "default": 0}
    assert flags["a"]["gap"].iloc[[0, 3, 20, 33, 58, 119]].tolist() == [3, 0, 1, 4, 9, 2]
    assert flags["b"]["flag"].value_counts().to_dict() == {"observed": 113, "estimated": 1, "missing": 6, "default": 0}
    assert flags["c"]["flag"].iloc[[4, 5]].tolist() == ["observed", "estimated"]
    assert flags["c"]["half_width"].isna().all()
    assert (flags["empty"]["flag"] == "missing").all()  # its gap is 120 steps long
    with pytest.warns(UserWarning, match="empty: nothing is observed"):
        assert (imputer.set_params(max_gap=None).flags(with_text)["empty"]["flag"] == "default").all()


def test_half_the_width_is_that_of_the_quantiles(frame):
    imputer = Imputer(window=8, missing_values=[-1]).fit(frame)
    flags, quantiles = imputer.flags(frame), imputer.quantiles(frame, [0.05, 0.95])["a"]
    half = (quantiles[0.95] - quantiles[0.05]) / 2
    assert np.allclose(flags["a"]["half_width"], half)
    assert (flags["a"]["half_width"][frame["a"].notna()] == 0).all()
    assert flags["a"]["half_width"].iloc[54] > flags["a"]["half_width"].iloc[20] > 0


def test_a_series_of_which_nothing_is_observed_is_flagged():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"who": ["x"] * 40 + ["y"] * 10, "a": rng.normal(size=50), "b": rng.normal(size=50)})
    table.loc[40:, ["a", "b"]] = NAN
    flags = Imputer(window=4, entity="who").fit(table).flags(table)
    assert flags["a"]["flag"].tolist() == ["observed"] * 40 + ["default"] * 10


def test_a_column_that_never_had_a_value_has_no_width():
    frame = pd.DataFrame({"a": np.sin(np.arange(40.0)), "never": NAN})
    with pytest.warns(UserWarning, match="never: nothing is observed"):
        flags = Imputer(window=4).fit(frame).flags(frame)["never"]
    assert (flags["flag"] == "default").all()
    assert flags["half_width"].isna().all()
    assert (flags["gap"] == 40).all()


def test_flags_of_the_long_form():
    wide = pd.DataFrame({"t": np.arange(40), "p": np.sin(np.arange(40.0)), "q": np.cos(np.arange(40.0))})
    long = wide.melt("t")
    long.loc[[5, 6, 7, 50], "value"] = NAN
    flags = Imputer(window=4, max_gap=2, time="t").fit(long).flags(long)
    assert list(flags) == [("value", "flag"), ("value", "half_width"), ("value", "gap")]
    assert flags["value"]["flag"].iloc[[4, 5, 6, 7, 50]].tolist() == ["observed", "missing", "missing", "missing", "estimated"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_gap": 0}, "max_gap: should be a whole number of steps, 1 or more, or a length of time such as '6h', not 0"),
        ({"max_gap": 2.5}, "max_gap: .* not 2.5"),
        ({"max_gap": True}, "max_gap: .* not True"),
        ({"max_gap": "long"}, "max_gap: .* not 'long'"),
        ({"max_gap": "-1h"}, "max_gap: .* not '-1h'"),
        ({"max_gap": "10min"}, r"max_gap='10min' \(--max-gap\) is less than the step of 01:00:00 between two rows"),
        ({"limit_area": "middle"}, "limit_area: 'middle' is none of inside, outside"),
        ({"limit_area": 1}, "limit_area: should be 'inside' or 'outside', not 1"),
        ({"add_indicator": "yes"}, "add_indicator: should be True or False, not 'yes'"),
    ],
)
def test_options_are_checked_when_it_is_fitted(frame, options, said):
    with pytest.raises(UsageError, match=said):
        Imputer(missing_values=[-1], **options).fit(frame)


def test_a_length_of_time_needs_stamps(frame):
    with pytest.raises(UsageError, match=r"max_gap='6h': the rows have no stamps .* \(--max-gap=6\)"):
        Imputer(max_gap="6h", missing_values=[-1]).fit(frame.reset_index(drop=True))


def test_limits_of_infinity_fill_all():
    assert GapLimits().fills_all
    assert not GapLimits(3).fills_all


def test_indicators_stand_behind_the_columns_that_had_gaps(frame):
    frame = frame.assign(full=1.5 + np.arange(120))
    imputer = Imputer(window=8, missing_values=[-1], add_indicator=True)
    filled = imputer.fit_transform(frame)
    assert list(filled) == ["a", "b", "full", "missingindicator_a", "missingindicator_b"]
    assert filled["missingindicator_a"].equals(frame["a"].isna())
    assert filled["missingindicator_b"].equals(frame["b"] == -1)
    assert imputer.get_feature_names_out().tolist() == list(filled)
    complete = imputer.transform(frame[76:117].fillna(0.0))
    assert not complete["missingindicator_a"].any()
    with pytest.raises(UsageError, match="there is a column 'missingindicator_a' already"):
        imputer.fit(filled.assign(a=frame["a"])).transform(filled.assign(a=frame["a"]))


def test_indicators_are_scikit_learns():
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.sin(np.arange(90.0)).reshape(30, 3)
    x[3, 0] = x[7, 0] = x[5, 2] = NAN
    ours, theirs = Imputer(window=4, add_indicator=True).fit(x), SimpleImputer(add_indicator=True).fit(x)
    assert np.array_equal(ours.transform(x)[:, 3:], theirs.transform(x)[:, 3:])
    assert ours.transform(x).dtype == float
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    frame = pd.DataFrame(x, columns=["p", "q", "r"])
    pipeline = make_pipeline(Imputer(window=4, add_indicator=True), StandardScaler()).set_output(transform="pandas")
    assert list(pipeline.fit_transform(frame)) == ["p", "q", "r", "missingindicator_p", "missingindicator_r"]
