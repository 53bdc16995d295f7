"""Rows as a user gives them, in whatever form, and what belongs to them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from vaehub.arrays.files import read_file
from vaehub.base import Data
from vaehub.convert import Array, as_array, as_csr, is_any_sparse, is_frame
from vaehub.errors import UsageError
from vaehub.hints import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("x", "labels", "cond", "mask", "split")  # of an .npz file, or of a mapping in memory
NAMED = 5  # columns in one message


@dataclass(frozen=True)
class Names:
    """Which columns of a table are x, cond and labels; without `columns`, x is all that is not one of the others."""

    columns: Sequence[str] = ()
    cond: Sequence[str] = ()
    labels: str | None = None
    optional: bool = False  # whether cond and labels may be absent: a model that is in use gets them elsewhere or needs none


@dataclass(frozen=True)
class Table:
    """Rows x (N, *shape), NaN where missing, or CSR (N, D); cond (N, C), mask like x, labels and split (N,)."""

    x: Array | Tensor
    cond: Array | None = None
    mask: Array | None = None
    labels: Array | None = None
    split: Array | None = None
    columns: tuple[str, ...] = ()  # names of x, where it came from a table

    def __post_init__(self) -> None:
        if self.x.ndim < 2:
            hint = "; use x.reshape(-1, 1) for rows of one number" if self.x.ndim == 1 else ""
            raise UsageError(f"x: expected rows (N, *shape), got an array of shape {tuple(self.x.shape)}{hint}")
        if self.mask is not None and isinstance(self.x, Tensor):
            raise UsageError("mask: a sparse x cannot have gaps; give it as a dense array")
        for name, belonging in (("cond", self.cond), ("labels", self.labels), ("split", self.split)):
            if belonging is not None and (belonging.ndim != (2 if name == "cond" else 1) or len(belonging) != len(self)):
                raise UsageError(f"{name}: shape {belonging.shape} does not go with the {len(self):,} rows of x")

    def __len__(self) -> int:
        return int(self.x.shape[0])


def read(given: object, names: Names = Names()) -> Table:
    """Rows from an array, tensor, DataFrame, sparse matrix, the path of a file, or a mapping with the keys x, labels, cond, mask, split.

    Raises:
        UsageError: `given` is none of these, or holds no numbers; it says where.

    >>> read({"x": [[1, 2], [3, 4]], "labels": ["a", "b"]}).labels.tolist()
    ['a', 'b']
    """
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        try:
            return read(read_file(path), names)
        except UsageError as error:
            raise error if str(error).startswith(str(path)) else UsageError(f"{path}: {error}") from error
    if is_frame(given):
        return from_frame(given, names)
    if isinstance(given, Mapping):
        return from_mapping(given, names)
    if isinstance(given, Data):
        raise UsageError("data: vaehub.base.Data are rows of another domain; give an array, or write a domain for them")
    return Table(numbers(given))


def numbers(x: object) -> Array | Tensor:
    """x as an array, or CSR where it is sparse."""
    return as_csr(x) if is_any_sparse(x) else as_array(x)


def from_mapping(given: Mapping[Any, Any], names: Names) -> Table:
    """Arrays by name: x and what belongs to it."""
    unknown = [str(key) for key in given if key not in KEYS]
    if unknown or "x" not in given:
        raise UsageError(f"data: {did_you_mean(unknown[0], KEYS) if unknown else 'x is missing'}; the keys are {', '.join(KEYS)}")
    table = read(given["x"], names)
    parts = {
        key: table.__dict__[key] if given.get(key) is None else np.asarray(given[key]) for key in ("labels", "split", "mask")
    }
    cond = table.cond if given.get("cond") is None else as_array(given["cond"], "cond")
    return Table(table.x, cond, columns=table.columns, **parts)


def from_frame(frame: pd.DataFrame, names: Names) -> Table:
    """The columns of a table that are numbers; those that are not must be left out by name."""
    found = {str(column): number for number, column in enumerate(frame.columns)}
    if len(found) < frame.shape[1]:
        raise UsageError(
            f"the table has {frame.shape[1]} columns and only {len(found)} names; give every column a name of its own"
        )
    extra = [name for name in (*names.cond, *([names.labels] if names.labels else [])) if not names.optional or name in found]
    wanted = list(names.columns) or [name for name in found if name not in extra]
    for name in (*wanted, *extra):
        if name not in found:
            raise UsageError(f"the table has no column '{name}': {did_you_mean(name, found)}")
    if not wanted:
        raise UsageError("the table has no columns that are x")
    part = {name: frame.iloc[:, found[name]] for name in (*wanted, *extra)}
    given = {name: part[name] for name in names.cond if name in part}
    cond = frame_numbers(given) if names.cond and len(given) == len(names.cond) else None
    labels = np.asarray(part[names.labels]) if names.labels in part else None
    return Table(frame_numbers({name: part[name] for name in wanted}), cond, None, labels, None, tuple(wanted))


def frame_numbers(columns: Mapping[str, pd.Series[Any]]) -> Array:
    """Columns side by side (N, D), NaN where a cell is missing. Raises UsageError that names those that hold no numbers."""
    from pandas.api.types import is_complex_dtype, is_numeric_dtype

    good = {n: (is_numeric_dtype(c.dtype) and not is_complex_dtype(c.dtype)) or c.isna().all() for n, c in columns.items()}
    bad = [name for name, numeric in good.items() if not numeric]
    if bad:
        more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        raise UsageError(
            f"the columns {', '.join(map(repr, bad[:NAMED]))}{more} hold no numbers; drop them, or turn them into numbers "
            "(pandas.get_dummies for categories)"
        )
    small = all(str(c.dtype).lower() in ("float32", "float16", "bool", "boolean") for c in columns.values())
    kind = np.float32 if small else np.float64
    return np.stack([np.asarray(c.to_numpy(dtype=kind, na_value=np.nan)) for c in columns.values()], axis=1)
