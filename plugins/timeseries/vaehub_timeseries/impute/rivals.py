"""What a forecast is compared with: seasonal naive, drift and exponential smoothing (statsmodels, where it is installed).

Letters of shapes: N steps of the past, H steps ahead.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np

from vaehub_timeseries.impute.experts import Floats

ETS_STEPS, ETS_PERIODS, ETS_LONGEST = 1_000, 10, 400  # of the past at most: steps, periods, and steps of a period


def rival_forecasts(past: Floats, steps: int, period: int) -> dict[str, Floats]:
    """Forecasts (H,) of a column (N,) without gaps by every rival that can be had.

    >>> forecasts = rival_forecasts(np.array([1.0, 2.0, 3.0, 4.0]), 2, 1)
    >>> forecasts["seasonal_naive"].tolist(), forecasts["drift"].tolist()
    ([4.0, 4.0], [5.0, 6.0])
    """
    ahead = np.arange(1, steps + 1)
    slope = (past[-1] - past[0]) / max(len(past) - 1, 1)
    out = {"seasonal_naive": past[-period:][(ahead - 1) % period], "drift": past[-1] + slope * ahead}
    return out | ({"ets": smoothed(past, steps, period)} if find_spec("statsmodels") is not None else {})


def smoothed(past: Floats, steps: int, period: int) -> Floats:
    """Holt-Winters' exponential smoothing with a damped trend, additive: "Forecasting seasonals and trends by exponentially weighted moving
    averages" (Holt, 1957), doi:10.1016/j.ijforecast.2003.09.015; the last value where there are too few or it cannot be fitted.
    """
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    recent = past[-max(ETS_STEPS, ETS_PERIODS * period) :]
    seasonal = "add" if 2 <= period <= ETS_LONGEST and len(recent) >= 2 * period else None
    if len(recent) < 10 or np.ptp(recent) == 0:
        return np.full(steps, past[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(
            recent, trend="add", damped_trend=True, seasonal=seasonal, seasonal_periods=period if seasonal else None,
            initialization_method="heuristic" if len(recent) >= 2 * max(period, 5) else "estimated",
        )  # fmt: skip
        ahead: Floats = np.asarray(model.fit().forecast(steps), dtype=np.float64)
    return np.where(np.isfinite(ahead), ahead, past[-1])


def best_period(past: Floats, periods: tuple[float, ...]) -> int:
    """The period whose naive forecast has the least error in the past, in whole steps; 1 where there is none."""
    whole = [round(period) for period in periods if round(period) < len(past)]
    return min(whole, key=lambda period: naive_error(past, period), default=1)


def naive_error(past: Floats, period: int) -> float:
    """Mean |x_t - x_{t-m}|, by which the errors of a MASE are divided."""
    return float(np.abs(past[period:] - past[:-period]).mean()) if len(past) > period else np.nan
