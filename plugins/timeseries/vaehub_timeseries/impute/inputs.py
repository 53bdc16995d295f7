"""What the user hands in, as a frame of pandas, and the way back: frames, columns, arrays of one or several series, polars.

Letters of shapes: N series, T steps, D columns, R rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from numbers import Number
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse

from vaehub import UsageError, arguments
from vaehub_timeseries.frames import Schema
from vaehub_timeseries.frames.schema import Form, Key
from vaehub_timeseries.impute import polars_frames

if TYPE_CHECKING:
    import polars

Validate: TypeAlias = Callable[[Any], NDArray[Any]]  # an array (R, D) as scikit-learn checks it
STACK = Form(time=(Key("step", 1),), entity=(Key("series", 0),))


class Given(ABC):
    """What was handed in. is_named: whether its columns have names; is_column: whether it is a single one."""

    frame: pd.DataFrame
    is_named: bool = True
    is_column: bool = False

    @abstractmethod
    def restore(self, filled: pd.DataFrame) -> Any:
        """A frame that was made of `frame`, as what was handed in."""

    def schema(self, schema: Schema) -> Schema:
        """The schema to read it by; arrays have no stamps, whatever the imputer was fitted on."""
        return schema


@final
@dataclass(frozen=True)
class GivenFrame(Given):
    """A frame of pandas."""

    frame: pd.DataFrame

    def restore(self, filled: pd.DataFrame) -> pd.DataFrame:
        """As it is."""
        return filled


@final
@dataclass(frozen=True)
class GivenColumn(Given):
    """A column with an index; its name does not matter to an imputer of one column."""

    is_column = True
    frame: pd.DataFrame
    name: Hashable

    def restore(self, filled: pd.DataFrame) -> pd.Series:
        """The one column."""
        column: pd.Series = filled.iloc[:, 0].copy(deep=False)
        column.name = self.name
        return column


@final
@dataclass(frozen=True)
class GivenArray(Given):
    """Numbers (T, D) of one series, or (N, T, D) of several."""

    is_named = False
    frame: pd.DataFrame
    shape: tuple[int, ...]

    @classmethod
    def of(cls, given: Any, validate: Validate, labels: list[Hashable] | None) -> GivenArray:
        """Checked by scikit-learn as rows of numbers."""
        shape = np.shape(given) if isinstance(given, np.ndarray) else ()
        if len(shape) != 3:
            values = validate(given)
            return cls(pd.DataFrame(values, columns=labels), values.shape)
        values = validate(np.reshape(given, (-1, shape[2])))
        index = pd.MultiIndex.from_product([range(shape[0]), range(shape[1])], names=["series", "step"])
        return cls(pd.DataFrame(values, index=index, columns=labels), shape)

    def restore(self, filled: pd.DataFrame) -> NDArray[Any]:
        """Numbers of the same kind, with the same steps and series."""
        numbers = filled.to_numpy(dtype=np.result_type(*self.frame.dtypes))
        return numbers.reshape(*self.shape[:-1], numbers.shape[1])

    def schema(self, schema: Schema) -> Schema:
        """Rows are steps. Columns of stamps or names must be among those of an array of one series."""
        if len(self.shape) == 3:
            if schema.form.labels:
                raise UsageError(
                    "an array of several series given, but the imputer was fitted with columns of times or names; give a frame"
                )
            return replace(schema, form=STACK, unit="number", step=1)
        return schema if schema.form.labels else replace(schema, form=Form(), unit="row", step=1)


@final
@dataclass(frozen=True)
class GivenPolars(Given):
    """A frame of polars."""

    frame: pd.DataFrame
    given: polars.DataFrame

    def restore(self, filled: pd.DataFrame) -> polars.DataFrame:
        """In the dtypes of polars."""
        return polars_frames.to_polars(filled, self.given)


@final
@dataclass(frozen=True)
class GivenPolarsColumn(Given):
    """A column of polars; its rows are steps."""

    is_column = True
    frame: pd.DataFrame
    given: polars.Series

    def restore(self, filled: pd.DataFrame) -> polars.Series:
        """The one column, in its dtype."""
        return polars_frames.column_to_polars(filled.iloc[:, 0], self.given)


def read_given(X: Any, validate: Validate, schema: Schema | None) -> Given:
    """What was handed in, which must be of a kind that can be read.

    Arguments:
        X: Frame, column or array of pandas, numpy or polars, or {"X": array (N, T, D)}.
        validate: Checks arrays (R, D).
        schema: Of the imputer, where it is fitted.

    Raises:
        UsageError: it is of another kind.
    """
    if X is None or isinstance(X, str | PathLike | Number):
        hint = "; read the file first, with pandas.read_csv or read_parquet" if isinstance(X, str | PathLike) else ""
        raise UsageError(f"{arguments.wrong_argument('X', X, 'a pandas DataFrame or an array')}{hint}")
    labels = None if schema is None else list(schema.dtypes)
    if isinstance(X, pd.DataFrame):
        return GivenFrame(X)
    if isinstance(X, pd.Series):
        return GivenColumn(X.to_frame(column_label(X.name, schema)), X.name)
    if polars_frames.is_frame(X):
        return GivenPolars(polars_frames.to_pandas(X), X)
    if polars_frames.is_column(X):
        cells = polars_frames.column_to_pandas(X)
        return GivenPolarsColumn(pd.DataFrame({column_label(X.name, schema): cells}), X)
    if isinstance(X, Mapping) and not issparse(X):  # some sparse matrices of scipy are mappings, too
        if "X" not in X or np.ndim(X["X"]) != 3:
            raise UsageError(
                'X: should be {"X": array (series, steps, columns)} where it is a mapping; else give a frame or an array'
            )
        return GivenArray.of(np.asarray(X["X"]), validate, labels)
    return GivenArray.of(X, validate, labels)


def column_label(name: Hashable, schema: Schema | None) -> Hashable:
    """The label of a lone column: that of the fit, whatever its own name. Raises UsageError where the fit had several."""
    if schema is None:
        return 0 if name is None else name
    if len(schema.dtypes) != 1:
        raise UsageError(
            f"X: a single column, but the imputer was fitted with {len(schema.dtypes)}; give a frame with all of them"
        )
    return next(iter(schema.dtypes))
