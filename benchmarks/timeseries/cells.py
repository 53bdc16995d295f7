"""The ten TSI-Bench cells: MAE, normalised CRPS, coverage and seconds of the Imputer beside the closed-form Gaussian and linear interpolation.

The whole of the training series is one entity and every test window another; a window of the Imputer is a window of the cell.
The CRPS of both comes from the same 50 quantiles, which are mid-points (the Gaussian's own formula gives the same within 1 %).
Every row is the mean over the seeds; the coverage of each is shown.
"""

from __future__ import annotations

import itertools
from statistics import NormalDist
from typing import Any

import numpy as np
from measure import FINE, Imputed, closed_form_only, errors, impute, intervals, linear, mean_of, options_of, row, table
from protocols import load_harness

PUBLISHED = {  # the best of 24 deep models in TSI-Bench (Du et al., 2024), arXiv:2406.12747
    "ETTh1 point10": (0.144, "SAITS"),
    "ETTh1 point50": (0.223, "SAITS"),
    "ETTh1 point90": (0.507, "SAITS"),
    "ETTh1 subseq50": (0.558, "CSDI"),
    "ETTh1 block36": (0.401, "CSDI"),
    "Italy point10": (0.185, "SAITS"),
    "Italy point50": (0.279, "Transformer"),
    "Italy point90": (0.454, "StemGNN"),
    "Italy subseq50": (0.377, "Transformer"),
    "Italy block7": (0.404, "Transformer"),
}
RIDGE = {"ETTh1 point90": 0.1}  # as tsi_cells.py has it
ACCURACY = ("MAE", "closed form alone", "network brings", "Gaussian", "worst ratio", "linear", "best published")
HEADS = ("cell", "seeds", *ACCURACY, "nCRPS", "Gaussian", "worst ratio")


def gaussian(harness: Any, cell: Any) -> Imputed:
    """The closed-form Gaussian of the harness, with quantiles."""
    mean, sd = harness.closed_form_gaussian(cell, RIDGE.get(cell.name, 0.01))
    quantiles = np.stack([mean + NormalDist().inv_cdf(level) * sd for level in FINE])
    return Imputed(mean, quantiles, FINE, 0.0, 0.0, 0.0)


def compare(harness: Any, cell: Any, config: str | None) -> dict[str, float]:
    """All figures of one cell under one seed."""
    given = np.where(cell.mask, np.nan, cell.test)
    whole = cell.train.reshape(1, -1, cell.train.shape[2])
    ours, core = impute(whole, given, FINE, True, config=config, window=given.shape[1]), gaussian(harness, cell)
    seen = ~cell.mask
    assert np.array_equal(ours.value[seen], cell.test[seen]), f"{cell.name}: an observed cell has changed"
    figures = errors(ours.value, cell.test, cell.mask) | intervals(ours, cell.test, cell.mask)
    core_figures = errors(core.value, cell.test, cell.mask) | intervals(core, cell.test, cell.mask)
    figures |= {f"core_{key}": value for key, value in core_figures.items()}
    assert ours.closed_form is not None  # it was asked for
    figures["alone"] = errors(ours.closed_form, cell.test, cell.mask)["mae"]
    figures["linear"] = errors(linear(harness, given), cell.test, cell.mask)["mae"]
    return figures | {"seconds": ours.seconds, "cpu": ours.cpu, "quantile_seconds": ours.quantile_seconds}


def report(name: str, results: list[dict[str, float]]) -> None:
    """The row of a cell."""
    mean = mean_of(results)
    worst = {key: max(result[key] / result[f"core_{key}"] for result in results) for key in ("mae", "ncrps")}
    cover = " ".join(f"{result['cov90']:.3f}" for result in results)
    published = " ".join(map(str, PUBLISHED[name]))
    brings = f"{1 - mean['mae'] / mean['alone']:.1%}"
    accuracy = (mean["mae"], mean["alone"], brings, mean["core_mae"], worst["mae"], mean["linear"], published)
    spread = (mean["ncrps"], mean["core_ncrps"], worst["ncrps"], cover, mean["core_cov90"])
    row(name, len(results), *accuracy, *spread, mean["seconds"], mean["cpu"], mean["quantile_seconds"])


def main() -> None:
    """A row for every cell."""
    parser = options_of(__doc__)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--match", default="", help="only cells whose name has this in it")
    options = parser.parse_args()
    if options.closed_form:
        closed_form_only()
    harness = load_harness(options.tools)
    table(*HEADS, "coverage of 90 %", "Gaussian", "fit + impute s", "CPU s", "quantiles s")
    for name, group in itertools.groupby(harness.cells(options.data, tuple(options.seeds)), lambda cell: str(cell.name)):
        if options.match in name:
            report(name, [compare(harness, cell, options.config) for cell in group])


if __name__ == "__main__":
    main()
