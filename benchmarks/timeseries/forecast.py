"""Forecasts of ETTm1 and ETTh1, 24 and 96 steps ahead, beside seasonal naive and the mean of seven days at the same hour.

At every origin an Imputer is fitted on the 4,000 steps before it, as the command does, and forecasts all seven columns. Errors are in
standard deviations of these 4,000 steps, averaged over columns, steps and origins. Origins lie evenly in the four test months of the
12/4/4 split (or, with `--split val`, in the four before them, where settings were chosen).
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from measure import row, table

MONTH = 30  # days
FIRST = {"val": 12, "test": 16}  # months before the split
SETS = {"ETTm1": 96, "ETTh1": 24}  # steps a day
HORIZONS = (24, 96)
PAST, WEEK = 4_000, 7


def at_origin(frame: pd.DataFrame, origin: int, day: int, options: dict[str, object]) -> list[dict[str, float]]:
    """Errors of one origin, for every horizon."""
    from vaehub_timeseries import Imputer

    past, out = frame.iloc[origin - PAST : origin], []
    sd, week = past.to_numpy().std(0), past.to_numpy()[-WEEK * day :].reshape(WEEK, day, -1)
    imputer = Imputer(**options).fit(past)
    for horizon in HORIZONS:
        truth, phase = frame.iloc[origin : origin + horizon].to_numpy(), np.arange(horizon) % day
        bands = imputer.forecast(past, horizon, [0.05, 0.5, 0.95])
        low, middle, high = (bands.xs(level, axis=1, level="quantile").to_numpy() for level in (0.05, 0.5, 0.95))
        rivals = {"ours": middle, "seasonal naive": week[-1][phase], "mean of 7 days": week.mean(0)[phase]}
        errors = {name: float((np.abs(value - truth) / sd).mean()) for name, value in rivals.items()}
        out.append(errors | {"coverage": float(((low <= truth) & (truth <= high)).mean())})
    return out


def main() -> None:
    """A row for every data set and horizon."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="folder of data sets")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--split", default="test", choices=list(FIRST))
    parser.add_argument("--origins", type=int, default=5)
    parser.add_argument("--season", default="found", help="'none': without the seasonal expert")
    options = parser.parse_args()
    given = {"season": False} if options.season == "none" else {}
    heads = (
        "set",
        "steps ahead",
        "origins",
        "Imputer",
        "seasonal naive",
        "mean of 7 days",
        "coverage of 90 %",
        "CPU s an origin",
    )
    table(*heads)
    for name in options.sets:
        frame = pd.read_csv(options.data / "ett" / f"{name}.csv.gz", parse_dates=["date"], index_col="date")
        day, first = SETS[name], FIRST[options.split] * MONTH * SETS[name]
        origins = np.linspace(first, first + 4 * MONTH * day - max(HORIZONS), options.origins).astype(int)
        started = time.process_time()
        results = [at_origin(frame, origin, day, given) for origin in origins.tolist()]
        cpu = (time.process_time() - started) / len(origins)
        for i, horizon in enumerate(HORIZONS):
            mean = pd.DataFrame([result[i] for result in results]).mean()
            row(name, horizon, len(origins), *map(float, mean[["ours", "seasonal naive", "mean of 7 days", "coverage"]]), cpu)


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    main()
