"""Time series with gaps as a vaehub plugin: pandas in, pandas out, with calibrated intervals. Names are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaehub_timeseries.files.read import read_table
    from vaehub_timeseries.impute.imputer import Imputer
    from vaehub_timeseries.pooling import Pooled, pool

__all__ = ["Imputer", "Pooled", "pool", "read_table"]
_HOMES = {"Imputer": "impute.imputer", "Pooled": "pooling", "pool": "pooling", "read_table": "files.read"}


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vaehub_timeseries' has no attribute {name!r}")
    return getattr(import_module(f"vaehub_timeseries.{_HOMES[name]}"), name)
