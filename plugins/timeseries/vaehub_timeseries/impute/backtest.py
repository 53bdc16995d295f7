"""Rolling-origin evaluation: forecasts from earlier ends of a table, compared with what came, beside simple rivals.

At every origin the imputer is fitted anew on the rows before it. That costs a fit an origin, but neither scale nor covariances, gate or
intervals have then seen what is forecast. "Another look at measures of forecast accuracy" (Hyndman & Koehler, 2006),
doi:10.1016/j.ijforecast.2006.03.001 (MASE).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from vaehub import UsageError
from vaehub_timeseries.frames import Panel, extend, to_panel_as
from vaehub_timeseries.impute.experts import Floats
from vaehub_timeseries.impute.rivals import best_period, naive_error, rival_forecasts

LEVELS = tuple(np.round(np.arange(0.05, 1.0, 0.05), 2).tolist())
LOW, MEDIAN, HIGH = (LEVELS.index(level) for level in (0.05, 0.5, 0.95))
FEWEST = 4  # rows before an origin


class Forecaster(Protocol):
    """What is tested: an imputer, of which scikit-learn can make an unfitted copy."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn from a frame."""

    def forecast(self, X: Any, steps: int, quantiles: Sequence[float] | None = None) -> pd.DataFrame:
        """The next rows of every entity, as quantiles."""


def rolling_backtest(imputer: Forecaster, frame: pd.DataFrame, whole: Panel, steps: int, origins: int) -> pd.DataFrame:
    """Scores (column, method) of forecasts from `origins` ends, evenly spaced over the later half of every entity.

    Raises UsageError where the table is in the long form or too short.
    """
    if whole.schema.form.long:
        raise UsageError("backtest: the table is in the long form; pivot it to one column a variable")
    rank, count = ranks(whole)
    if count.max() < FEWEST + steps:
        raise UsageError(f"backtest: no series has more than {count.max()} rows; steps={steps} leaves too few before an origin")
    scores: list[dict[str, object]] = []
    for share in np.linspace(0.5, 1.0, origins + 1)[1:] if origins > 1 else [1.0]:
        last = np.floor(share * (count - steps)).astype(np.int64)
        past = frame.loc[(rank < np.where(last < FEWEST, 0, last)[whole.rows.entity])]
        fitted = clone(imputer).fit(past)
        bands = fitted.forecast(past, steps, LEVELS)
        ahead = extend(to_panel_as(past, fitted.schema_), steps)
        scores.extend(scored(whole, ahead, bands, len(past), steps, fitted.seasons_))
    table = pd.DataFrame(scores).groupby(["column", "method"], sort=False)
    return table.mean().assign(cells=table["mae"].count())


def ranks(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The place of every row (R,) in its entity by time, and how many rows each entity has."""
    entity = panel.rows.entity
    order = np.lexsort((panel.rows.stamps.at, entity))
    count = np.bincount(entity)
    rank = np.empty(len(entity), dtype=np.int64)
    rank[order] = np.arange(len(entity)) - np.repeat(np.cumsum(count) - count, count)
    return rank, count


def scored(
    whole: Panel, ahead: Panel, bands: pd.DataFrame, past: int, steps: int, periods: tuple[float, ...]
) -> Iterator[dict[str, object]]:
    """The scores of every forecast cell whose truth is known, one by one, of the imputer and its rivals."""
    names, at = ahead.rows.names, ahead.rows.stamps.at
    row_of = {
        (whole.rows.names[entity], time): row
        for row, (entity, time) in enumerate(zip(whole.rows.entity, whole.rows.stamps.at.tolist(), strict=True))
    }
    for label in dict.fromkeys(bands.columns.get_level_values(0)):
        column = numbers_of(whole.frame, label)
        quantiles = bands[label].to_numpy(dtype=np.float64)
        for entity, name in enumerate(names):
            rows = np.flatnonzero(ahead.rows.entity == entity)
            before, after = rows[rows < past], rows[rows >= past]
            before = before[np.argsort(at[before], kind="stable")]
            known = completed(numbers_of(ahead.frame, label)[before])
            truth = np.array([column[row_of[key]] if (key := (name, time)) in row_of else np.nan for time in at[after].tolist()])
            if known is None or np.isnan(truth).all():
                continue
            yield from scored_cells(label, truth, quantiles[after - past], known, steps, periods)


def scored_cells(
    label: Hashable, truth: Floats, quantiles: Floats, known: Floats, steps: int, periods: tuple[float, ...]
) -> Iterator[dict[str, object]]:
    """The scores of one forecast (H,) of one column; CRPS of a method without quantiles is its absolute error."""
    period = best_period(known, periods)
    unit = naive_error(known, period)
    inside = (quantiles[:, LOW] <= truth) & (truth <= quantiles[:, HIGH])
    below = truth[:, None] <= quantiles
    crps = 2 * ((quantiles - truth[:, None]) * (below - np.array(LEVELS))).mean(1)
    methods = {"imputer": quantiles[:, MEDIAN], **rival_forecasts(known, steps, period)}
    for cell in np.flatnonzero(~np.isnan(truth)).tolist():
        for method, forecast in methods.items():
            error, ours = abs(forecast[cell] - truth[cell]), method == "imputer"
            yield {
                "column": label,
                "method": method,
                "mae": error,
                "mase": error / unit if unit > 0 else np.nan,
                "crps": crps[cell] if ours else error,
                "coverage": float(inside[cell]) if ours else np.nan,
            }


def numbers_of(frame: pd.DataFrame, label: Hashable) -> Floats:
    """A column as floats, NaN where nothing is."""
    return np.asarray(pd.to_numeric(frame[label], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def completed(past: Floats) -> Floats | None:
    """A column (N,) with its gaps filled linearly, for rivals that cannot do with any; None where nothing is observed."""
    seen = np.flatnonzero(~np.isnan(past))
    return np.interp(np.arange(len(past)), seen, past[seen]) if len(seen) else None
