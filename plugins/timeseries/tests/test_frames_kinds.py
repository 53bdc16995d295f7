"""Columns of odd kinds: sparse numbers, durations, second dates, decimals, and what Parquet says of types."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vaehub_timeseries import Imputer
from vaehub_timeseries.files import read_table, write_table
from vaehub_timeseries.frames import ReadOptions, to_panel

DAYS = pd.date_range("2024-01-01", periods=5)


def filled_with(frame, value, **reading):
    panel = to_panel(frame, ReadOptions(**reading))
    return panel.fill([np.where(np.isnan(series.values), value, series.values) for series in panel.series])


def test_sparse_numbers_are_numbers():
    frame = pd.DataFrame({"a": pd.arrays.SparseArray([1.0, np.nan, 0, np.nan, 2]), "n": pd.arrays.SparseArray([1, 0, 0, 3, 0])})
    out = filled_with(frame, 7.5)
    assert out["a"].tolist() == [1, 7.5, 0, 7.5, 2]
    assert out.dtypes.equals(frame.dtypes)


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_durations_are_numbers_in_seconds(unit):
    frame = pd.DataFrame(
        {"delay": pd.to_timedelta([60, 120, None, 180, 240], "s").astype(f"timedelta64[{unit}]"), "x": np.arange(5.0)}
    )
    panel = to_panel(frame, ReadOptions())
    assert panel.series[0].values[:2, 0].tolist() == [60, 120]
    out = filled_with(frame, 90.0)
    assert out["delay"].tolist() == list(pd.to_timedelta([60, 120, 90, 180, 240], "s"))
    assert out.dtypes.equals(frame.dtypes)


@pytest.mark.parametrize(
    "dates",
    [pd.Series([*DAYS[:3], pd.NaT, DAYS[4]]), pd.Series(["2024-01-01", None, "2024-01-02", "2024-01-02", "2024-01-03"])],
    ids=["stamps", "text"],
)
def test_a_second_column_of_dates_comes_back_as_it_is(dates):
    frame = pd.DataFrame({"when": DAYS, "checked": dates, "x": [1.0, np.nan, 3, 4, 5]})
    with pytest.warns(UserWarning, match="column 'checked' holds dates, which are not imputed: 1 of its cells stay empty"):
        out = filled_with(frame, 2.0, time="when")
    pd.testing.assert_frame_equal(out, frame.assign(x=[1.0, 2, 3, 4, 5]))


def test_parquet_keeps_its_kinds_as_text_does(tmp_path):
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "small": pa.array([None if n % 7 == 0 else n % 9 for n in range(100)], pa.uint8()),
            "flag": pa.array([None if n % 11 == 0 else n % 2 == 0 for n in range(100)]),
            "price": pa.array([None if n % 13 == 0 else Decimal(f"{n}.25") for n in range(100)], pa.decimal128(8, 2)),
            "x": rng.normal(size=100),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    frame = read_table(tmp_path / "in.parquet")
    assert [str(dtype) for dtype in frame.dtypes] == ["UInt8", "boolean", "object", "float64"]
    out = Imputer().fit_transform(frame)
    assert set(map(type, out["price"])) == {Decimal}
    assert {-value.as_tuple().exponent for value in out["price"]} == {2}
    write_table(out, tmp_path / "out.parquet")
    assert [str(kind) for kind in pq.read_schema(tmp_path / "out.parquet").types] == [
        "uint8",
        "bool",
        "decimal128(4, 2)",
        "double",
    ]
    frame.drop(columns="price").to_csv(tmp_path / "in.csv", index=False)
    assert [str(dtype) for dtype in read_table(tmp_path / "in.csv").dtypes] == ["Int64", "boolean", "float64"]
