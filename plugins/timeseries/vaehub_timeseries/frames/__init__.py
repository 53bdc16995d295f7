"""pandas in, pandas out: frames of any form as regular series, and back bit for bit. Knows no model."""

from vaehub_timeseries.frames.future import extend
from vaehub_timeseries.frames.panel import Panel, Series
from vaehub_timeseries.frames.schema import Channel, ReadOptions, Schema
from vaehub_timeseries.frames.to_panel import to_panel, to_panel_as

__all__ = ["Channel", "Panel", "ReadOptions", "Schema", "Series", "extend", "to_panel", "to_panel_as"]
