"""What goes in comes back as what it was: columns, arrays of several series, frames of polars."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries import Imputer

pl = pytest.importorskip("polars")
NAN = float("nan")
T = np.arange(96.0)
HOURS = pd.date_range("2024-03-30", periods=96, freq="h", tz="Europe/Berlin")


def wave(name=None, index=HOURS, dtype=float):
    values = pd.Series(np.sin(T / 4), index=index, name=name)
    values.iloc[[5, 30, 31, 60]] = NAN
    return values.astype(dtype)


@pytest.mark.parametrize("name", [None, "load", ("a", 1)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64"])
def test_a_column_comes_back_as_a_column(name, dtype):
    given = wave(name, dtype=dtype)
    filled = Imputer(window=8).fit_transform(given)
    assert isinstance(filled, pd.Series)
    assert (filled.name, filled.dtype) == (name, given.dtype)
    assert filled.index.equals(HOURS)
    seen = given.notna()
    assert filled[seen].equals(given[seen])
    assert np.abs(filled.to_numpy(float) - np.sin(T / 4)).max() < 0.2


def test_a_column_is_filled_as_the_frame_with_it_alone():
    imputer = Imputer(window=8).fit(wave("load"))
    frame = wave("load").to_frame()
    assert imputer.transform(frame)["load"].equals(imputer.transform(wave("load")))
    other = imputer.transform(wave("other"))
    assert other.name == "other"
    assert other.equals(imputer.transform(wave("load")))
    assert imputer.samples(wave("other"), 1)[0].name == "other"
    assert imputer.quantiles(wave("load"), [0.5])[("load", 0.5)].equals(other.rename(("load", 0.5)))
    assert imputer.feature_names_in_.tolist() == ["load"]


def test_whole_numbers_without_a_time():
    given = pd.Series([1, 2, None, 4, 5, None, 7] * 6, dtype="Int16", index=[f"r{i}" for i in range(42)])
    filled = Imputer(window=7).fit_transform(given)
    assert filled.dtype == "Int16"
    assert filled.index.equals(given.index)
    assert filled.notna().all()


def test_a_column_has_no_room_for_indicators_and_none_for_the_others():
    with pytest.raises(UsageError, match="add_indicator: a single column has no room"):
        Imputer(add_indicator=True).fit(wave("load"))
    imputer = Imputer(window=8).fit(pd.DataFrame({"a": wave(), "b": wave()}))
    with pytest.raises(UsageError, match="X: a single column, but the imputer was fitted with 2"):
        imputer.transform(wave("a"))


def stack(seed=0, samples=12, steps=24):
    """Series (N, T, D) of sines with random phases and gaps; a step, the end of a series and a whole column of one are missing."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6, (samples, 1, 1)) + np.array([0.0, 1.5, 3.0])
    truth = np.sin(np.arange(steps)[:, None] / 3 + phase)
    x = np.where(rng.random(truth.shape) < 0.15, NAN, truth)
    x[1, 4], x[2, 18:], x[3, :, 0] = NAN, NAN, NAN
    return truth, x


def test_several_series_come_back_in_their_shape():
    truth, x = stack()
    imputer = Imputer()
    filled = imputer.fit_transform(x)
    assert filled.shape == x.shape
    assert np.isfinite(filled).all()
    assert np.array_equal(filled[~np.isnan(x)], x[~np.isnan(x)])
    hidden = np.isnan(x)
    hidden[2, 18:] = False
    assert np.abs(filled - truth)[hidden].mean() < 0.15
    assert imputer.n_features_in_ == 3
    assert np.array_equal(imputer.transform({"X": x, "y": np.zeros(12)}), filled)
    assert np.array_equal(
        imputer.transform(x.astype("float32")), imputer.transform(x.astype("float32").astype(float)).astype("float32")
    )
    assert imputer.transform(x.astype("float32")).dtype == np.float32
    assert [draw.shape for draw in imputer.samples(x, 2)] == [x.shape] * 2
    assert np.array_equal(Imputer().fit({"X": x}).transform(x), filled)


def test_no_series_reaches_into_another():
    """A series that ends high and one that begins low meet in a gap: each side is filled from its own."""
    x = np.stack([np.full((20, 1), 100.0), np.zeros((20, 1))] * 6) + 0.1 * np.random.default_rng(0).normal(size=(12, 20, 1))
    x[0, 17:], x[1, :3] = NAN, NAN
    filled = Imputer(window=5).fit_transform(x)
    assert np.abs(filled[0, 17:] - 100).max() < 5
    assert np.abs(filled[1, :3]).max() < 5


def test_one_series_or_several_whatever_it_was_fitted_on():
    _, x = stack()
    of_many, of_one = Imputer().fit(x), Imputer().fit(x.reshape(-1, 3))
    assert of_many.transform(x[0]).shape == (24, 3)
    assert np.isfinite(of_many.transform(x[0])).all()
    assert of_one.transform(x).shape == x.shape
    with pytest.raises(ValueError, match="X has 2 features, but Imputer is expecting 3 features"):
        of_many.transform(x[..., :2])


def test_a_stack_has_gaps_that_are_left_indicators_and_flags(tmp_path):
    _, x = stack()
    imputer = Imputer(max_gap=5, add_indicator=True).fit(x)
    out = imputer.transform(x)
    assert out.shape == (12, 24, 6)
    assert np.isnan(out[2, 18:, :3]).all()
    assert np.isnan(out[3, :, 0]).all()
    assert np.array_equal(out[..., 3:], np.isnan(x))
    flags = imputer.flags(x)
    assert flags.index.names == ["series", "step"]
    assert (flags.loc[2].iloc[18:][(0, "flag")] == "missing").all()
    imputer.save(tmp_path / "saved")
    assert np.array_equal(Imputer.load(tmp_path / "saved").transform(x), out, equal_nan=True)


@pytest.mark.parametrize("given", [{"x": np.zeros((2, 3, 1))}, {"X": np.zeros((2, 3))}, {}])
def test_a_mapping_without_series_is_refused(given):
    with pytest.raises(UsageError, match=r'X: should be \{"X": array \(series, steps, columns\)\}'):
        Imputer().fit(given)


def test_a_stack_cannot_stand_for_a_frame_with_columns_of_names():
    table = pd.DataFrame({"who": np.repeat([0.0, 1.0], 48), "a": np.sin(T)})
    imputer = Imputer(entity="who", window=4).fit(table)
    with (
        pytest.warns(UserWarning, match="does not have valid feature names"),
        pytest.raises(UsageError, match="an array of several series given"),
    ):
        imputer.transform(np.zeros((2, 3, 2)))


def test_an_array_after_a_frame_with_stamps():
    frame = pd.DataFrame({"a": wave(), "b": np.cos(T / 4)}, index=HOURS)
    imputer = Imputer(window=8, max_gap="1h").fit(frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        out = imputer.transform(frame.to_numpy())
    assert np.array_equal(out, imputer.transform(frame).to_numpy(), equal_nan=True)
    assert np.isnan(out[:, 0]).nonzero()[0].tolist() == [30, 31]


def every_kind(rows=96):
    """A frame of polars with a column of every kind, gaps in most."""
    stamps = pl.datetime_range(datetime(2024, 3, 30), datetime(2024, 3, 30) + timedelta(hours=rows - 1), "1h", eager=True)

    def holed(values, dtype=None, every=7):
        return pl.Series([None if i % every == 3 else value for i, value in enumerate(values)], dtype=dtype)

    words = ["lo" if x < 0 else "hi" for x in np.sin(T)]
    return pl.DataFrame(
        {
            "time": stamps.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin"),
            "f": holed(np.sin(T).tolist()),
            "f32": pl.Series([NAN if i % 9 == 0 else x for i, x in enumerate(np.cos(T))], dtype=pl.Float32),
            "i8": holed([round(9 * x) for x in np.sin(T)], pl.Int8),
            "u16": pl.Series([round(9 + 9 * x) for x in np.sin(T)], dtype=pl.UInt16),
            "on": holed([bool(x > 0) for x in np.sin(T)]),
            "word": holed(words),
            "kind": holed(words, pl.Categorical),
            "rank": holed(words, pl.Enum(["lo", "mid", "hi"])),
            "price": holed([Decimal(f"{x:.2f}") for x in np.sin(T)]),
        }
    )


def test_polars_comes_back_in_its_dtypes():
    frame = every_kind()
    filled = Imputer(window=6).fit_transform(frame)
    assert isinstance(filled, pl.DataFrame)
    assert filled.schema == frame.schema
    assert sum(filled.null_count().row(0)) == 0
    assert not filled["f32"].is_nan().any()
    for name in frame.columns:
        seen = frame[name].is_not_null() & (frame[name].is_not_nan() if name.startswith("f") else pl.Series([True] * 96))
        assert filled[name].filter(seen).equals(frame[name].filter(seen)), name


def test_polars_keeps_nulls_in_gaps_that_are_left():
    frame = every_kind()
    left = Imputer(window=6, limit_area="outside").fit_transform(frame)  # all gaps but the first cell of f32 lie inside
    expected = frame.with_columns(left["f32"])
    assert left.equals(expected)
    assert left["f32"].is_nan().sum() == 10
    assert not left["f32"].is_nan()[0]


def test_polars_has_rows_put_in_and_indicators():
    frame = every_kind().select("time", "f", "u16")
    rest = frame.filter(~pl.int_range(96).is_in([20, 21]))
    out = Imputer(window=6, freq="h", add_indicator=True).fit_transform(rest)
    assert out["time"].equals(frame["time"])
    assert out.schema == {**frame.schema, "missingindicator_f": pl.Boolean, "missingindicator_u16": pl.Boolean}
    assert out["missingindicator_u16"].arg_true().to_list() == [20, 21]
    nulls = Imputer(window=6, freq="h", max_gap=1).fit_transform(rest)
    assert nulls.null_count().row(0) == (0, 2, 2)
    assert nulls.schema == frame.schema


def test_a_column_of_polars():
    column = every_kind()["i8"]
    filled = Imputer(window=6).fit_transform(column)
    assert (filled.name, filled.dtype, filled.null_count()) == ("i8", pl.Int8, 0)
    assert filled.filter(column.is_not_null()).equals(column.filter(column.is_not_null()))


def test_stamps_of_polars_of_every_unit():
    stamps = pl.datetime_range(datetime(1960, 1, 1), datetime(1960, 1, 4), "1h", eager=True)
    for unit in ("ms", "us", "ns"):
        frame = pl.DataFrame({"t": stamps.cast(pl.Datetime(unit)), "a": np.sin(np.arange(len(stamps)))})
        assert Imputer(window=6).fit_transform(frame).equals(frame)
    days = pl.DataFrame({"t": pl.date_range(datetime(1960, 1, 1), datetime(1960, 3, 1), "1d", eager=True)}).with_row_index("n")
    whole = days.with_columns(a=pl.Series(np.sin(np.arange(len(days)))))
    out = Imputer(window=6, freq="D").fit_transform(whole.filter(pl.col("n") != 9))
    assert out["t"].equals(whole["t"])
    assert out["n"].dtype == pl.UInt32


def test_a_query_of_polars_is_to_be_run_first():
    with pytest.raises(UsageError, match=r"X: a LazyFrame of polars is a query; run it first, X\.collect\(\)"):
        Imputer().fit(every_kind().lazy())


def test_polars_is_not_imported_for_others():
    code = (
        "import sys, numpy as np; from vaehub_timeseries import Imputer;"
        "Imputer(window=4).fit_transform(np.where(np.eye(30, 2) > 0, np.nan, np.sin(np.arange(60.)).reshape(30, 2)));"
        "assert 'polars' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
