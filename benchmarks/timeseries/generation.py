"""Generated windows beside real ones: can boosting on per-series features, or logistic regression on the windows, tell them apart?

Italian air (AirQualityUCI, -200 = missing) in windows of 24 x 13 and ETTh1 in windows of 24 x 7, which do not overlap. The Imputer is fitted on
the whole table and generates as many windows; every one is given the gaps of a real one, so that gaps tell nothing. Figures are
|accuracy - 0.5| in 5-fold cross-validation (0: cannot be told, 0.5: always told), the largest Kolmogorov-Smirnov distance of a column, and the
share of generated values outside the range of the data.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measure import closed_form_only, options_of, row, table
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

STEPS = 24
QUANTILES = (0.25, 0.5, 0.75)


def italian_air(root: Path) -> pd.DataFrame:
    """9,357 hours x 13 columns."""
    frame = pd.read_csv(root / "italy_air_quality" / "AirQualityUCI.csv.gz").dropna(how="all").dropna(how="all", axis=1)
    stamps = pd.to_datetime(frame["Date"] + " " + frame["Time"], format="%m/%d/%Y %H:%M:%S")
    return frame.drop(columns=["Date", "Time"]).set_axis(pd.DatetimeIndex(stamps, name="time"), axis=0).replace(-200, np.nan)


def etth1(root: Path) -> pd.DataFrame:
    """17,420 hours x 7 columns."""
    return pd.read_csv(root / "ett" / "ETTh1.csv.gz", index_col="date", parse_dates=True)


def windows_of(values: np.ndarray) -> np.ndarray:
    """Windows (N, 24, D) beside each other."""
    n = len(values) // STEPS
    return values[: n * STEPS].reshape(n, STEPS, -1)


def features(windows: np.ndarray) -> np.ndarray:
    """Per column: mean, sd, least, greatest, lag-1 autocorrelation, three quantiles, last less first; NaN where nothing is observed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean, sd = np.nanmean(windows, 1), np.nanstd(windows, 1)
        apart = windows - mean[:, None]
        lag = np.nanmean(apart[:, 1:] * apart[:, :-1], 1) / np.where(sd > 0, sd**2, np.nan)
        spread = np.nanquantile(windows, QUANTILES, axis=1)
        parts = [mean, sd, np.nanmin(windows, 1), np.nanmax(windows, 1), lag, *spread, windows[:, -1] - windows[:, 0]]
    return np.concatenate(parts, axis=1)


def told(model: Any, real: np.ndarray, made: np.ndarray) -> float:
    """|accuracy - 0.5| of a classifier."""
    x, y = np.concatenate([real, made]), np.repeat([0, 1], [len(real), len(made)])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float(abs(cross_val_score(model, x, y, cv=folds).mean() - 0.5))


def compare(real: np.ndarray, made: np.ndarray) -> dict[str, float]:
    """All figures of generated windows (N, 24, D) beside real ones."""
    made = np.where(np.isnan(real), np.nan, made)
    scale = np.nanstd(real, axis=(0, 1))
    flat = [np.nan_to_num((w - np.nanmean(real, axis=(0, 1))) / scale).reshape(len(w), -1) for w in (real, made)]
    low, high = np.nanmin(real, axis=(0, 1)), np.nanmax(real, axis=(0, 1))
    cells = made[~np.isnan(made)]
    outside = ((made < low) | (made > high)).sum() / cells.size
    pairs = [(real[..., c].ravel(), made[..., c].ravel()) for c in range(real.shape[2])]
    distance = max(ks_2samp(a[~np.isnan(a)], b[~np.isnan(b)]).statistic for a, b in pairs)
    return {
        "boosting": told(HistGradientBoostingClassifier(random_state=0), features(real), features(made)),
        "logistic": told(make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)), *flat),
        "ks": float(distance),
        "outside": float(outside),
    }


def generated(frame: pd.DataFrame, n: int, seed: int) -> np.ndarray:
    """Windows (n, 24, D) of an Imputer fitted on a table, which begin at the hour that the windows of the table begin at."""
    from vaehub_timeseries import Imputer

    drawn = Imputer(seed=seed).fit(frame).generate(n, STEPS, start=frame.index[0])
    return drawn[list(frame.columns)].to_numpy(float).reshape(n, STEPS, -1)


def main() -> None:
    """A row for each table and seed."""
    parser = options_of(__doc__)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    if options.closed_form:  # the network has no part in what is generated
        closed_form_only()
    table("windows", "seed", "boosting", "logistic", "largest KS", "share out of range")
    for name, load in (("Italian air 24 x 13", italian_air), ("ETTh1 24 x 7", etth1)):
        frame = load(Path(options.data))
        real = windows_of(frame.to_numpy(float))
        for seed in options.seeds:
            got = compare(real, generated(frame, len(real), seed))
            row(name, seed, got["boosting"], got["logistic"], got["ks"], got["outside"])


if __name__ == "__main__":
    main()
