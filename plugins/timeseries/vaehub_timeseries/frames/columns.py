"""One column of the frame as numbers of the model, and back in its own dtype."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from vaehub import UsageError
from vaehub_timeseries.frames.labels import column_label

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
HUGE = 1e100  # its square is still finite, as a sum of many squares is
INFERRED = {"integer": "int", "floating": "float", "mixed-integer-float": "float", "decimal": "float", "empty": "float"}
INFERRED |= {"boolean": "bool", "string": "category"}


class Limits(NamedTuple):
    """Between which numbers the value of a cell lies, both of one shape; -inf and inf where nothing is said."""

    lower: Floats
    upper: Floats


class Encoded(NamedTuple):
    """values (R, K), NaN where the model sees none; missing (R,): the cells that the user lacks; limits (R,) of cells that name no more."""

    values: Floats
    missing: Bools
    limits: Limits | None = None


class ColumnCodec(ABC):
    """A column as K numbers a row."""

    @abstractmethod
    def encode(self, column: pd.Series, missing: Bools) -> Encoded:
        """Numbers from cells."""

    @abstractmethod
    def decode(self, column: pd.Series, numbers: Floats) -> Any:
        """Numbers (M, K) as cells of the column's own dtype."""


@final
class NumberCodec(ColumnCodec):
    """Floats, whole numbers and booleans: one channel."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def encode(self, column: pd.Series, missing: Bools) -> Encoded:
        """The numbers, inf among the missing; one too large to reckon with stays, unseen by the model."""
        values = to_floats(column, missing)
        gaps = ~np.isfinite(values)
        values[gaps | (np.abs(values) > HUGE)] = np.nan
        return Encoded(values[:, None], gaps)

    def decode(self, column: pd.Series, numbers: Floats) -> Any:
        """Rounded and clipped as the dtype asks; booleans at 1/2."""
        values = numbers[:, 0]
        if types.is_timedelta64_dtype(column.dtype):
            return durations(values, column.dtype)
        match self.kind:
            case "bool":
                cells: NDArray[Any] = values >= 0.5
            case "int":
                cells = whole_numbers(values, numpy_dtype(column.dtype))
            case _:
                cells = clipped_floats(values, numpy_dtype(column.dtype))
        if not types.is_object_dtype(column.dtype):
            return cells
        return decimals(column, values) if types.infer_dtype(column, skipna=True) == "decimal" else cells.astype(object)


@final
class CategoryCodec(ColumnCodec):
    """Text and categories: a channel for each category of the fit, 1 where it holds; the likeliest comes back."""

    def __init__(self, label: Hashable, categories: Sequence[Hashable]) -> None:
        self.label, self.categories = label, list(categories)

    def encode(self, column: pd.Series, missing: Bools) -> Encoded:
        """One-hot; a category that the model does not know counts as unseen by it, but stays."""
        cells = column.astype(object).where(~missing)
        codes, seen = pd.factorize(cells)
        place = pd.Index(self.categories, dtype=object).get_indexer(pd.Index([json_value(value) for value in seen], dtype=object))
        index = np.append(place, -1)[codes]
        values = np.full((len(column), len(self.categories)), np.nan)
        values[index >= 0] = np.eye(len(self.categories))[index[index >= 0]]
        return Encoded(values, codes < 0)

    def decode(self, column: pd.Series, numbers: Floats) -> Any:
        """The likeliest category that the column can hold."""
        values, allowed = self.values(column)
        best = np.flatnonzero(allowed)[numbers[:, allowed].argmax(1)]
        return pd.Series([values[index] for index in best], dtype=column.dtype).array

    def values(self, column: pd.Series) -> tuple[list[Hashable], Bools]:
        """The categories of the fit as the column writes them, and which of them it can hold."""
        if not isinstance(column.dtype, pd.CategoricalDtype):
            return self.categories, np.ones(len(self.categories), bool)
        own = {json_value(value): value for value in column.dtype.categories}
        allowed = np.array([value in own for value in self.categories])
        if not allowed.any():
            raise UsageError(
                f"{column_label(self.label)}: none of the known categories is among those of its dtype; give it the dtype of the fit"
            )
        return [own.get(value) for value in self.categories], allowed


def json_value(value: Any) -> Hashable:
    """A category as JSON can hold it."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, str | int | float | bool) else str(value)


def kind_of(column: pd.Series) -> str:
    """One of KINDS, or "other" for what no model of numbers can use."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.SparseDtype):
        return kind_of(pd.Series(dtype=dtype.subtype))
    if types.is_complex_dtype(dtype):
        return "other"
    if types.is_timedelta64_dtype(dtype):
        return "float"
    if types.is_object_dtype(dtype):
        return INFERRED.get(types.infer_dtype(column, skipna=True), "other")
    tests = {
        "bool": types.is_bool_dtype,
        "int": types.is_integer_dtype,
        "float": types.is_float_dtype,
        "category": types.is_string_dtype,
    }
    return next((kind for kind, test in tests.items() if test(dtype)), "other")


def kind_among(column: pd.Series, missing: Bools) -> str:
    """The kind of what is observed, sentinels aside."""
    return kind_of(column.where(~missing, None) if types.is_object_dtype(column.dtype) else column)


def to_floats(column: pd.Series, missing: Bools) -> Floats:
    """A column of numbers as float64, NaN where missing."""
    if types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    column = pd.Series(np.asarray(column)) if isinstance(column.dtype, pd.SparseDtype) else column
    numeric = pd.to_numeric(column.where(~missing, None)) if types.is_object_dtype(column.dtype) else column
    values = numeric.to_numpy(dtype=float, na_value=np.nan, copy=True)
    values[missing] = np.nan
    return values


def missing_cells(column: pd.Series, sentinels: Sequence[float | str]) -> Bools:
    """Cells that are NA or one of the sentinels (R,)."""
    missing: Bools = column.isna().to_numpy(bool)
    if not sentinels:
        return missing
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        numbers = [value for value in sentinels if not isinstance(value, str)]
        return missing | np.isin(column.to_numpy(float, na_value=np.nan), numbers)
    return missing | column.isin(list(sentinels)).to_numpy(bool)


def decimals(column: pd.Series, values: Floats) -> NDArray[Any]:
    """Numbers as decimals with as many digits behind the point as those of the column have."""
    exponents = [cell.as_tuple().exponent for cell in column.dropna() if cell.is_finite()]
    places = max((-exponent for exponent in exponents if exponent < 0), default=0)
    cells = np.empty(len(values), object)
    cells[:] = [Decimal(f"{value:.{places}f}") for value in values]
    return cells


def durations(seconds: Floats, dtype: Any) -> Any:
    """Seconds as durations of a dtype."""
    most = pd.Timedelta.max.total_seconds() / 2
    return pd.to_timedelta(np.clip(seconds, -most, most), "s").astype(dtype).array


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """The dtype of the numbers within, also of pandas' and Arrow's own."""
    if isinstance(dtype, pd.SparseDtype):
        return np.dtype(dtype.subtype)
    return dtype if isinstance(dtype, np.dtype) else np.dtype(dtype.numpy_dtype)


def whole_numbers(values: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The nearest whole numbers that the dtype can hold."""
    info = np.iinfo(np.int64 if dtype.kind == "O" else dtype)
    top = float(info.max)
    top = np.nextafter(top, 0) if int(top) > info.max else top
    return np.clip(np.rint(values), float(info.min), top).astype(info.dtype)


def clipped_floats(values: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Finite numbers of the dtype."""
    if dtype.kind == "O":
        return values
    top = float(np.finfo(dtype).max)
    return np.clip(values, -top, top).astype(dtype)
