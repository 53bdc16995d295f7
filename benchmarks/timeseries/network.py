"""What the network adds to the closed form on validation windows, which lie between training and test: the figures that it was chosen by.

ETTh1 and Italy: the cells of tsi_cells.py with the months, or the fifth of the rows, before the test as validation, masks of a seed of their own.
PhysioNet: the validation stays of the SAITS protocol. The network is kept whatever its trial says, so that its error can be seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from measure import options_of, row, table
from protocols import HOURS, load_harness, physionet_saits, standardise

from vaehub_timeseries.model import correction
from vaehub_timeseries.model.adapted import AdaptedExpert
from vaehub_timeseries.model.corrected import BeliefExpert
from vaehub_timeseries.model.cycle import fit_cycle
from vaehub_timeseries.model.cyclic import CyclicExpert
from vaehub_timeseries.model.em import fit_autocovariance
from vaehub_timeseries.model.experts import DRIFT, drifting_expert
from vaehub_timeseries.model.gaussian import clipped

SEED = 100  # of the masks; the cells use 0 to 4


class Trial(NamedTuple):
    """Series to train on, validation windows (N, T, D) and the cells that are hidden of them."""

    name: str
    train: list[np.ndarray]
    windows: np.ndarray
    hidden: np.ndarray
    period: float | None = None  # of a rhythm, in steps


def frames(data: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Standardised (train, validation) rows of ETTh1 and Italy."""
    ett = pd.read_csv(Path(data) / "ett/ETTh1.csv.gz")
    month = ett.iloc[:, 0].str[:7]
    order = sorted(month.unique())
    hours, train, val = ett.iloc[:, 1:].to_numpy(float), month.isin(order[:14]).to_numpy(), month.isin(order[14:19]).to_numpy()
    air = pd.read_csv(Path(data) / "italy_air_quality/AirQualityUCI.csv.gz").iloc[:, 2:15].dropna(how="all")
    first, second, _ = np.split(air.to_numpy(float), [len(air) - 2 * round(len(air) * 0.2), len(air) - round(len(air) * 0.2)])
    return {
        "ETTh1": (standardise(hours[train], hours[train]), standardise(hours[val], hours[train])),
        "Italy": (standardise(first, first), standardise(second, first)),
    }


def trials(data: str, harness: Any, stays: int | None = None) -> Iterator[Trial]:
    """The ten cells on validation windows, and PhysioNet, of which so many stays are trained on."""
    for name, (train, val) in frames(data).items():
        for pattern, rate, length, width in harness.PATTERNS[name]:
            rng, steps = np.random.RandomState(SEED), harness.WINDOW[name]
            windows, judged = harness.windows(train, steps), harness.windows(val, steps)
            gone, hidden = (harness.draw_mask(w.shape, pattern, rate, length, width, rng) for w in (windows, judged))
            series = np.where(gone, np.nan, windows).reshape(-1, windows.shape[2])
            yield Trial(f"{name} {pattern}{round(100 * rate)}", [series], judged, hidden, 24.0)
    split = physionet_saits(data)
    yield Trial("PhysioNet SAITS", [np.ascontiguousarray(stay) for stay in split.train[:stays]], split.val, split.val_hidden)


def compare(trial: Trial) -> None:
    """The row of a trial."""
    steps = HOURS if trial.name.startswith("PhysioNet") else trial.windows.shape[1]
    base = drifting_expert(fit_autocovariance([clipped(x) for x in trial.train], steps, 0), False)
    cycle = None if trial.period is None else fit_cycle(base.process, trial.train, [trial.period], DRIFT)
    best = AdaptedExpert(base) if cycle is None else CyclicExpert(cycle, AdaptedExpert(base))
    started = time.process_time()
    run, gain = correction.fit_correction(base, trial.train, 0, None if cycle is None else best)
    cpu = time.process_time() - started
    given = [np.ascontiguousarray(w) for w in np.where(trial.hidden, np.nan, trial.windows)]
    before = np.stack([prediction.mean for prediction in best.predict(given)])
    after = before if run is None else np.stack([prediction.mean for prediction in BeliefExpert(best, run.vae).predict(given)])
    closed, moved = (np.abs(mean - trial.windows)[trial.hidden].mean() for mean in (before, after))
    row(trial.name, float(closed), float(moved), f"{1 - moved / closed:+.1%}", str(gain), cpu)


def main() -> None:
    """A row for every trial."""
    parser = options_of(__doc__)
    parser.add_argument("--match", default="", help="only those whose name has this in it")
    parser.add_argument("--stays", type=int, help="of PhysioNet, to train on; all otherwise")
    options = parser.parse_args()
    correction.PROMISING = correction.SURE = -np.inf
    table("cell", "closed form", "with network", "gain", "gain on windows kept from training", "CPU s of the network")
    for trial in trials(options.data, load_harness(options.tools), options.stays):
        if options.match in trial.name:
            compare(trial)


if __name__ == "__main__":
    main()
