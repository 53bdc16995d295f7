"""How rows of a user become rows of a model and come back: all that a model file keeps of the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub.arrays.table import Names, Table
from vaehub.base import Json, Spec
from vaehub.convert import Array, as_mask
from vaehub.data.rows import TensorData
from vaehub.errors import UsageError

SCALES = ("mean", "sd", "cond_mean", "cond_sd")
CONSTANT = 1e-12  # of the mean: a standard deviation below it is rounding


@dataclass(frozen=True)
class Layout:
    """Names, number format and scale of the rows of a model.

    Where the rows are standardised, the model sees (x - mean) / sd, an element at a time, and its bound is of those numbers:
    log p(x) in the units of the data is less by the sum of log sd over the observed elements.
    """

    shape: tuple[int, ...]
    columns: tuple[str, ...] = ()
    cond: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    dtype: str = "float32"  # of what a user gets back
    mean: NDArray[np.float64] | None = None  # (*shape), NaN where nothing was ever observed
    sd: NDArray[np.float64] | None = None
    cond_mean: NDArray[np.float64] | None = None  # (C,), where the rows are standardised
    cond_sd: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, table: Table, names: Names, train: Array, standardise: bool) -> Layout:
        """The layout of a table, its scale that of the training rows `train` (n,)."""
        double = not isinstance(table.x, Tensor) and table.x.dtype == np.float64
        classes = () if table.labels is None else tuple(map(name_of, np.unique(readable(table.labels))))
        cond = tuple(names.cond) if table.columns else ()
        plain = cls(tuple(table.x.shape[1:]), table.columns, cond, classes, "float64" if double else "float32")
        if isinstance(table.x, Tensor):
            if standardise:
                raise UsageError("domain.standardise: a sparse matrix keeps its zeros; give a dense one, or standardise=false")
            return plain
        mean, sd = moments(table.x[train], plain.observed(table)[train])
        if not standardise:
            return plain.scaled(np.where(np.isnan(mean), mean, 0.0), np.ones_like(sd))
        if table.cond is None:
            return plain.scaled(mean, sd)
        given = plain.known_cond(table.cond)[train]
        cond_mean, cond_sd = moments(given, np.ones(given.shape, bool), "cond")
        return replace(plain.scaled(mean, sd), cond_mean=cond_mean, cond_sd=cond_sd)

    def scaled(self, mean: NDArray[np.float64], sd: NDArray[np.float64]) -> Layout:
        """This layout with a scale, or without one where it would change nothing."""
        plain = bool((mean == 0).all() and (sd == 1).all())
        return self if plain else replace(self, mean=mean, sd=sd)

    def observed(self, table: Table) -> Array:
        """True where a cell has a number: like x. Raises UsageError that names the place of an infinite one."""
        assert not isinstance(table.x, Tensor)
        observed = ~np.isnan(table.x)
        if table.mask is not None:
            try:
                observed &= as_mask(torch.from_numpy(np.ascontiguousarray(table.mask))).numpy()
            except (ValueError, TypeError) as error:
                raise UsageError(
                    f"mask: shape {table.mask.shape} or type {table.mask.dtype} does not fit x {table.x.shape}"
                ) from error
        infinite = np.argwhere(np.isinf(table.x) & observed)
        if len(infinite):
            row, *place = infinite[0].tolist()
            where = f"column '{self.columns[place[0]]}'" if self.columns else f"element {tuple(place)}"
            raise UsageError(f"x: row {row}, {where} is infinite; mark it as missing (NaN), or leave the row out")
        return observed

    def data(self, table: Table) -> TensorData:
        """The rows as the model takes them. Raises UsageError where their shape is another, or a cell is infinite."""
        cond = None if table.cond is None else self.scale_condition(torch.from_numpy(self.known_cond(table.cond))).float()
        labels = None if table.labels is None else torch.from_numpy(self.codes(table.labels))
        if tuple(table.x.shape[1:]) != self.shape:
            raise UsageError(f"x has rows of shape {tuple(table.x.shape[1:])}; this model expects {self.shape}")
        if isinstance(table.x, Tensor):
            x = table.x if self.mean is None else torch.from_numpy(self.standard(table.x.to_dense().numpy()))
            return TensorData(x, cond, None, labels)
        observed = self.observed(table)
        if self.mean is not None:
            observed &= ~np.isnan(self.mean)
        x = torch.from_numpy(np.where(observed, self.standard(table.x), np.float32(0)))
        mask = None if observed.all() else torch.from_numpy(observed)
        return TensorData(x, cond, mask, labels)

    def known_cond(self, cond: Array) -> NDArray[np.float64]:
        """The conditions (N, C), none of them missing. Raises UsageError that names the place of one that is."""
        unknown = np.argwhere(~np.isfinite(cond))
        if len(unknown):
            row, column = unknown[0].tolist()
            name = f"column '{self.cond[column]}'" if self.cond else f"number {column}"
            raise UsageError(f"cond: row {row}, {name} is missing or infinite; a condition has no gaps, so leave the row out")
        return cond.astype(np.float64)

    def scale_condition(self, rows: Tensor) -> Tensor:
        """Conditions (N, C) in the units of the model."""
        if self.cond_mean is None or self.cond_sd is None or rows.shape[-1:] != self.cond_mean.shape:
            return rows  # of another width: told as such where the rows are checked
        return (rows.double() - torch.from_numpy(self.cond_mean)) / torch.from_numpy(self.cond_sd)

    def standard(self, x: Array) -> NDArray[np.float32]:
        """x (N, *shape) in the units of the model."""
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which the check of the rows names
            if self.mean is not None and self.sd is not None:
                x = (x - self.mean) / self.sd
            return x.astype(np.float32)

    def present(self, x: Tensor) -> Array:
        """Rows of the model (N, *shape) in the units of the data; NaN where nothing was ever observed."""
        found = x.cpu().numpy()
        if self.mean is not None and self.sd is not None:
            found = found.astype(np.float64) * self.sd + self.mean
        return found.astype(self.dtype)

    def log_scale(self, mask: Tensor | None, rows: int) -> NDArray[np.float64]:
        """Sum of log sd over the observed elements of every row: (N,)."""
        if self.sd is None:
            return np.zeros(rows)
        log_sd = torch.from_numpy(np.log(self.sd))
        return (log_sd.expand(rows, *self.shape) * (1 if mask is None else mask)).flatten(1).sum(1).numpy()

    def codes(self, labels: Array) -> NDArray[np.int64]:
        """The number of every label among `classes`: (N,)."""
        number = {name: k for k, name in enumerate(self.classes)}
        return np.array([number[name_of(label)] for label in readable(labels)], np.int64)

    def to_json(self) -> Json:
        """For a model's header."""
        lists = {"columns": self.columns, "cond": self.cond, "classes": self.classes}
        scales = {"mean": self.mean, "sd": self.sd, "cond_mean": self.cond_mean, "cond_sd": self.cond_sd}
        plain: Json = {name: list(values) for name, values in lists.items()}
        scale = {name: none_for_nan(values) for name, values in scales.items() if values is not None}
        return plain | {"dtype": self.dtype} | scale

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> Layout:
        """From a model's header. Raises UsageError where it is damaged."""
        shape = spec.shape
        try:
            columns, cond, classes = (tuple(map(str, state[key])) for key in ("columns", "cond", "classes"))
            scale = {
                name: np.array(state[name], dtype=np.float64).reshape((spec.cond,) if name.startswith("cond_") else shape)
                for name in SCALES
                if name in state
            }
            dtype, named = str(state["dtype"]), not columns or shape == (len(columns),)
            paired = all((mean in scale) == (sd in scale) for mean, sd in (SCALES[:2], SCALES[2:]))
            if dtype not in ("float32", "float64") or not named or not paired:
                raise ValueError("names or scale do not fit the shape")
            return cls(shape, columns, cond, classes, dtype, **scale)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"the model file's account of its data is damaged ({error}); use another copy") from error


def moments(x: Array, observed: Array, name: str = "x") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the observed cells of every element: NaN and 1 where there is none, sd 1 where all are equal."""
    count = observed.sum(0)
    mean = np.sum(x, 0, dtype=np.float64, where=observed) / np.maximum(count, 1)
    with np.errstate(over="ignore"):
        sd = np.sqrt(np.sum(np.square(x - mean, dtype=np.float64), 0, where=observed) / np.maximum(count, 1))
    if not np.isfinite(sd).all():
        raise UsageError(
            f"{name}: numbers up to {np.abs(x, where=observed, out=np.zeros(x.shape)).max():g} are too large to be standardised"
        )
    sd = np.where(sd > CONSTANT * np.abs(mean), sd, 1.0)
    return np.where(count == 0, np.nan, mean), sd


def readable(labels: Array) -> Array:
    """Labels without gaps, of one kind. Raises UsageError that names a row without one."""
    missing = np.flatnonzero([label is None or label != label for label in labels.tolist()])
    if len(missing):
        raise UsageError(f"labels: row {missing[0]} has none; leave the row out, or give it a label of its own")
    return labels if labels.dtype.kind in "biufU" else labels.astype(str)


def name_of(label: Any) -> str:
    """A label as a word: whole numbers without a point."""
    return str(int(label)) if isinstance(label, float | np.floating) and label == int(label) else str(label)


def none_for_nan(values: NDArray[np.float64]) -> list[Any]:
    """Numbers as JSON, flat."""
    return [None if np.isnan(v) else float(v) for v in values.ravel()]
