"""Fit and impute where no two windows have the same mask: hospital stays of PhysioNet 2012, 48 hours x 37 variables, about 78 % missing.

The first stays of the SAITS protocol (protocols.py) are fitted, others imputed, with a tenth of their observed cells hidden.
"""

from __future__ import annotations

import numpy as np
from measure import LEVELS, closed_form_only, errors, impute, intervals, options_of, row, table
from protocols import HOURS, load_harness, physionet_saits

IMPUTED = 100  # stays


def main() -> None:
    """A row for every number of stays."""
    parser = options_of(__doc__)
    parser.add_argument("--stays", nargs="*", type=int, default=[45, 200], help="how many are fitted")
    options = parser.parse_args()
    if options.closed_form:
        closed_form_only()
    split = physionet_saits(options.data)
    truth, hidden = split.test[:IMPUTED], split.test_hidden[:IMPUTED]
    base = ""
    if options.tools:
        harness = load_harness(options.tools)
        lines = np.stack([harness.linear(window) for window in split.given[:IMPUTED]])
        base = f"{errors(lines, truth, hidden)['mae']:.3f}"
    table("stays fitted", "missing", "MAE", "linear", "coverage of 90 %", "fit + impute s", "CPU s", "quantiles s")
    for count in options.stays:
        train = split.train[:count]
        got = impute(train, split.given[:IMPUTED], LEVELS, config=options.config, window=HOURS)
        cover = intervals(got, truth, hidden)["cov90"]
        missing = float(np.isnan(train).mean())
        row(count, missing, errors(got.value, truth, hidden)["mae"], base, cover, got.seconds, got.cpu, got.quantile_seconds)


if __name__ == "__main__":
    main()
