"""The contract: what goes in comes out, but for the gaps."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from vaehub_timeseries.frames import ReadOptions, Schema, to_panel, to_panel_as

NAN = np.nan


def filled(panel, number=7.0):
    return panel.fill([np.where(np.isnan(series.values), number, series.values) for series in panel.series])


def hourly(periods, **options):
    return pd.date_range("2021-03-27 20:00", periods=periods, freq="h", **options)


def test_gaps_are_filled_and_the_rest_stays():
    frame = pd.DataFrame({"a": [1.5, NAN, 3.0], "b": [NAN, -0.0, np.inf]}, index=hourly(3))
    out = filled(to_panel(frame, ReadOptions()))
    pd.testing.assert_frame_equal(out, pd.DataFrame({"a": [1.5, 7, 3.0], "b": [7, -0.0, 7]}, index=hourly(3)))
    assert np.signbit(out.iloc[1, 1])
    assert np.isinf(frame.iloc[2, 1])


DTYPES = {
    "float16": (pd.array([1, NAN, 3], "float16"), np.float16(7)),
    "float32": (pd.array([0.1, NAN, 3], "float32"), np.float32(7)),
    "Float64": (pd.array([0.1, None, 3], "Float64"), 7.0),
    "Int64": (pd.array([2**60 + 1, None, 3], "Int64"), 7),
    "UInt8": (pd.array([255, None, 3], "UInt8"), 7),
    "boolean": (pd.array([False, None, True], "boolean"), True),
    "double[pyarrow]": (pd.array([0.1, None, 3], "double[pyarrow]"), 7.0),
    "int32[pyarrow]": (pd.array([1, None, 3], "int32[pyarrow]"), 7),
    "bool[pyarrow]": (pd.array([True, None, False], "bool[pyarrow]"), True),
    "category": (pd.Categorical(["x", None, "y"], categories=["y", "unused", "x"]), "y"),
    "ordered": (pd.Categorical([3, None, 1], categories=[1, 2, 3], ordered=True), 1),
    "intervals": (pd.cut([1, NAN, 9], [0, 5, 10]), pd.Interval(0, 5)),
    "str": (pd.Series(["x", None, "y"]).array, "x"),
    "string": (pd.array(["x", None, "y"], "string"), "x"),
    "object of text": (pd.Series(["x", None, "y"], dtype=object), "x"),
    "object of booleans": (pd.Series([False, None, True], dtype=object), True),
    "object of ints": (pd.Series([1, None, 3], dtype=object), 7),
    "object of floats": (pd.Series([1.5, None, 3], dtype=object), 7.0),
}


@pytest.mark.parametrize(("cells", "expected"), DTYPES.values(), ids=DTYPES)
def test_every_dtype_is_restored(cells, expected):
    frame = pd.DataFrame({"a": cells, "other": [1.0, 2, 3]})
    out = filled(to_panel(frame, ReadOptions()))
    assert out["a"].dtype == frame["a"].dtype
    assert out["a"][1] == expected
    assert type(out["a"][1]) is type(out["a"][0]) or frame["a"].dtype != object
    pd.testing.assert_series_equal(out["a"].drop(1), frame["a"].drop(1))


@pytest.mark.parametrize(
    ("dtype", "number", "expected"), [("int8", 300.2, 127), ("uint16", -5.0, 0), ("int64", 1e30, None), ("Int32", 2.6, 3)]
)
def test_whole_numbers_are_rounded_and_clipped(dtype, number, expected):
    frame = pd.DataFrame({"a": pd.array([1, -100 if dtype != "uint16" else 99, 3], dtype)})
    panel = to_panel(frame, ReadOptions(missing_values=(-100, 99)))
    out = filled(panel, number)
    assert out["a"].dtype == dtype
    assert out["a"][1] == expected if expected is not None else out["a"][1] > 2**62


def test_a_float32_is_never_infinite():
    out = filled(to_panel(pd.DataFrame({"a": np.array([1, NAN, 2], "float32")}), ReadOptions()), 1e300)
    assert np.isfinite(out["a"]).all()


INDICES = {
    "default": pd.RangeIndex(4),
    "range from 5": pd.RangeIndex(5, 13, 2, name="n"),
    "labels": pd.Index(list("wxyz"), name="label"),
    "the same label": pd.Index(["w"] * 4),
    "naive": hourly(4),
    "zone over the change of clocks": pd.date_range("2021-10-31", periods=4, freq="h", tz="Europe/Rome", name="when"),
    "zone in spring": pd.date_range("2021-03-27 23:00", periods=4, freq="h", tz="Europe/Rome"),
    "months": pd.date_range("2021-01-31", periods=4, freq="ME"),
    "periods": pd.period_range("2021-01", periods=4, freq="M"),
    "durations": pd.timedelta_range(0, periods=4, freq="10s"),
    "seconds": pd.DatetimeIndex(hourly(4)).as_unit("s"),
    "text": pd.Index(["2021-01-01", "2021-01-02", "2021-01-03", "2021-01-05"]),
    "entity and time": pd.MultiIndex.from_product([["p", "q"], hourly(2)], names=["who", "when"]),
    "entity and number": pd.MultiIndex.from_product([["p", "q"], [0, 1]]),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_the_index_comes_back(index):
    frame = pd.DataFrame({"a": [1.0, NAN, 3, 4]}, index=index)
    out = filled(to_panel(frame, ReadOptions()))
    pd.testing.assert_index_equal(out.index, index, exact="equiv")
    assert out["a"].tolist() == [1, 7, 3, 4]


def test_rows_in_any_order():
    frame = pd.DataFrame({"a": np.arange(10.0), "b": np.arange(10) * 2.0}, index=hourly(10))
    frame.iloc[4, 0] = frame.iloc[7, 1] = NAN
    mixed = frame.sample(frac=1, random_state=0)
    panel = to_panel(mixed, ReadOptions())
    assert np.array_equal(panel.series[0].values, frame.to_numpy(), equal_nan=True)
    assert list(panel.series[0].index) == list(frame.index)
    pd.testing.assert_frame_equal(filled(panel), mixed.fillna(7.0))


@pytest.mark.parametrize(
    "columns", [[0, 1], [("x", 1), ("x", 2)], pd.Index(["a", "b"], name="kinds"), pd.MultiIndex.from_product([["x"], [1, 2]])]
)
def test_names_of_columns_come_back(columns):
    frame = pd.DataFrame([[1.0, NAN], [NAN, 2.0]], columns=columns)
    panel = to_panel(frame, ReadOptions())
    pd.testing.assert_index_equal(filled(panel).columns, frame.columns)
    assert Schema.from_json(json.loads(json.dumps(panel.schema.to_json()))) == panel.schema


def test_entities_never_mix():
    frame = pd.DataFrame({"id": list("abab"), "t": pd.to_datetime(["2021", "2021", "2022", "2022"]), "v": [1.0, 10, NAN, NAN]})
    panel = to_panel(frame, ReadOptions())
    assert [series.entity for series in panel.series] == ["a", "b"]
    assert [series.values[0, 0] for series in panel.series] == [1, 10]
    out = panel.fill([np.full_like(series.values, number) for series, number in zip(panel.series, (5, 6), strict=True)])
    assert out["v"].tolist() == [1, 10, 5, 6]


def test_long_form():
    frame = pd.DataFrame(
        {
            "who": list("ppqqp"),
            "when": pd.to_datetime(["2021-01-02", "2021-01-01", "2021-01-01", "2021-01-01", "2021-01-02"]),
            "variable": list("xxxyy"),
            "value": [NAN, 1.0, 2, 3, 4],
        }
    )
    panel = to_panel(frame, ReadOptions())
    assert [channel.name for channel in panel.schema.channels] == ["x", "y"]
    first, second = panel.series
    assert np.array_equal(first.values, [[1, NAN], [NAN, 4]], equal_nan=True)
    assert np.array_equal(second.values, [[2, 3]])
    pd.testing.assert_frame_equal(filled(panel), frame.fillna({"value": 7.0}))
    numbers = panel.spread([np.arange(4.0).reshape(2, 2), np.array([[10.0, 11]])])
    assert numbers["value"].tolist() == [2, 0, 10, 11, 3]


def test_other_columns_are_used_but_not_imputed():
    frame = pd.DataFrame({"a": [1.0, NAN, 3], "b": [NAN, 2.0, 3], "note": ["u", None, "w"]})
    panel = to_panel(frame, ReadOptions(columns=("a",)))
    assert panel.series[0].values.shape == (3, 4)
    out = filled(panel)
    assert out["a"].tolist() == [1, 7, 3]
    pd.testing.assert_frame_equal(out[["b", "note"]], frame[["b", "note"]])
    assert list(panel.spread([series.values for series in panel.series])) == ["a"]


def test_sentinels_are_gaps():
    frame = pd.DataFrame({"a": [1, -200, 3], "c": ["x", "?", "x"], "d": np.array([1.5, "?", 2], object)})
    out = filled(to_panel(frame, ReadOptions(missing_values=(-200, "?"))))
    assert out["a"].tolist() == [1, 7, 3]
    assert out["c"].tolist() == ["x", "x", "x"]
    assert out["d"].tolist() == [1.5, 7.0, 2]


def test_spread_reads_every_number_in_the_order_of_the_rows():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "c": ["x", "y", "x"], "b": [True, False, True]}, index=hourly(3)[::-1])
    panel = to_panel(frame, ReadOptions())
    numbers = panel.spread([np.arange(12.0).reshape(3, 4)])
    pd.testing.assert_index_equal(numbers.index, frame.index)
    assert numbers.to_dict("list") == {"a": [8, 4, 0], "b": [11, 7, 3]}


def test_categories_come_back_as_the_likeliest():
    frame = pd.DataFrame({"c": ["x", None, "y", "z"]})
    panel = to_panel(frame, ReadOptions())
    assert [channel.name for channel in panel.schema.channels] == ["c=x", "c=y", "c=z"]
    assert panel.fill([np.tile([0.1, 0.2, 0.7], (4, 1))])["c"].tolist() == ["x", "z", "y", "z"]


def test_keys_say_what_a_row_is():
    frame = pd.DataFrame({"who": ["a", "b"], "v": [1.0, 2], "when": pd.to_datetime(["2021", "2021"])})
    assert list(to_panel(frame, ReadOptions()).keys()) == ["who", "when"]


def test_nothing_but_finite_numbers_is_taken():
    panel = to_panel(pd.DataFrame({"a": [1.0, NAN]}), ReadOptions())
    with pytest.raises(ValueError, match=r"'a'.*finite"):
        panel.fill([panel.series[0].values])
    with pytest.raises(ValueError, match="1 series"):
        panel.fill([])


def test_a_schema_reads_other_frames_alike():
    frame = pd.DataFrame({"n": [1, 2, 3], "c": ["x", "y", "x"], "b": [True, False, True]}, index=hourly(3))
    schema = Schema.from_json(json.loads(json.dumps(to_panel(frame, ReadOptions()).schema.to_json())))
    other = pd.DataFrame({"c": ["y", None, "new"], "b": [NAN, 1.0, 0], "n": [NAN, 5.0, NAN]}, index=hourly(3))
    panel = to_panel_as(other, schema)
    expected = [[NAN, 0, 1, NAN], [5, NAN, NAN, 1], [NAN, NAN, NAN, 0]]
    assert np.array_equal(panel.series[0].values, expected, equal_nan=True)
    out = panel.fill([np.full((3, 4), 0.5)])
    assert out["c"].tolist() == ["y", "x", "new"]
    assert out["n"].tolist() == [0.5, 5, 0.5]
    pd.testing.assert_series_equal(out.dtypes, other.dtypes)


@pytest.mark.parametrize("dtype", ["float64", "object", "str", "Int64", "category"])
def test_a_column_with_nothing_observed_is_filled_as_its_dtype_allows(dtype):
    schema = to_panel(pd.DataFrame({"a": [1.0, 2], "c": ["x", "y"]}), ReadOptions()).schema
    frame = pd.DataFrame({"a": [NAN, NAN], "c": pd.Series([None, None], dtype=dtype)})
    if dtype == "category":
        frame["c"] = frame["c"].cat.set_categories(["y"])
    out = to_panel_as(frame, schema).fill([np.array([[3.0, 1, 0]] * 2)]) if dtype in ("object", "str", "category") else None
    assert out is None or out["c"].tolist() == (["y"] * 2 if dtype == "category" else ["x"] * 2)


def test_numbers_too_large_to_reckon_with_stay():
    frame = pd.DataFrame({"a": [1e308, 1.0, NAN]})
    with pytest.warns(UserWarning, match=r"column 'a': 1 of its values are beyond 1e\+100 and not used; divide the column"):
        panel = to_panel(frame, ReadOptions())
    assert np.array_equal(panel.series[0].values[:, 0], [NAN, 1, NAN], equal_nan=True)
    assert filled(panel)["a"].tolist() == [1e308, 1, 7]


def test_what_comes_out_is_a_copy():
    frame = pd.DataFrame({"a": [1.0, NAN], "text": pd.Series(["x", "y"], dtype=object), "kind": pd.Categorical(["u", "v"])})
    before = frame.copy(deep=True)
    out = filled(to_panel(frame, ReadOptions()))
    assert out["text"].dtype == object
    out.iloc[0] = [9.0, "z", "v"]
    pd.testing.assert_frame_equal(frame, before)


def test_fast_on_long_frames_and_on_many_entities():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(100_000, 8))
    values[rng.random(values.shape) < 0.2] = NAN
    frame = pd.DataFrame(values, columns=list("abcdefgh"), index=hourly(100_000))
    pd.testing.assert_frame_equal(filled(to_panel(frame, ReadOptions())), frame.fillna(7.0))
    frame = frame.reset_index(drop=True).assign(time=np.tile(hourly(20), 5000), id=np.repeat(np.arange(5000), 20))
    panel = to_panel(frame, ReadOptions())
    assert len(panel.series) == 5000
    pd.testing.assert_frame_equal(filled(panel), frame.fillna(7.0))


def test_decimals_are_filled_with_decimals():
    frame = pd.DataFrame({"a": [Decimal("1.50"), None, Decimal("2.25")], "b": [1.0, 2, 3]})
    out = filled(to_panel(frame, ReadOptions()), 1.875)
    assert out["a"].tolist() == [Decimal("1.50"), Decimal("1.88"), Decimal("2.25")]
