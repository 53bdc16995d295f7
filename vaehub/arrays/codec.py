"""What a model of arrays knows of its data once the training rows are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub.arrays.files import write_file
from vaehub.arrays.layout import Layout
from vaehub.arrays.table import Names, read
from vaehub.base import Codec, Data, Json, Spec


@final
class ArrayCodec(Codec):
    """Arrays, tables and sparse matrices in the units of the data, and rows of a model."""

    def __init__(self, spec: Spec, layout: Layout) -> None:
        super().__init__(spec)
        self.layout, self.classes = layout, layout.classes

    def read(self, path: Path) -> Data:
        """Rows from .npy, .npz or a table."""
        return self.convert(path)

    def convert(self, given: object) -> Data:
        """Rows from memory or a file; of a table, the columns that the model knows."""
        table = read(given, Names(self.layout.columns, self.layout.cond, optional=True))
        return self.layout.data(replace(table, labels=None))

    def present(self, x: Tensor) -> NDArray[Any]:
        """Rows of the model in the units of the data."""
        return self.layout.present(x)

    def write(self, x: Tensor, path: Path) -> None:
        """Rows in the units of the data to .npy, .npz or a table."""
        write_file(x.numpy(), path, self.layout.columns)

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """One condition (C,) in the units of the model."""
        return self.scale_condition(torch.tensor([[float(v) for v in values]], dtype=torch.float64))[0]

    def scale_condition(self, rows: Tensor) -> Tensor:
        """Conditions (N, C) in the units of the model."""
        return self.layout.scale_condition(rows)

    def to_json(self) -> Json:
        """Names and scale."""
        return self.layout.to_json()

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> ArrayCodec:
        """From a model's header."""
        return cls(spec, Layout.from_json(spec, state))
