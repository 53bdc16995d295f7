"""Any frame at all: it comes back as it must, or an error of one line says why not; never anything else."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_timeseries.frames import ReadOptions, Schema, extend, to_panel, to_panel_as

NAN = np.nan
DAYS = pd.date_range("2021-01-01", periods=4)
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*are beyond 1e:UserWarning",
    "ignore:.*is read as:UserWarning",
    "ignore:.*holds dates, which are not imputed:UserWarning",
)
FUZZ = settings(max_examples=260, deadline=None, suppress_health_check=list(HealthCheck))


ODD = {
    "one row": pd.DataFrame({"a": [1.0], "b": [NAN]}),
    "constant": pd.DataFrame({"a": [1.0, 1, NAN], "b": [1, 1, 1]}),
    "all missing": pd.DataFrame({"a": [NAN, NAN], "b": np.array([None, None], object)}),
    "zones in one column": pd.DataFrame({"t": ["2021-03-28T00:00:00+01:00", "2021-03-28T03:00:00+02:00"], "a": [1, NAN]}),
    "read-only": pd.DataFrame(np.broadcast_to(NAN, (3, 2))),
    "dates beside the time": pd.DataFrame({"t": DAYS, "since": DAYS.to_period("M"), "a": [1, NAN, 3, 4]}).set_index("t"),
}


@pytest.mark.parametrize("frame", ODD.values(), ids=ODD)
def test_odd_input_is_handled(frame):
    check_round_trip(frame, ReadOptions())


CELLS = {
    "float64": st.floats(width=64) | st.sampled_from([NAN, -200.0]),
    "float32": st.floats(width=32),
    "Float64": st.none() | st.floats(allow_nan=False),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint8": st.integers(0, 255),
    "Int16": st.none() | st.integers(-(2**15), 2**15 - 1),
    "bool": st.booleans(),
    "boolean": st.none() | st.booleans(),
    "category": st.none() | st.sampled_from(["x", "y"]),
    "str": st.none() | st.sampled_from(["x", "y", "", "2021-01-01", "7"]),
    "string": st.none() | st.text(max_size=3),
    "object": st.none() | st.sampled_from([1, 2.5, True, "x", NAN, pd.NA, (1,)]),
    "datetime64[us]": st.none() | st.datetimes(),
    "datetime64[ns, Europe/Rome]": st.none() | st.sampled_from(list(DAYS)),
    "timedelta64[ns]": st.none() | st.integers(0, 9),
    "double[pyarrow]": st.none() | st.floats(allow_nan=False),
    "int64[pyarrow]": st.none() | st.integers(-9, 9),
    "complex128": st.complex_numbers(),
}
INDEXES = st.sampled_from(["range", "stamps", "twice", "zone", "text", "levels", "objects"])
NAMES = st.sampled_from(["a", "b", "time", "date", "id", "variable", "value", 0, ("a", 1)])


def index_of(kind, rows):
    stamps = pd.date_range("2021-10-30 20:00", periods=rows, freq="h")
    made = {
        "range": lambda: pd.RangeIndex(rows),
        "stamps": lambda: stamps[::-1],
        "twice": lambda: stamps[np.arange(rows) // 2],
        "zone": lambda: stamps.tz_localize("UTC").tz_convert("Europe/Rome"),
        "text": lambda: pd.Index([f"row {row}" for row in range(rows)]),
        "levels": lambda: pd.MultiIndex.from_arrays([np.arange(rows) % 2, stamps]),
        "objects": lambda: pd.Index([stamp if row % 2 else str(stamp) for row, stamp in enumerate(stamps)], dtype=object),
    }
    return made[kind]()


@st.composite
def frames(draw, most_rows=8):
    rows = draw(st.integers(0, most_rows))
    columns = {}
    for name in draw(st.lists(NAMES, max_size=5, unique=True)):
        dtype = draw(st.sampled_from(list(CELLS)))
        cells = draw(st.lists(CELLS[dtype], min_size=rows, max_size=rows))
        columns[name] = pd.Series(cells, dtype=dtype)
    frame = pd.DataFrame(columns) if columns else pd.DataFrame(index=range(rows))
    frame.columns = pd.Index(list(columns), dtype=object, tupleize_cols=False)
    return frame.set_axis(index_of(draw(INDEXES), rows)) if len(frame) == rows else frame


READINGS = st.builds(
    ReadOptions,
    time=st.sampled_from([None, None, None, "time", "date"]),
    entity=st.sampled_from([None, None, None, "id", "a"]),
    columns=st.sampled_from([None, None, None, ("a",), ("b", "a")]),
    missing_values=st.sampled_from([(), (-200,), ("x", 7)]),
    aggregate=st.sampled_from([None, "mean"]),
    step=st.sampled_from([None, None, "1h", "0.5"]),
)


def check_round_trip(frame, reading):
    """Fill a frame and compare it with what went in, cell by cell."""
    before = frame.copy(deep=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*missing_values=")
        panel = to_panel(frame, reading)
    out = panel.fill([np.where(np.isnan(series.values), 1.0, series.values) for series in panel.series])
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_index_equal(out.index, frame.index)
    pd.testing.assert_index_equal(out.columns, frame.columns)
    pd.testing.assert_series_equal(out.dtypes, frame.dtypes)
    written = targets(panel)
    for place, label in enumerate(frame.columns):
        old, new = frame.iloc[:, place], out.iloc[:, place]
        gap = gaps(old, reading) if label in written else np.zeros(len(frame), bool)
        pd.testing.assert_series_equal(new[~gap], old[~gap])
        assert not gaps(new[gap], ReadOptions()).any()
    again = to_panel_as(frame, Schema.from_json(json.loads(json.dumps(panel.schema.to_json()))))
    for first, second in zip(panel.series, again.series, strict=True):
        assert np.array_equal(first.values, second.values, equal_nan=True)
        assert len(first.index) == len(first.values)
    later = extend(panel, 2)
    longer = later.fill([np.nan_to_num(series.values) for series in later.series])
    assert len(longer) > len(frame)
    pd.testing.assert_series_equal(longer.dtypes, frame.dtypes)


def targets(panel):
    schema = panel.schema
    return {schema.form.value} if schema.form.long else {channel.column for channel in schema.channels if channel.target}


def gaps(column, reading):
    numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype)
    infinite = np.isinf(column.to_numpy(float, na_value=NAN)) if numeric else np.zeros(len(column), bool)
    known = list(reading.missing_values)
    sentinel = column.isin([value for value in known if not isinstance(value, str)] if numeric else known).to_numpy(bool)
    return column.isna().to_numpy(bool) | infinite | sentinel


def check_read_or_refused(frame, reading):
    """The contract, or an error of one line."""
    message = refusal(frame, reading)
    assert message is None or (len(message) > 10 and "\n" not in message)


def refusal(frame, reading):
    """Why a frame is refused, None where the contract is kept."""
    try:
        check_round_trip(frame, reading)
    except UsageError as error:
        return str(error)


@pytest.mark.slow
@FUZZ
@given(frames(), READINGS)
def test_any_frame_is_read_or_refused(frame, reading):
    check_read_or_refused(frame, reading)


@pytest.mark.slow
@FUZZ
@given(frames(), st.just(ReadOptions()))
def test_any_frame_is_read_or_refused_without_options(frame, reading):
    check_read_or_refused(frame, reading)


NUMERIC = ("float64", "float32", "Float64", "int64", "uint8", "Int16", "bool", "boolean", "category", "double[pyarrow]")


@st.composite
def panels(draw):
    """Frames of entities and stamps in any order, some of them twice."""
    rows = draw(st.integers(1, 12))
    hours = draw(st.lists(st.integers(0, 30) | st.integers(0, 10**6), min_size=rows, max_size=rows))
    columns = {"when": pd.Timestamp("2021-10-30", tz="Europe/Rome") + pd.to_timedelta(hours, "h")}
    columns["who"] = draw(st.lists(st.sampled_from("pq"), min_size=rows, max_size=rows))
    for number in range(draw(st.integers(1, 3))):
        dtype = draw(st.sampled_from(NUMERIC))
        columns[f"x{number}"] = pd.Series(draw(st.lists(CELLS[dtype], min_size=rows, max_size=rows)), dtype=dtype).array
    return pd.DataFrame(columns)


@pytest.mark.slow
@FUZZ
@given(panels(), st.sampled_from([None, "mean"]))
def test_any_panel_is_read_or_refused(frame, aggregate):
    twice = frame.duplicated(["when", "who"]).any() and aggregate is None
    message = refusal(frame, ReadOptions(entity="who", aggregate=aggregate)) or ""
    assert twice == ("several readings" in message) or "no categories" in message


@pytest.mark.slow
@FUZZ
@given(panels(), st.sampled_from([None, "mean"]), st.booleans())
def test_any_long_frame_is_read_or_refused(frame, aggregate, tell):
    numbers = frame.loc[:, [name for name in frame if name.startswith("x") and kind(frame[name])]].astype("float64")
    long = frame[["when", "who"]].join(numbers).melt(["when", "who"]).sample(frac=1, random_state=0)
    check_read_or_refused(long, ReadOptions(entity="who" if tell else None, aggregate=aggregate))


def kind(column):
    return pd.api.types.is_numeric_dtype(column.dtype)
