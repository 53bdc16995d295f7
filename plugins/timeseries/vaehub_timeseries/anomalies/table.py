"""Events as a table: whose, when, what and why, in the words and units of the user's frame."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vaehub_timeseries.anomalies.ends import Event
from vaehub_timeseries.anomalies.events import Findings, find_events
from vaehub_timeseries.anomalies.runs import Runs
from vaehub_timeseries.frames import Panel
from vaehub_timeseries.frames.read_stamps import key_values
from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.impute.fitted import Fitted
from vaehub_timeseries.impute.scaled import with_all_channels

COLUMNS = ["columns", "start", "end", "rows", "kind", "strength", "reason"]
USUAL = 0.99  # quantile of the other runs of a column
NAMED = 3  # columns in a reason


def event_table(fitted: Fitted, panel: Panel, false_alarms: float) -> pd.DataFrame:
    """The events of a frame, in order of their start, one in a row."""
    words = Words(fitted, panel, find_events(fitted, fitted.data(panel), false_alarms))
    return words.table()


class Words:
    """What is said of the events of a frame."""

    def __init__(self, fitted: Fitted, panel: Panel, findings: Findings) -> None:
        self.fitted, self.panel, self.findings = fitted, panel, findings
        expected = [with_all_channels(centre, fitted.modelled) for centre in findings.expected.centre]
        self.values = [s.values[:, fitted.modelled] for s in panel.series]
        self.expected = [fitted.scaler.unscale(part)[:, fitted.modelled] for part in expected]
        self.deviation = [part * fitted.scale for part in findings.expected.deviation]

    def table(self) -> pd.DataFrame:
        """One row an event."""
        entity = self.panel.schema.form.entity
        who = "entity" if len(entity) != 1 else entity[0].label
        rows = [self.row(event) for event in self.findings.events]
        table = pd.DataFrame(rows, columns=["entity", *COLUMNS])
        return table.rename(columns={"entity": who}) if entity else table.drop(columns="entity")

    def row(self, event: Event) -> list[object]:
        """Entity, and what COLUMNS says."""
        seen = np.flatnonzero((~np.isnan(self.values[event.series][event.start : event.end, list(event.channels)])).any(1))
        start, end = event.start + int(seen[0]), event.start + int(seen[-1]) + 1
        first, last = self.rows_at(event.series, start)[0], self.rows_at(event.series, end - 1)[-1]
        names = ", ".join(dict.fromkeys(str(self.fitted.columns[c]) for c in event.channels))
        strength = round(event.strength, 1)
        reason = self.reason(event._replace(start=start, end=end))
        return [
            self.panel.series[event.series].entity,
            names,
            self.stamp(first),
            self.stamp(last),
            end - start,
            event.kind,
            strength,
            reason,
        ]

    def rows_at(self, series: int, step: int) -> list[int]:
        """The rows of the frame at a step of a series, else those nearest to it."""
        at, nearest = int(self.panel.grid.bounds[series]) + step, self.panel.grid.nearest
        order = self.order
        left, right = np.searchsorted(nearest[order], [at, at + 1])
        return [int(row) for row in order[left:right]] or [int(order[min(left, len(order) - 1)])]

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """The rows of the frame in the order of the grid."""
        return np.argsort(self.panel.grid.nearest, kind="stable")

    def stamp(self, row: int) -> Hashable:
        """The time of a row as the frame writes it; its label where the frame has no time."""
        keys = self.panel.schema.form.time
        parts = [key_values(self.panel.frame, key).iloc[row] for key in keys]
        if not parts:
            label: Hashable = self.panel.frame.index[row]
            return label
        return parts[0] if len(parts) == 1 else " ".join(map(str, parts))

    def reason(self, event: Event) -> str:
        """One line on the oddest channel of an event, or on several."""
        c, at = event.channels[0], slice(event.start, event.end)
        value, expected = self.values[event.series][at, c], self.expected[event.series][at, c]
        z = self.findings.scores[event.series][at, c]
        away = value - expected
        if event.kind == "spike":
            i = int(np.nanargmax(np.abs(z)))
            return f"{value[i]:.4g} where {expected[i]:.4g} is expected, {abs(z[i]):.0f} standard deviations away"
        if event.kind == "stuck":
            return f"{event.end - event.start} equal readings in a row ({value[0]:.4g}) where {self.usual_run(event, c)} usual"
        if event.kind == "level shift":
            return f"{np.nanmean(value):.4g} on average where {np.nanmean(expected):.4g} is expected"
        if event.kind == "drift":
            seen = ~np.isnan(away)
            slope, middle = np.polyfit(np.flatnonzero(seen) - (len(away) - 1) / 2, away[seen], 1)
            half = slope * (len(away) - 1) / 2
            return f"goes from {middle - half:+.3g} to {middle + half:+.3g} about what is expected"
        if event.kind == "change of rhythm":
            usual = np.mean(self.deviation[event.series][at, c])
            return f"{np.sqrt(np.nanmean(away**2)):.3g} away from the usual course where {usual:.3g} is usual"
        if event.kind == "collective":
            return f"{len(event.channels)} columns together: {self.departures(event)} from what is expected"
        ratio = np.sqrt(np.nanmean(z**2) / self.usual_square(c))
        return f"single readings vary {ratio:.2g} times as much as usual"

    def departures(self, event: Event) -> str:
        """The mean distance of several columns from what is expected."""
        at = slice(event.start, event.end)
        away = (self.values[event.series] - self.expected[event.series])[at]
        means = np.nansum(away, axis=0) / np.maximum((~np.isnan(away)).sum(0), 1)
        order = sorted(event.channels, key=lambda c: -abs(means[c] / self.fitted.scale[c]))[:NAMED]
        return ", ".join(f"{self.fitted.columns[c]} {means[c]:+.3g}" for c in order)

    def usual_run(self, event: Event, channel: int) -> str:
        """How long the other runs of a column are."""
        lengths = np.concatenate([Runs.of(values[:, channel]).length for values in self.values])
        usual = (
            int(np.quantile(lengths[lengths < event.end - event.start], USUAL))
            if (lengths < event.end - event.start).any()
            else 1
        )
        return "1 is" if usual == 1 else f"{usual} are"

    def usual_square(self, channel: int) -> float:
        """The usual mean square of z of a channel, from its quartiles."""
        z: Floats = np.concatenate([part[:, channel] for part in self.findings.scores])
        return float(max(np.diff(np.nanquantile(z, [0.25, 0.75]))[0] / 1.349, 1e-6) ** 2)
