"""Labels and ids come back from JSON as what they were."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub.files.codecs import pack, unpack

VALUES = [
    *(None, True, 0, -3, 2**80, 1.5, float("inf"), "", "007", "\ud800", b"\x00\xff", Decimal("1.10"), UUID(int=7)),
    *(date(2024, 2, 29), time(12, 30, 1), datetime(2024, 2, 29, 12), datetime(2024, 2, 29, tzinfo=UTC), timedelta(1, 2, 3)),
    *(pd.Timestamp("2024-02-29"), pd.Timestamp("2024-02-29 12:00:00.123456789", tz="Europe/Berlin"), pd.Timedelta("1ns")),
    *((), (1, "1"), (date(2024, 1, 1), (pd.Timestamp("2024-01-01"), None))),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_with_its_type(value):
    back = unpack(json.loads(json.dumps(pack(value))))
    assert back == value
    assert type(back) is type(value)
    assert str(back) == str(value)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        (np.int8(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.datetime64("2024-02-29T12", "ns"), pd.Timestamp("2024-02-29 12:00")),
        (np.timedelta64(5, "ns"), pd.Timedelta("5ns")),
    ],
)
def test_a_scalar_of_numpy_comes_back_as_python_or_pandas_have_it(scalar, value):
    back = unpack(json.loads(json.dumps(pack(scalar))))
    assert back == value
    assert type(back) is type(value)


def test_what_older_models_wrote_is_read():
    assert unpack({"stamp": "2024-02-29T00:00:00"}) == pd.Timestamp("2024-02-29")
    old_date = unpack({"stamp": "2024-02-29"})
    assert type(old_date) is date
    assert unpack({"tuple": [{"stamp": "2024-02-29"}, 1]}) == (date(2024, 2, 29), 1)


def test_a_type_that_no_file_holds_is_named():
    with pytest.raises(UsageError, match=r"^column 1j: a value of type complex cannot be saved; use strings or numbers"):
        pack(1j, "column")


@pytest.mark.parametrize("packed", [{}, {"os": "system"}, {"a": 1, "b": 2}, [1], {"date": 3}, {"Timestamp": [1]}])
def test_what_was_not_packed_is_refused(packed):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        unpack(packed)
