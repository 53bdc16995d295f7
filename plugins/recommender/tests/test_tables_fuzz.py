"""Any frame at all: an error of one line, or a log that keeps the contract; never anything else."""

import json
import uuid
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_recommender.tables import Columns, Ids, histories, interaction_log, training_log
from vaehub_recommender.tables.lists import holds_lists

NAN = np.nan
FUZZ = settings(max_examples=130, deadline=None, suppress_health_check=list(HealthCheck))
DAYS = list(pd.date_range("2021-01-01", periods=4))
UUIDS = [uuid.UUID(int=n) for n in range(4)]

CELLS = {
    "int64": st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 3) | st.integers(0, 2**64 - 1),
    "int8": st.integers(-3, 3),
    "Int16": st.none() | st.integers(-3, 3),
    "float64": st.sampled_from([0.0, 1.0, -1.0, 2.5, NAN, np.inf, -np.inf, 1e300, 1e-300]) | st.floats(),
    "float32": st.floats(width=32) | st.sampled_from([1.0, 4.0, 5.0]),
    "Float64": st.none() | st.floats(allow_nan=False),
    "bool": st.booleans(),
    "boolean": st.none() | st.booleans(),
    "str": st.none() | st.sampled_from(["x", "y", "", "7", "007", "2021-01-01"]) | st.text(max_size=3),
    "string": st.none() | st.text(max_size=2),
    "category": st.none() | st.sampled_from(["x", "y"]),
    "category of numbers": st.none() | st.sampled_from([4, 5]),
    "object": st.sampled_from(
        [None, 1, "1", 1.0, 2.5, True, "x", NAN, pd.NA, pd.NaT, (1,), (1, "a"), b"x", Decimal("1.5"), *UUIDS, *DAYS]
    ),
    "uuid": st.none() | st.sampled_from(UUIDS),
    "tuple": st.sampled_from([("a", 1), ("a", 2), ("b",)]),
    "list": st.none() | st.lists(st.sampled_from(["x", "y", 1]), max_size=3),
    "dict": st.sampled_from([{"a": 1}, {}]),
    "datetime64[us]": st.none() | st.sampled_from(DAYS),
    "datetime64[ns, Europe/Rome]": st.none() | st.sampled_from(DAYS),
    "timedelta64[ns]": st.none() | st.integers(0, 9),
    "period[D]": st.none() | st.sampled_from(DAYS),
    "complex128": st.complex_numbers(max_magnitude=3),
    "int64[pyarrow]": st.none() | st.integers(-3, 3),
    "double[pyarrow]": st.none() | st.floats(allow_nan=False),
    "string[pyarrow]": st.none() | st.text(max_size=2),
    "Sparse[int]": st.integers(0, 2),
}
OBJECTS = {"uuid", "tuple", "list", "dict"}
NAMES = st.sampled_from(["user", "item", "user_id", "Item ID", "rating", "weight", "time", "timestamp", "x", 0, ("user", 1)])


def series(kind, cells):
    if kind == "category of numbers":
        return pd.Series(pd.Categorical(cells, categories=[4, 5]))
    if kind in OBJECTS:
        column = pd.Series([None] * len(cells), dtype=object)
        for at, cell in enumerate(cells):
            column.iat[at] = cell
        return column
    return pd.Series(cells, dtype=kind)


@st.composite
def columns_of(draw, rows):
    kind = draw(st.sampled_from(list(CELLS)))
    return series(kind, draw(st.lists(CELLS[kind], min_size=rows, max_size=rows)))


@st.composite
def frames(draw, names=None):
    rows = draw(st.integers(0, 7))
    chosen = draw(st.lists(NAMES, max_size=5, unique=True)) if names is None else names
    frame = pd.DataFrame(index=range(rows))
    parts = [draw(columns_of(rows)) for _ in chosen]
    frame = pd.concat(parts, axis=1) if parts else frame
    frame.columns = pd.Index(list(chosen), dtype=object, tupleize_cols=False)
    index = draw(st.sampled_from(["range", "same", "text"]))
    return (
        frame
        if index == "range"
        else frame.set_axis([0] * len(frame) if index == "same" else [f"r{n}" for n in range(len(frame))])
    )


COLUMNS = st.builds(
    Columns,
    user=st.sampled_from([None, None, "user", "user_id", "x"]),
    item=st.sampled_from([None, None, "item", "absent"]),
    weight=st.sampled_from([None, None, "rating", "weight"]),
    time=st.sampled_from([None, None, "time"]),
    min_rating=st.sampled_from([None, None, 4, 0.5]),
)


def one_line(act):
    """What `act` gives, None where it refuses in one line."""
    result, message = None, "read without complaint"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "column '.*' is not used as time")
            result = act()
    except UsageError as error:
        message = str(error)
    assert "\n" not in message
    assert len(message) > 10
    return result


def check_contract(frame, columns):
    """Every pair of the frame is in the log under its ids and nothing else is."""
    before = frame.copy(deep=True)
    log = one_line(lambda: interaction_log(frame, columns))
    pd.testing.assert_frame_equal(frame, before)
    if log is None:
        return
    matrix, tally = log.matrix, log.tally
    assert matrix.shape == (len(log.users), len(log.items)) == (tally.users, tally.items)
    assert matrix.has_canonical_format
    assert matrix.indptr.dtype == matrix.indices.dtype == np.int64
    assert matrix.dtype == np.float32
    assert np.isfinite(matrix.data).all()
    assert (matrix.data > 0).all()
    assert tally.rows == tally.interactions + tally.below_rating + tally.duplicates
    if holds_lists(frame[columns.resolve(list(frame.columns)).item]):
        return  # a row may hold several pairs, or none
    assert tally.rows == len(frame)
    assert (np.diff(matrix.indptr) > 0).all()
    assert len(np.unique(matrix.indices)) == len(log.items)
    assert log.times is None or log.times.shape == matrix.data.shape
    known = columns.resolve(list(frame.columns))
    user, item = log.users.positions(frame[known.user]), log.items.positions(frame[known.item])
    pairs = {(int(u), int(i)) for u, i in zip(user, item, strict=True)}
    stored = set(zip(*(part.tolist() for part in matrix.nonzero()), strict=True))
    assert stored == pairs if columns.min_rating is None else stored <= pairs
    round_trip(log.users)
    round_trip(log.items)
    shuffled = one_line(lambda: interaction_log(frame.iloc[::-1], columns))
    assert shuffled is not None
    assert len(shuffled.users) == len(log.users)


def round_trip(ids):
    """Ids come back from JSON, if they go in, as they were."""
    packed = one_line(lambda: json.loads(json.dumps(ids.to_json())))
    assert ids.positions(ids.values).tolist() == list(range(len(ids)))
    assert len(ids.arrow()) == len(ids)
    if packed is not None:
        again = Ids.from_json(packed)
        assert again.values.tolist() == ids.values.tolist()
        assert [type(value) for value in again.values.tolist()] == [type(value) for value in ids.values.tolist()]


@FUZZ
@given(frames(), COLUMNS)
def test_any_frame_is_read_or_refused(frame, columns):
    check_contract(frame, columns)


@FUZZ
@given(frames(names=["user", "item"]))
def test_any_pairs_are_read_or_refused(frame):
    check_contract(frame, Columns())


@FUZZ
@given(frames(names=["user", "item", "rating", "time"]), st.sampled_from([None, 4, 0]), st.booleans())
def test_any_ratings_are_read_or_refused(frame, least, timed):
    check_contract(frame, Columns(weight="rating", min_rating=least, time="time" if timed else None))


@FUZZ
@given(frames(names=["user", "item"]), st.sampled_from([["x", "y"], [1, 2], UUIDS, [("a", 1)], DAYS]))
def test_any_histories_are_read_or_refused(frame, known):
    items = Ids.of(known)
    history = one_line(lambda: histories(frame, items))
    if history is not None:
        assert history.matrix.shape == (len(history.users), len(items)) == (len(history.unknown), len(known))
        assert history.users.is_unique
        assert history.matrix.nnz + history.unknown.sum() <= max(len(frame), sum(map(size, frame["item"])))


def size(cell):
    return len(cell) if isinstance(cell, list) else 1


@pytest.mark.parametrize("given_", [None, 3, "abc", [1, 2], ["ab"], {"u": 3}, {"u": "ab"}, [[[1]]], np.ones((2, 3), int)])
def test_objects_that_are_no_histories_are_refused_in_one_line(given_):
    assert one_line(lambda: histories(given_, Ids.of([1, 2, 3]))) is None


@pytest.mark.parametrize("given_", [np.array([[1, 1, 9], [1, 9, 1]]), [{1: 2}, [1, 1]], {"a": [1], "b": (1,)}])
def test_every_sequence_of_items_is_a_history(given_):
    history = one_line(lambda: histories(given_, Ids.of([1, 2, 3])))
    assert history.matrix.sum(1).astype(bool).tolist() == [True, True]
    assert set(history.matrix.nonzero()[1]) == {0}


@pytest.mark.parametrize("given_", [None, 3, "abc", [[1, 2]], {"u": [3]}, np.zeros((2, 3))])
def test_what_is_no_frame_is_no_table_of_interactions(given_):
    assert one_line(lambda: training_log(given_, Columns())) is None
