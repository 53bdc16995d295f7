"""Bad input: an error of one line that names the column and the row, or a result that keeps the contract; never anything else."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_timeseries.frames import Reading, Schema, extend, grid, to_panel, to_panel_as

NAN = np.nan
DAYS = pd.date_range("2021-01-01", periods=4)
FUZZ = settings(max_examples=260, deadline=None, suppress_health_check=list(HealthCheck))


def words(count):
    return [f"remark {number}" for number in range(count)]


BAD = {
    "empty": (pd.DataFrame({"a": []}), {}, "empty"),
    "no columns": (pd.DataFrame(index=DAYS), {}, "no column"),
    "time only": (pd.DataFrame({"date": DAYS}), {}, "no column"),
    "no frame": ([1, 2], {}, "list given"),
    "twice the name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "column 'a' is there twice"),
    "duplicates": (pd.DataFrame({"t": DAYS[[0, 1, 1, 2]], "a": range(4)}), {}, "row 1, row 2: several readings at 2021-01-02"),
    "duplicates of an entity": (
        pd.DataFrame({"t": DAYS[[0, 0, 1, 1, 1]], "id": list("ababa"), "a": range(5)}),
        {"entity": "id"},
        "row 2, row 4: several readings of 'a' at 2021-01-02",
    ),
    "duplicates in the index": (pd.DataFrame({"a": [1, 2]}, index=DAYS[[1, 1]]), {}, r"row 0 \(2021-01-02 00:00:00\), row 1"),
    "duplicates in the long form": (
        pd.DataFrame({"t": DAYS[[0, 0, 0]], "variable": list("xyx"), "value": [1.0, 2, 3]}),
        {},
        "row 0, row 2: several readings",
    ),
    "no stamp in the index": (
        pd.DataFrame({"a": [1, 2]}, index=pd.DatetimeIndex([DAYS[0], None])),
        {},
        "row 1 .NaT.: no stamp in the index",
    ),
    "two times": (pd.DataFrame({"t": DAYS, "u": DAYS, "a": range(4)}), {}, "2 columns hold stamps.*time='t'"),
    "no stamp": (pd.DataFrame({"t": [DAYS[0], pd.NaT], "a": [1, 2]}), {}, "row 1: no stamp in column 't'"),
    "no entity": (pd.DataFrame({"id": ["p", None], "a": [1, 2]}), {"entity": "id"}, "row 1: no entity in column 'id'"),
    "no variable": (pd.DataFrame({"t": DAYS[:2], "variable": ["x", None], "value": [1.0, 2]}), {}, "row 1: .*variable"),
    "unreadable stamp": (
        pd.DataFrame({"t": ["2021-01-01", "2021-13-45", "2021-01-03"], "a": [1, 2, 3]}),
        {},
        "row 1: column 't': '2021-13-45'",
    ),
    "no date at all": (pd.DataFrame({"t": ["x", "y"], "a": [1, 2]}), {"time": "t"}, "row 0: column 't': 'x'"),
    "mixed zones": (pd.DataFrame({"t": ["2021-01-01 00:00:00Z", "2021-01-02 00:00:00"], "a": [1, 2]}), {}, "row 1: .*time zone"),
    "mixed zones of objects": (
        pd.DataFrame({"t": np.array([DAYS[0], DAYS[1].tz_localize("UTC")], object), "a": [1, 2]}),
        {"time": "t"},
        "time zone|one kind",
    ),
    "years of durations": (pd.DataFrame({"a": [1, 2]}, index=pd.to_timedelta(np.array([0, 2**62], "m8[s]"))), {}, "292 years"),
    "year 1": (
        pd.DataFrame({"t": np.array(["0001-01-01", "0001-01-02"], "datetime64[s]"), "a": [1, 2]}),
        {},
        "column 't': .*1677",
    ),
    "infinite time": (pd.DataFrame({"t": [0.0, np.inf], "a": [1, 2]}), {"time": "t"}, "row 1: column 't': inf is too large"),
    "booleans as time": (pd.DataFrame({"t": [True, False], "a": [1, 2]}), {"time": "t"}, "column 't'"),
    "unknown time": (
        pd.DataFrame({"date": DAYS, "a": range(4)}),
        {"time": "Date"},
        "time='Date': no such column; did you mean 'date'",
    ),
    "unknown column": (
        pd.DataFrame({"temp": [1, 2]}),
        {"columns": ["tmp"]},
        "columns='tmp': no such column; did you mean 'temp'",
    ),
    "unknown variable": (pd.DataFrame({"t": DAYS[:1], "variable": ["x"], "value": [1.0]}), {"columns": ["z"]}, "columns='z'"),
    "half a long form": (pd.DataFrame({"v": ["x"], "a": [1]}), {"variable": "v"}, "belong together"),
    "text in the long form": (
        pd.DataFrame({"k": ["x"], "v": ["high"]}),
        {"variable": "k", "value": "v"},
        "row 0: column 'v'.*'high'",
    ),
    "one name for a list": (pd.DataFrame({"a": [1]}), {"columns": "a"}, r"columns='a': give a list, \['a'\]"),
    "aggregate": (pd.DataFrame({"a": [1]}), {"aggregate": "max"}, "aggregate='max': give 'mean'"),
    "step": (pd.DataFrame({"a": range(4)}, index=DAYS), {"step": "soon"}, "step='soon'.*'1h'"),
    "negative step": (pd.DataFrame({"a": range(4)}, index=DAYS), {"step": "-1h"}, "step='-1h'"),
    "free text": (pd.DataFrame({"note": words(80)}), {}, "row 0: column 'note' is free text"),
    "text among numbers": (pd.DataFrame({"a": np.array([1.5, "n/a", 2], object)}), {}, "row 1: column 'a'.*'n/a'"),
    "text among numbers as text": (
        pd.DataFrame({"a": [str(i) for i in range(40)] + ["bad"]}),
        {},
        "row 40: column 'a': 'bad' is no number",
    ),
    "numbers as text": (
        pd.DataFrame({"a": [str(i) for i in range(40)]}),
        {},
        "row 0: column 'a' holds numbers as text.*to_numeric",
    ),
    "few numbers with a decimal comma": (
        pd.DataFrame({"a": ["1,5", "2,0", "2,5", None] * 50, "x": np.arange(200.0)}),
        {},
        r"row 0: column 'a' holds numbers as text \('1,5'\); write them as 1234\.5",
    ),
    "few numbers with thousands": (pd.DataFrame({"a": ["12,500", "1.300"] * 9}), {}, "row 0: column 'a' holds numbers as text"),
    "shares in per cent": (pd.DataFrame({"a": ["14%", "15 %"] * 9}), {}, "row 0: column 'a' holds numbers as text"),
    "a mark for missing among few numbers": (
        pd.DataFrame({"a": ["12.5", "15.0", "-", "17.5", None] * 40}),
        {},
        r"row 2: column 'a': '-' is no number.*if '-' means missing, give missing_values=\['-'\] \(--missing-values=-\)",
    ),
    "several marks among few numbers": (
        pd.DataFrame({"a": ["ND", "1", "2", "3", "<0.5", "4"]}),
        {},
        r"row 0: column 'a': 'ND'.*if 'ND', '<0\.5' means missing.*--missing-values=ND,<0\.5\)",
    ),
    "lists": (pd.DataFrame({"a": [[1], [2]]}), {}, "row 0: column 'a'"),
    "complex": (pd.DataFrame({"a": [1j, NAN]}), {}, "column 'a'"),
    "durations with gaps": (pd.DataFrame({"a": pd.to_timedelta(["1s", None]), "b": [1, 2]}), {}, "column 'a'"),
    "text with nothing in it": (
        pd.DataFrame({"a": pd.Series([None, None], dtype="string")}),
        {},
        "column 'a' is text and nothing",
    ),
    "no categories": (pd.DataFrame({"a": pd.Categorical([None, None])}), {}, "column 'a' has no categories"),
}


@pytest.mark.parametrize(("frame", "reading", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_named(frame, reading, message):
    with pytest.raises(UsageError, match=message) as error:
        to_panel(frame, Reading(**reading))
    assert "\n" not in str(error.value)


def test_text_that_is_no_number_is_a_category():
    frame = pd.DataFrame({"site": ["007", "008"] * 9, "sky": ["clear", "1", "rain"] * 6, "level": pd.Categorical(["1", "2"] * 9)})
    assert [channel.kind for channel in to_panel(frame, Reading()).schema.channels] == ["category"] * 7


def test_a_million_columns_are_refused_with_a_reason():
    frame = pd.DataFrame(np.zeros((2, 1_000_000)))
    with pytest.raises(UsageError, match=r"1,000,000 columns, more than 10,000: .*memory"):
        to_panel(frame, Reading())


def test_a_grid_beyond_memory_is_refused_with_a_reason(monkeypatch):
    monkeypatch.setattr(grid, "MAX_CELLS", 100)
    frame = pd.DataFrame(np.zeros((30, 9)))
    with pytest.raises(UsageError, match=r"30 rows x 9 columns, more than 100 cells"):
        to_panel(frame, Reading())


OTHER = {
    "absent": ({"b": list("xyxy"), "c": [1, 2, 3, 4]}, "column 'a' is absent"),
    "new": ({"a": [1.0] * 4, "b": list("xyxy"), "c": [1] * 4, "d": [1] * 4}, "column 'd' was not there"),
    "text for numbers": ({"a": list("wxyz"), "b": list("xyxy"), "c": [1] * 4}, "column 'a' is category"),
    "numbers for text": ({"a": [1.0] * 4, "b": [1] * 4, "c": [1] * 4}, "column 'b' is int"),
    "lists": ({"a": [[1]] * 4, "b": list("xyxy"), "c": [1] * 4}, "column 'a' is other"),
}


@pytest.mark.parametrize(("columns", "message"), OTHER.values(), ids=OTHER)
def test_a_frame_of_another_schema_is_named(columns, message):
    schema = to_panel(pd.DataFrame({"a": [1.0, 2, 3, 4], "b": list("xyxx"), "c": [1, 2, 3, 4]}, index=DAYS), Reading()).schema
    with pytest.raises(UsageError, match=message):
        to_panel_as(pd.DataFrame(columns, index=DAYS), schema)


def test_a_frame_of_another_form_is_named():
    frame = pd.DataFrame({"t": DAYS, "id": list("ppqq"), "a": range(4)})
    schema = to_panel(frame, Reading(entity="id")).schema
    for column in ("t", "id"):
        with pytest.raises(UsageError, match=f"column '{column}' is absent"):
            to_panel_as(frame.drop(columns=column), schema)
    with pytest.raises(UsageError, match="times are numbers, the model was fitted on stamps"):
        to_panel_as(frame.assign(t=range(4)), schema)
    long = pd.DataFrame({"t": DAYS, "variable": list("xxyy"), "value": range(4)})
    schema = to_panel(long.assign(t=[*DAYS[:2], *DAYS[:2]]), Reading()).schema
    with pytest.raises(UsageError, match="row 3: column 'variable': 'z' is no variable"):
        to_panel_as(long.assign(variable=list("xyyz")), schema)
    index = pd.MultiIndex.from_product([["p"], DAYS])
    schema = to_panel(pd.DataFrame({"a": range(4)}, index=index), Reading()).schema
    with pytest.raises(UsageError, match="index has 1 level"):
        to_panel_as(pd.DataFrame({"a": range(4)}, index=DAYS), schema)


@pytest.mark.parametrize(
    "damage",
    [{"step": None}, {"channels": [[1]]}, {"form": {}}, {"reading": {"colour": 1}}, {"channels": [["a", "a", "x", None, True]]}],
)
def test_a_damaged_schema_is_named(damage):
    json_ = to_panel(pd.DataFrame({"a": [1.0, 2]}), Reading()).schema.to_json()
    with pytest.raises(UsageError, match="damaged"):
        Schema.from_json(json_ | damage)


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
    check_round_trip(frame, Reading())


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
    Reading,
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
        assert not gaps(new[gap], Reading()).any()
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


@FUZZ
@given(frames(), READINGS)
def test_any_frame_is_read_or_refused(frame, reading):
    check_read_or_refused(frame, reading)


@FUZZ
@given(frames(), st.just(Reading()))
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


@FUZZ
@given(panels(), st.sampled_from([None, "mean"]))
def test_any_panel_is_read_or_refused(frame, aggregate):
    twice = frame.duplicated(["when", "who"]).any() and aggregate is None
    message = refusal(frame, Reading(entity="who", aggregate=aggregate)) or ""
    assert twice == ("several readings" in message) or "no categories" in message


@FUZZ
@given(panels(), st.sampled_from([None, "mean"]), st.booleans())
def test_any_long_frame_is_read_or_refused(frame, aggregate, tell):
    numbers = frame.loc[:, [name for name in frame if name.startswith("x") and kind(frame[name])]].astype("float64")
    long = frame[["when", "who"]].join(numbers).melt(["when", "who"]).sample(frac=1, random_state=0)
    check_read_or_refused(long, Reading(entity="who" if tell else None, aggregate=aggregate))


def kind(column):
    return pd.api.types.is_numeric_dtype(column.dtype)
