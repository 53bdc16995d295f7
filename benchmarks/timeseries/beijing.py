"""Beijing multi-site air quality, 132 variables x 24 hours, five patterns of TSI-Bench: MAE, CRPS, coverage and seconds.

The training hours are one entity and every test window another; the validation hours are not used.
"""

from __future__ import annotations

import time
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
    parser.add_argument(
        "--process", action="store_true", help="the stationary process alone: no bounds, gate, network, intervals"
    )
    options = parser.parse_args()
    if options.closed_form:
        closed_form_only()
    harness = load_harness(options.tools)
    heads = ("pattern", "seed", "MAE", "RMSE", "linear", "best published")
    table(*heads, *(("CPU s",) if options.process else ("CRPS", "coverage of 90 %", "fit + impute s", "CPU s", "quantiles s")))
    for seed in options.seeds:
        for split in beijing(options.data, harness, seed):
            if options.match in split.name and options.process:
                process_alone(harness, split, seed, options.window)
            elif options.match in split.name:
                compare(harness, split, seed, options.config, options.window)


def compare(harness: Any, split: Split, seed: int, config: str | None, window: int) -> None:
    """The row of a pattern."""
    got = impute(long(split.train), split.given, LEVELS, config=config, window=window)
    figures = errors(got.value, split.test, split.test_hidden) | intervals(got, split.test, split.test_hidden)
    base = errors(linear(harness, split.given), split.test, split.test_hidden)["mae"]
    accuracy = (figures["mae"], figures["rmse"], base, PUBLISHED[split.name])
    row(split.name, seed, *accuracy, figures["ncrps"], figures["cov90"], got.seconds, got.cpu, got.quantile_seconds)


def process_alone(harness: Any, split: Split, seed: int, window: int) -> None:
    """The row of a pattern by the process that all else in an Imputer builds on."""
    from vaehub_timeseries.model.em import fit_autocovariance
    from vaehub_timeseries.model.experts import drifting_expert
    from vaehub_timeseries.model.gaussian import clipped

    started = time.process_time()
    process = fit_autocovariance([clipped(np.ascontiguousarray(long(split.train)[0]))], window, seed)
    given = [np.ascontiguousarray(day) for day in split.given]
    value = np.stack([prediction.mean for prediction in drifting_expert(process, False).predict(given)])
    spent = time.process_time() - started
    figures, base = (
        errors(value, split.test, split.test_hidden),
        errors(linear(harness, split.given), split.test, split.test_hidden),
    )
    row(split.name, seed, figures["mae"], figures["rmse"], base["mae"], PUBLISHED[split.name], spent)


if __name__ == "__main__":
    main()
