"""ETTh1 and ETTm1 under the protocol of T1 (Park et al., 2026), arXiv:2602.21043, that is of the Time-Series-Library: MSE and MAE on hidden points.

12 months train, 4 validate, 4 test, each of 30 days; all standardised by the training months; windows of 96 steps, every 24th of the part that
is judged, each an entity; `rate` of the cells hidden completely at random. Windows overlap, and the Imputer learns from all that it is asked
about: a cell is hidden in all windows or in none, so that no window tells what another hides. The Imputer is fitted on the complete training months.
Choices are made with `--part validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from measure import FINE, closed_form_only, errors, impute, intervals, linear, options_of, row, table
from protocols import load_harness, standardise

MONTH = {"ETTh1": 30 * 24, "ETTm1": 30 * 24 * 4}
WINDOW, STRIDE = 96, 24
RATES = (0.1, 0.3, 0.5, 0.7)
ENDS = {"validation": (12, 16), "test": (16, 20)}  # months


def windows_of(root: str | Path, name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """The training months (1, T, D) and the windows (N, 96, D) of a part, standardised."""
    table = pd.read_csv(Path(root) / "ett" / f"{name}.csv.gz").iloc[:, 1:].to_numpy(float)
    month = MONTH[name]
    scaled = standardise(table, table[: 12 * month])
    first, end = (months * month for months in ENDS[part])
    starts = range(first, end - WINDOW + 1, STRIDE)
    return scaled[None, : 12 * month], np.stack([scaled[start : start + WINDOW] for start in starts])


def hidden_cells(shape: tuple[int, int, int], seeds: list[int]) -> Iterator[tuple[float, int, np.ndarray]]:
    """Rate, seed and mask (N, T, D)."""
    count, steps, channels = shape
    for rate in RATES:
        for seed in seeds:
            whole = np.random.RandomState(seed).rand((count - 1) * STRIDE + steps, channels) < rate
            yield rate, seed, np.stack([whole[i * STRIDE : i * STRIDE + steps] for i in range(count)])


def main() -> None:
    """A row for every set, rate and seed."""
    parser = options_of(__doc__)
    parser.add_argument("--sets", nargs="*", choices=tuple(MONTH), default=tuple(MONTH))
    parser.add_argument("--part", choices=tuple(ENDS), default="test")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    options = parser.parse_args()
    if options.closed_form:
        closed_form_only()
    harness = load_harness(options.tools)
    table("set", "rate", "seed", "MSE", "MAE", "linear MSE", "linear MAE", "nCRPS", "coverage of 90 %", "fit + impute s", "CPU s")
    for name in options.sets:
        train, test = windows_of(options.data, name, options.part)
        for rate, seed, hidden in hidden_cells(test.shape, options.seeds):
            given = np.where(hidden, np.nan, test)
            got = impute(train, given, FINE, config=options.config, window=WINDOW)
            ours, base = (errors(value, test, hidden) for value in (got.value, linear(harness, given)))
            spread = intervals(got, test, hidden)
            accuracy = (ours["rmse"] ** 2, ours["mae"], base["rmse"] ** 2, base["mae"], spread["ncrps"], spread["cov90"])
            row(f"{name} {options.part}", rate, seed, *(f"{figure:.4f}" for figure in accuracy), got.seconds, got.cpu)


if __name__ == "__main__":
    main()
