"""An hourly load with a day and a week (weekday and weekend), a gap of one week, beside a copy of the week before.

Ten weeks; the level walks slowly, as loads do with the weather. The gap lies between the fifth and the eighth week.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from measure import mean_of, row, table

WEEK, WEEKS = 168, 10


def load(seed: int) -> tuple[pd.DataFrame, slice]:
    """The load, and where its gap is."""
    rng, t = np.random.default_rng(seed), np.arange(WEEK * WEEKS)
    hour, weekday = t % 24, t // 24 % 7 < 5
    office = 40 * (weekday & (hour > 7) & (hour < 19))
    level = np.cumsum(rng.normal(scale=0.2, size=len(t)))
    values = 100 + 20 * np.sin(2 * np.pi * (hour - 6) / 24) + office + level + rng.normal(scale=3, size=len(t))
    start = int(rng.integers(4 * WEEK, 7 * WEEK))
    frame = pd.DataFrame({"load": values}, index=pd.date_range("2024-01-01", periods=len(t), freq="h", name="time"))
    return frame, slice(start, start + WEEK)


def measure(seed: int) -> dict[str, float]:
    """Errors within one gap."""
    from vaehub_timeseries import Imputer

    frame, gap = load(seed)
    holed, truth = frame.copy(), frame["load"].to_numpy()[gap]
    holed.iloc[gap, 0] = np.nan
    started = time.process_time()
    imputer = Imputer().fit(holed)
    filled, bands = imputer.transform(holed)["load"].to_numpy()[gap], imputer.quantiles(holed, [0.05, 0.95]).to_numpy()[gap]
    cpu = time.process_time() - started
    copy = frame["load"].to_numpy()[gap.start - WEEK : gap.start]
    line = holed["load"].interpolate().to_numpy()[gap]
    errors = {name: float(np.abs(x - truth).mean()) for name, x in (("ours", filled), ("copy", copy), ("line", line))}
    return {**errors, "coverage": float(((bands[:, 0] <= truth) & (truth <= bands[:, 1])).mean()), "cpu": cpu}


def main() -> None:
    """One row: means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="*", type=int, default=list(range(100, 110)))
    options = parser.parse_args()
    table("seeds", "Imputer", "copy of last week", "linear", "coverage of 90 %", "CPU s")
    mean = mean_of([measure(seed) for seed in options.seeds])
    row(len(options.seeds), mean["ours"], mean["copy"], mean["line"], mean["coverage"], mean["cpu"])


if __name__ == "__main__":
    main()
