"""Bad input: an error of one line that names the column and the row."""

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_timeseries.frames import ReadOptions, Schema, grid, to_panel, to_panel_as

NAN = np.nan
DAYS = pd.date_range("2021-01-01", periods=4)


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
        r"time='Date' \(--time\): no such column; did you mean 'date'",
    ),
    "unknown column": (
        pd.DataFrame({"temp": [1, 2]}),
        {"columns": ["tmp"]},
        r"columns='tmp' \(--columns\): no such column; did you mean 'temp'",
    ),
    "unknown variable": (pd.DataFrame({"t": DAYS[:1], "variable": ["x"], "value": [1.0]}), {"columns": ["z"]}, "columns='z'"),
    "step without stamps": (pd.DataFrame({"a": [1.0, 2.0]}), {"step": "15min"}, "step='15min': the rows have no stamps"),
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
        pd.DataFrame({"a": ["ND", "1", "2", "3", "--", "4"]}),
        {},
        r"row 0: column 'a': 'ND'.*if 'ND', '--' means missing.*--missing-values=ND,--\)",
    ),
    "lists": (pd.DataFrame({"a": [[1], [2]]}), {}, "row 0: column 'a'"),
    "complex": (pd.DataFrame({"a": [1j, NAN]}), {}, "column 'a'"),
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
        to_panel(frame, ReadOptions(**reading))
    assert "\n" not in str(error.value)


def test_text_that_is_no_number_is_a_category():
    frame = pd.DataFrame({"site": ["007", "008"] * 9, "sky": ["clear", "1", "rain"] * 6, "level": pd.Categorical(["1", "2"] * 9)})
    assert [channel.kind for channel in to_panel(frame, ReadOptions()).schema.channels] == ["category"] * 7


def test_a_million_columns_are_refused_with_a_reason():
    frame = pd.DataFrame(np.zeros((2, 1_000_000)))
    with pytest.raises(UsageError, match=r"1,000,000 columns, more than 10,000: .*memory"):
        to_panel(frame, ReadOptions())


def test_a_grid_beyond_memory_is_refused_with_a_reason(monkeypatch):
    monkeypatch.setattr(grid, "MAX_CELLS", 100)
    frame = pd.DataFrame(np.zeros((30, 9)))
    with pytest.raises(UsageError, match=r"30 rows x 9 columns, more than 100 cells"):
        to_panel(frame, ReadOptions())


OTHER = {
    "absent": ({"b": list("xyxy"), "c": [1, 2, 3, 4]}, "column 'a' is absent"),
    "new": ({"a": [1.0] * 4, "b": list("xyxy"), "c": [1] * 4, "d": [1] * 4}, "column 'd' was not there"),
    "text for numbers": ({"a": list("wxyz"), "b": list("xyxy"), "c": [1] * 4}, "column 'a' is category"),
    "numbers for text": ({"a": [1.0] * 4, "b": [1] * 4, "c": [1] * 4}, "column 'b' is int"),
    "lists": ({"a": [[1]] * 4, "b": list("xyxy"), "c": [1] * 4}, "column 'a' is other"),
}


@pytest.mark.parametrize(("columns", "message"), OTHER.values(), ids=OTHER)
def test_a_frame_of_another_schema_is_named(columns, message):
    schema = to_panel(pd.DataFrame({"a": [1.0, 2, 3, 4], "b": list("xyxx"), "c": [1, 2, 3, 4]}, index=DAYS), ReadOptions()).schema
    with pytest.raises(UsageError, match=message):
        to_panel_as(pd.DataFrame(columns, index=DAYS), schema)


def test_a_frame_of_another_form_is_named():
    frame = pd.DataFrame({"t": DAYS, "id": list("ppqq"), "a": range(4)})
    schema = to_panel(frame, ReadOptions(entity="id")).schema
    for column in ("t", "id"):
        with pytest.raises(UsageError, match=f"column '{column}' is absent"):
            to_panel_as(frame.drop(columns=column), schema)
    with pytest.raises(UsageError, match="times are numbers, the model was fitted on stamps"):
        to_panel_as(frame.assign(t=range(4)), schema)
    long = pd.DataFrame({"t": DAYS, "variable": list("xxyy"), "value": range(4)})
    schema = to_panel(long.assign(t=[*DAYS[:2], *DAYS[:2]]), ReadOptions()).schema
    with pytest.raises(UsageError, match="row 3: column 'variable': 'z' is no variable"):
        to_panel_as(long.assign(variable=list("xyyz")), schema)
    index = pd.MultiIndex.from_product([["p"], DAYS])
    schema = to_panel(pd.DataFrame({"a": range(4)}, index=index), ReadOptions()).schema
    with pytest.raises(UsageError, match="index has 1 level"):
        to_panel_as(pd.DataFrame({"a": range(4)}, index=DAYS), schema)


@pytest.mark.parametrize(
    "damage",
    [{"step": None}, {"channels": [[1]]}, {"form": {}}, {"reading": {"colour": 1}}, {"channels": [["a", "a", "x", None, True]]}],
)
def test_a_damaged_schema_is_named(damage):
    json_ = to_panel(pd.DataFrame({"a": [1.0, 2]}), ReadOptions()).schema.to_json()
    with pytest.raises(UsageError, match="damaged"):
        Schema.from_json(json_ | damage)
