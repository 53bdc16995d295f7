"""Beijing multi-site air quality, 132 variables x 24 hours, five patterns of TSI-Bench: MAE, CRPS, coverage and seconds.

The training hours are one entity and every test window another; the validation hours are not used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from measure import LEVELS, closed_form_only, errors, impute, intervals, linear, options_of, row, table
from protocols import Split, beijing, load_harness

PUBLISHED = {  # the best of 24 deep models in TSI-Bench (Du et al., 2024), arXiv:2406.12747
    "Beijing point10": "CSDI 0.102",
    "Beijing point50": "CSDI 0.145",
    "Beijing point90": "Informer 0.258",
    "Beijing subseq50": "BRITS 0.193",
    "Beijing block50": "CSDI 0.181",
}


def long(windows: np.ndarray) -> np.ndarray:
    """Windows that follow each other, as one series (1, N*T, D)."""
    return windows.reshape(1, -1, windows.shape[2])


def main() -> None:
    """A row for every pattern and seed."""
    parser = options_of(__doc__)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--window", type=int, default=12, help="steps that the model looks at together; days are smoothed whole")
    parser.add_argument("--match", default="", help="only patterns whose name has this in it")
    options = parser.parse_args()
    if options.closed_form:
        closed_form_only()
    harness = load_harness(options.tools)
    heads = ("pattern", "seed", "MAE", "RMSE", "linear", "best published", "CRPS", "coverage of 90 %")
    table(*heads, "fit + impute s", "CPU s", "quantiles s")
    for seed in options.seeds:
        for split in beijing(options.data, harness, seed):
            if options.match in split.name:
                compare(harness, split, seed, options.config, options.window)


def compare(harness: Any, split: Split, seed: int, config: str | None, window: int) -> None:
    """The row of a pattern."""
    got = impute(long(split.train), split.given, LEVELS, config=config, window=window)
    figures = errors(got.value, split.test, split.test_hidden) | intervals(got, split.test, split.test_hidden)
    base = errors(linear(harness, split.given), split.test, split.test_hidden)["mae"]
    accuracy = (figures["mae"], figures["rmse"], base, PUBLISHED[split.name])
    row(split.name, seed, *accuracy, figures["ncrps"], figures["cov90"], got.seconds, got.cpu, got.quantile_seconds)


if __name__ == "__main__":
    main()
