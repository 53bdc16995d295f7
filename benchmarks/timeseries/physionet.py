"""PhysioNet 2012 under the protocol of SAITS and that of CSDI (protocols.py says what each is): MAE, CRPS and seconds, every stay an entity."""

from __future__ import annotations

import numpy as np
from measure import LEVELS, errors, impute, intervals, linear, options_of, row, table
from protocols import HOURS, Split, load_harness, physionet_csdi, physionet_saits

PUBLISHED = {"saits": "SAITS 0.186, BRITS 0.256", "csdi": "CSDI 0.217 (CRPS 0.238), BRITS 0.284"}


def load(protocol: str, data: str, fold: int) -> Split:
    """The stays under a protocol."""
    return physionet_saits(data, seed=fold) if protocol == "saits" else physionet_csdi(data, fold)


def main() -> None:
    """A row for every protocol and fold."""
    parser = options_of(__doc__)
    parser.add_argument("--protocol", nargs="*", choices=tuple(PUBLISHED), default=tuple(PUBLISHED))
    parser.add_argument("--fold", nargs="*", type=int, default=[0], help="CSDI: of its five folds; SAITS: seed of the split")
    options = parser.parse_args()
    harness = load_harness(options.tools) if options.tools else None
    heads = ("protocol", "stays (train, test)", "MAE", "RMSE", "MRE", "linear", "published", "CRPS", "coverage of 90 %")
    table(*heads, "fit + impute s", "CPU s", "quantiles s")
    for protocol in options.protocol:
        for fold in options.fold:
            split = load(protocol, options.data, fold)
            got = impute(np.concatenate([split.train, split.val_given]), split.given, LEVELS, config=options.config, window=HOURS)
            figures = errors(got.value, split.test, split.test_hidden) | intervals(got, split.test, split.test_hidden)
            base = errors(linear(harness, split.given), split.test, split.test_hidden)["mae"] if harness else ""
            stays = f"{len(split.train) + len(split.val)}, {len(split.test)}"
            accuracy = (figures["mae"], figures["rmse"], figures["mre"], base, PUBLISHED[protocol])
            row(split.name, stays, *accuracy, figures["ncrps"], figures["cov90"], got.seconds, got.cpu, got.quantile_seconds)


if __name__ == "__main__":
    main()
