"""A frame of any form, wide or long, as the report draws it: a row for every series and stamp, a column for every variable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from vaehub_timeseries.frames import Panel
from vaehub_timeseries.frames.censored import plain_numbers
from vaehub_timeseries.frames.columns import missing_cells
from vaehub_timeseries.report.content import Array

UNITS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


@dataclass(frozen=True)
class WideView:
    """The rows of a panel and how other frames of the same rows are laid out like them."""

    panel: Panel

    @cached_property
    def _cells(self) -> tuple[Array, Array]:
        """(row of the view for every row of the frame, the first row of the frame for every row of the view)."""
        rows = self.panel.rows
        if not self.panel.schema.form.long:
            every_row = np.arange(len(rows.entity))
            return every_row, every_row
        keys = pd.MultiIndex.from_arrays([rows.entity, rows.stamps.at])
        codes, names = pd.factorize(keys)
        return codes, np.searchsorted(np.maximum.accumulate(codes), np.arange(len(names)))

    @property
    def index(self) -> pd.Index:
        """The stamp of every row of the view, on the wall clock."""
        stamps, (_, first) = self.panel.rows.stamps, self._cells
        return stamps.local(stamps.at[first]) if stamps.unit == "ns" else pd.Index(stamps.at[first])

    @property
    def entity(self) -> Array | None:
        """The series of every row of the view, where there are several."""
        rows, (_, first) = self.panel.rows, self._cells
        if len(rows.names) < 2:
            return None
        return np.array([str(name) for name in rows.names], dtype=object)[rows.entity[first]]

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame with the panel's rows, laid out; columns that the model does not know are left out."""
        schema = self.panel.schema
        labels = list(dict.fromkeys(channel.column for channel in schema.channels))
        if not schema.form.long:
            shown = [label for label in labels if label in frame.columns]
            numeric = {channel.column for channel in schema.channels if channel.kind != "category"}
            wide = frame.loc[:, shown].set_axis(self.index, axis=0)
            parts = [plain_numbers(part) if label in numeric else part for label, part in wide.items()]
            return pd.concat(parts, axis=1).set_axis([*map(str, shown)], axis=1) if parts else wide
        codes, first = self._cells
        column = pd.Index(labels, dtype=object).get_indexer(pd.Index(self.panel.frame[schema.form.variable], dtype=object))
        cells = np.full((len(first), len(labels)), np.nan)
        cells[codes, column] = plain_numbers(frame[schema.form.value]).to_numpy(dtype=float, na_value=np.nan)
        return pd.DataFrame(cells, index=self.index, columns=[*map(str, labels)])

    def observed(self) -> pd.DataFrame:
        """The panel's own frame, laid out, with sentinels as NaN."""
        sentinels, frame = self.panel.schema.reading.missing_values, self.panel.frame.copy()
        for place, label in enumerate(frame.columns):
            gone = missing_cells(frame[label], sentinels) | self.panel.added
            if gone.any():
                frame.isetitem(place, frame[label].mask(gone).array)
        return self.of(frame)

    def left(self) -> Array:
        """Cells (rows, columns) of `observed` that are to be imputed and are left missing."""
        channels, (rows, _) = self.panel.schema.channels, self._cells
        columns = self.observed().columns
        place, target = columns.get_indexer(pd.Index([str(c.column) for c in channels])), np.array([c.target for c in channels])
        out = np.zeros((len(self.index), len(columns)), bool)
        for cells in self.panel.layout.targets():
            chosen = cells.left & target[cells.channel]
            out[rows[chosen], place[cells.channel[chosen]]] = True
        return out

    @property
    def step(self) -> str:
        """The time between two rows, in words."""
        return step_in_words(self.panel.schema.step / 1e9) if self.panel.schema.unit == "ns" else ""


def step_in_words(seconds: float) -> str:
    """A duration as "every 15 minutes"."""
    name, size = next(((n, s) for n, s in UNITS.items() if seconds % s == 0), ("second", 1))
    count = seconds / size
    return f"every {name}" if count == 1 else f"every {count:,g} {name}s"
