"""The length of a window, unless the user gives it, by the size of the data."""

from __future__ import annotations

from collections.abc import Sequence

from vaehub import Config, load_config
from vaehub_timeseries.impute.experts import Floats

WINDOW_CELLS = 512  # of a window
LONGEST_WINDOW = 48  # steps


def default_window(series: Sequence[Floats]) -> int:
    """As many steps as WINDOW_CELLS allow, LONGEST_WINDOW at most, and no longer than the longest series."""
    channels: int = max(1, series[0].shape[1])
    return max(1, min(LONGEST_WINDOW, max(map(len, series)), WINDOW_CELLS // channels))


def configured_window(config: Config) -> int | None:
    """The steps of a window that a config names, if it does."""
    named: int | None = config.domain.options.get("window")
    return named


def with_window(config: Config, steps: int) -> Config:
    """The config with windows of so many steps."""
    whole = config.to_dict()
    return load_config({**whole, "domain": {**whole["domain"], "window": steps}})
