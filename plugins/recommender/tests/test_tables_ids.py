"""Ids: whatever went in comes back, and is found again."""

import datetime
import enum
import json
import time
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_recommender.tables import Ids

UUIDS = [uuid.UUID(int=n) for n in (7, 3, 5)]
FEW = settings(max_examples=100, deadline=None)
SCALARS = (
    st.integers()
    | st.text(max_size=4)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.uuids()
    | st.binary(max_size=3)
    | st.dates()
    | st.datetimes()
    | st.decimals(allow_nan=False)
)
HASHABLE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)


def again(ids):
    return Ids.from_json(json.loads(json.dumps(ids.to_json())))


def typed(values):
    return [(type(value), value) for value in values]


@FEW
@given(st.lists(HASHABLE, max_size=8))
def test_any_hashable_comes_back_and_is_found(values):
    ids = Ids.of(pd.Series(values, dtype=object))
    known = set(values)
    assert set(ids.values.tolist()) == known
    assert len(ids) == len(known)
    assert ids.take(ids.positions(pd.Series(values, dtype=object))).tolist() == values
    assert typed(again(ids).values.tolist()) == typed(ids.values.tolist())
    assert len(ids.arrow()) == len(ids)
    assert ids.positions(pd.Series(["not there", None], dtype=object)).tolist() == [-1 if "not there" not in known else 0, -1]


COLUMNS = {
    "int16": pd.Series([5, 3, 5], dtype="int16"),
    "uint64": pd.Series([2**64 - 1, 3], dtype="uint64"),
    "Int64": pd.Series([5, 3], dtype="Int64"),
    "float32": pd.Series([0.5, 0.1], dtype="float32"),
    "bool": pd.Series([True, False]),
    "str": pd.Series(["b", "a", "b"]),
    "object": pd.Series(["b", 1, ("a", 2)], dtype=object),
    "string": pd.Series(["b", "a"], dtype="string"),
    "object of text": pd.Series(["b", "a"], dtype=object),
    "object of numbers": pd.Series([5, 3], dtype=object),
    "stamps": pd.Series(pd.to_datetime(["2021-01-02", "2021-01-01"]).as_unit("s")),
    "stamps with a zone": pd.Series(pd.to_datetime(["2021-01-02", "2021-01-01"]).tz_localize("Europe/Rome")),
    "int64[pyarrow]": pd.Series([5, 3], dtype="int64[pyarrow]"),
    "date": pd.Series([datetime.date(2021, 1, 2), datetime.date(2021, 1, 1)]),
    "uuid": pd.Series(UUIDS),
    "bytes": pd.Series([b"b", b"a"]),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_ids_keep_the_dtype_they_came_with(column):
    for ids in (Ids.of(column), again(Ids.of(column))):
        assert ids.values.dtype == column.dtype
        pd.testing.assert_series_equal(pd.Series(ids.take(ids.positions(column))), column)


def test_categories_are_their_values():
    ids, positions = Ids.coded(pd.Series(["b", None, "a"], dtype=pd.CategoricalDtype(["c", "b", "a"])))
    assert ids.values.tolist() == ["a", "b"]
    assert positions.tolist() == [1, -1, 0]
    assert ids.positions(pd.Series(["c", "b"], dtype="category")).tolist() == [-1, 1]


def test_the_order_of_rows_does_not_matter():
    values = pd.Series([3, "a", (1, 2), UUIDS[0], 1, "b", *UUIDS], dtype=object)
    assert Ids.of(values).values.tolist() == Ids.of(values[::-1]).values.tolist()
    assert Ids.of([3, 1, 2, 1]).values.tolist() == [1, 2, 3]


def test_what_has_no_order_stays_as_it_comes():
    assert Ids.of(pd.Series([2j, 1j], dtype=object)).values.tolist() == [2j, 1j]


def test_text_is_no_number():
    ids = Ids.of([1, 2])
    assert ids.positions(["1", "2"]).tolist() == [-1, -1]
    assert ids.positions([1.0, 1.5, np.nan]).tolist() == [0, -1, -1]
    assert Ids.of(["1"]).positions([1]).tolist() == [-1]
    mixed = Ids.of(pd.Series([1, "1"], dtype=object))
    assert typed(again(mixed).values) == [(int, 1), (str, "1")]


def test_large_whole_numbers_are_told_apart():
    ids = Ids.of([2**53, 2**53 + 1])
    assert ids.positions(pd.Series([2**53 + 1, 2**53], dtype="uint64")).tolist() == [1, 0]
    assert ids.positions([float(2**53)]).tolist() == [0]
    assert Ids.of(pd.Series([2**63, 2**63 + 1], dtype="uint64")).positions([2**63 + 1]).tolist() == [1]


def test_ids_as_they_are_spelled():
    assert Ids.of([7, 12]).spelled(["12", "7", "007", "x"]).tolist() == [1, 0, -1, -1]
    assert Ids.of(["7", "007"]).spelled(["007", "7"]).tolist() == [0, 1]
    assert Ids.of(UUIDS).spelled([str(UUIDS[0])]).tolist() == [2]
    assert Ids.of(pd.Series([1, "1"], dtype=object)).spelled(["1"]).tolist() == [1]


def test_more_ids_come_after_those_that_are_known():
    ids = Ids.of(np.array([5, 9], np.int16))
    more = ids.plus([7, 5, 10**6, 1])
    assert more.values.tolist() == [5, 9, 1, 7, 10**6]
    assert ids.plus([9]) is ids
    assert typed(ids.plus(["a"]).values.tolist()) == [(int, 5), (int, 9), (str, "a")]
    assert Ids.of([]).plus(["a"]).values.tolist() == ["a"]


def test_arrow_has_text_for_what_it_has_no_type_for():
    assert Ids.of(UUIDS).arrow().to_pylist() == sorted(map(str, UUIDS))
    assert Ids.of(np.array([5, 9], np.int16)).arrow().type == pa.int16()
    assert Ids.of([Decimal("1.5"), Decimal("2")]).arrow().to_pylist() == [Decimal("1.5"), Decimal("2")]
    assert Ids.of(pd.Series([1, "a"], dtype=object)).arrow().to_pylist() == ["1", "a"]


def test_an_id_that_cannot_be_saved_is_named():
    colour = enum.Enum("Colour", "RED")
    with pytest.raises(UsageError, match=r"RED.*type Colour cannot be saved"):
        Ids.of([colour.RED]).to_json()


@pytest.mark.parametrize(
    "packed", [{}, {"dtype": "int64"}, {"dtype": "int64", "values": ["x"]}, {"dtype": "object", "values": [{"spam": 1}]}]
)
def test_damaged_ids_are_named(packed):
    with pytest.raises(UsageError, match="damaged"):
        Ids.from_json(packed)


@pytest.mark.parametrize("values", [[[1]], [{"a": 1}], pd.Series([1, {2}], dtype=object)])
def test_what_is_no_id_is_named(values):
    with pytest.raises(UsageError, match=r"row \d: .* is no id"):
        Ids.of(values)


def test_a_million_are_found_soon():
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 100_000, 1_000_000)
    for values, limit in ((pd.Series(numbers), 1.0), (pd.Series(numbers).astype(str), 4.0)):  # ten times what it takes
        ids = Ids.of(values[:500_000])
        start = time.process_time()
        ids.positions(values)
        assert time.process_time() - start < limit


@pytest.mark.parametrize("value", [Decimal("Infinity"), 2**70, -(2**64)])
def test_numbers_that_arrow_has_no_type_for_are_written_as_text(value):
    assert Ids.of([value]).arrow().to_pylist() == [str(value)]
