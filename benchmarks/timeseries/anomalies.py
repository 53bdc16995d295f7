"""Twenty families of events in series of several columns: event-wise precision, recall and F1 at one false event in 1,000 steps.

Bases: sums of rhythms and autoregressive noise in three columns, or stretches of real series (--data). Four events of one family are put into
each. An event is found where a reported one overlaps it; a reported one that overlaps none is false. Every method is asked for one false event
in 1,000 steps: the Imputer by its own option, the two beside it by the quantile of their score on the same series before the events were put in.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from measure import row, table

STEPS, EVENTS, CHANNELS = 3_000, 4, 3
FALSE_ALARMS = 1e-3
SHORT, LONG = (60, 160), (100, 200)  # lengths of events
ROLLING = 48  # steps of the windows of the methods beside it


class Base(NamedTuple):
    """A series (T, C) without events, and what its rhythm and its noise are; `noise` (C,) is the sd of what is unpredictable."""

    values: np.ndarray
    period: float
    noise: np.ndarray


class Injection(NamedTuple):
    """What a family does to a stretch of a base, which it is given with the columns, and how long it is."""

    change: Callable[[Base, slice, int, np.random.Generator], np.ndarray]
    length: tuple[int, int] = SHORT


def synthetic(rng: np.random.Generator) -> Base:
    """Two rhythms of its own in every column, a common one, and AR(1) noise."""
    t, period = np.arange(STEPS), rng.uniform(18, 36)
    common = np.sin(2 * np.pi * t / period + rng.uniform(0, 6))
    columns, sds = [], []
    for _ in range(CHANNELS):
        own = rng.uniform(0.6, 1.4) * np.sin(2 * np.pi * t / period + rng.uniform(0, 6))
        slow = rng.uniform(0.2, 0.6) * np.sin(2 * np.pi * t / rng.uniform(80, 160) + rng.uniform(0, 6))
        memory, sd = rng.uniform(0.0, 0.8), rng.uniform(0.15, 0.35)
        noise = np.zeros(STEPS)
        for i in range(1, STEPS):
            noise[i] = memory * noise[i - 1] + sd * np.sqrt(1 - memory**2) * rng.standard_normal()
        columns.append(common + own + slow + noise)
        sds.append(sd)
    return Base(np.stack(columns, 1), period, np.array(sds))


def real(folder: Path) -> Iterator[Base]:
    """Stretches of hourly series of power and of air, their gaps filled linearly."""
    ett = pd.read_csv(folder / "ett" / "ETTh1.csv.gz")[["HUFL", "MUFL", "OT"]]
    air = pd.read_csv(folder / "italy_air_quality" / "AirQualityUCI.csv.gz", sep=None, engine="python", decimal=".")
    air = air[["PT08.S1(CO)", "PT08.S4(NO2)", "T"]].replace(-200, np.nan).dropna(how="all")
    for frame, starts in ((ett, (0, 4000, 8000)), (air, (500, 3500, 6500))):
        for start in starts:
            values = frame.iloc[start : start + STEPS].interpolate(limit_direction="both").to_numpy(float)
            yield Base(values, 24.0, 0.5 * np.nanstd(np.diff(values, axis=0), axis=0))


def shifted(sds: float) -> Injection:
    """The level is `sds` standard deviations of the column higher."""
    return Injection(lambda base, at, c, rng: base.values[at, c] + sds * base.values[:, c].std())


def drifting(sds: float) -> Injection:
    """A ramp that ends so many standard deviations of the column higher."""

    def change(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
        return base.values[at, c] + np.linspace(0, sds, at.stop - at.start) * base.values[:, c].std()

    return Injection(change, LONG)


def spiking(sds: float, length: int = 1) -> Injection:
    """So many sds of the noise, in one step or in several."""
    return Injection(lambda base, at, c, rng: base.values[at, c] + sds * base.noise[c], (length, length))


def noisy(factor: float) -> Injection:
    """Noise is added whose sd is `factor` times that of the noise."""

    def change(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
        return base.values[at, c] + factor * base.noise[c] * rng.standard_normal(at.stop - at.start)

    return Injection(change)


def smooth(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """The noise is gone: a moving average over seven steps."""
    padded = np.pad(base.values[at, c], 3, mode="edge")
    return np.convolve(padded, np.ones(7) / 7, "valid")


def faster(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """The same stretch at double speed."""
    length = at.stop - at.start
    source = np.arange(at.start, at.start + 2 * length, 2) % len(base.values)
    return base.values[source, c]


def flat_noise(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """Noise about the mean, without the rhythm."""
    return base.values[:, c].mean() + base.noise[c] * rng.standard_normal(at.stop - at.start)


def out_of_phase(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """What was half a period before."""
    return np.roll(base.values[:, c], round(base.period / 2))[at]


def swapped(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """Another column's reading, in this one's units."""
    other = (c + 1) % base.values.shape[1]
    scaled = (base.values[at, other] - base.values[:, other].mean()) / base.values[:, other].std()
    return base.values[:, c].mean() + scaled * base.values[:, c].std()


def scaled(factor: float) -> Injection:
    """Deviations from the mean are `factor` times as large."""

    def change(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
        mean = base.values[:, c].mean()
        return mean + factor * (base.values[at, c] - mean)

    return Injection(change)


def clipped(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """No value above the column's 60 % quantile."""
    return np.minimum(base.values[at, c], np.quantile(base.values[:, c], 0.6))


def mirrored(base: Base, at: slice, c: int, rng: np.random.Generator) -> np.ndarray:
    """Upside down about the mean."""
    return 2 * base.values[:, c].mean() - base.values[at, c]


FAMILIES: dict[str, Injection] = {
    "stuck at a value": Injection(lambda base, at, c, rng: np.full(at.stop - at.start, base.values[at.start, c])),
    "stuck at zero": Injection(lambda base, at, c, rng: np.zeros(at.stop - at.start)),
    "shift up, large": shifted(3.0),
    "shift up, small": shifted(1.5),
    "shift down, large": shifted(-3.0),
    "shift down, small": shifted(-1.5),
    "drift up": drifting(3.0),
    "drift down": drifting(-3.0),
    "spike": spiking(8.0),
    "dip": spiking(-8.0),
    "several spikes": spiking(6.0, 4),
    "variance up": noisy(2.5),
    "variance down": Injection(smooth),
    "faster rhythm": Injection(faster),
    "no rhythm": Injection(flat_noise),
    "out of phase": Injection(out_of_phase),
    "swapped columns": Injection(swapped),
    "scale": scaled(2.0),
    "clipped": Injection(clipped, LONG),
    "all columns, a little": shifted(1.0),
}
COLLECTIVE = "all columns, a little"


def inject(base: Base, family: str, rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """The series with events of a family, each in a quarter of its own and away from its ends; and where they are."""
    change, (least, most) = FAMILIES[family]
    values, spans, quarter = base.values.copy(), [], STEPS // EVENTS
    for number in range(EVENTS):
        length = int(rng.integers(least, most + 1))
        start = number * quarter + int(rng.integers(100, quarter - 100 - length + 1))
        at, c = slice(start, start + length), int(rng.integers(values.shape[1]))
        for channel in range(values.shape[1]) if family == COLLECTIVE else [c]:
            values[at, channel] = change(base, at, channel, rng)
        spans.append((start, start + length))
    return values, spans


Spans = list[tuple[int, int]]


def by_imputer(values: np.ndarray, clean: np.ndarray) -> Spans:
    """The events of the Imputer, first step and step after the last."""
    from vaehub_timeseries import Imputer

    frame = pd.DataFrame(values)
    events = Imputer().fit(frame).find_anomalies(frame, FALSE_ALARMS)
    return [(int(start), int(end) + 1) for start, end in zip(events["start"], events["end"], strict=True)]


def by_rolling_z(values: np.ndarray, clean: np.ndarray) -> Spans:
    """|value - mean of the last 48| / their sd, the largest of the columns."""

    def score(x: np.ndarray) -> np.ndarray:
        past = pd.DataFrame(x).shift(1).rolling(ROLLING, min_periods=ROLLING // 2)
        return ((x - past.mean()) / past.std()).abs().max(axis=1).fillna(0.0).to_numpy()

    return runs_above(score(values), threshold_of(score(clean)))


def by_forest(values: np.ndarray, clean: np.ndarray) -> Spans:
    """An isolation forest over windows of 24 steps, mean and deviation of each column beside its values."""
    from sklearn.ensemble import IsolationForest

    def features(x: np.ndarray) -> np.ndarray:
        cut = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((12, 11), (0, 0)), mode="edge"), 24, axis=0)
        flat = cut.reshape(len(x), -1)
        return np.concatenate([flat, cut.mean(-1), cut.std(-1), np.diff(cut, axis=-1).std(-1)], 1)

    forest = IsolationForest(n_estimators=100, random_state=0).fit(features(values))
    return runs_above(-forest.score_samples(features(values)), threshold_of(-forest.score_samples(features(clean))))


METHODS = {"imputer": by_imputer, "rolling z": by_rolling_z, "isolation forest": by_forest}


def threshold_of(score: np.ndarray) -> float:
    """The lowest threshold at which a series without events has at most one false event in 1,000 steps."""
    allowed, lowest = FALSE_ALARMS * len(score), float(score.max())
    for threshold in np.sort(score)[::-1]:
        if len(runs_above(score, threshold)) > allowed:
            break
        lowest = float(threshold)
    return lowest


def runs_above(score: np.ndarray, threshold: float, join: int = 5) -> Spans:
    """Stretches above the threshold, joined where hardly anything lies between."""
    steps = np.flatnonzero(score > threshold)
    if not len(steps):
        return []
    parts = np.split(steps, np.flatnonzero(np.diff(steps) > join) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]


def judged(found: Spans, spans: Spans) -> tuple[int, int, int]:
    """Events found, events missed, false events."""

    def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return a[0] < b[1] and b[0] < a[1]

    hits = sum(any(overlap(f, s) for f in found) for s in spans)
    return hits, len(spans) - hits, sum(not any(overlap(f, s) for s in spans) for f in found)


def scores(counts: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 from summed counts of found, missed and false."""
    found, missed, false = counts
    return found / max(found + false, 1), found / max(found + missed, 1), 2 * found / max(2 * found + missed + false, 1)


def main() -> None:
    """Print a row a family, and the mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of data sets: real series are the bases then")
    parser.add_argument("--seeds", default="0,1,2,3,4", help="seeds of the synthetic bases and of the events")
    parser.add_argument("--families", help="only these, with semicolons between")
    parser.add_argument("--methods", default=",".join(METHODS))
    args = parser.parse_args()
    seeds = [int(word) for word in args.seeds.split(",")]
    bases = list(real(args.data)) if args.data else [synthetic(np.random.default_rng(1_000 + seed)) for seed in seeds]
    methods = args.methods.split(",")
    warnings.simplefilter("ignore")
    table("family", *(f"{name}: {what}" for name in methods for what in ("precision", "recall", "F1")))
    means, started = [], time.process_time()
    false = dict.fromkeys(methods, 0)
    untouched = {name: sum(len(METHODS[name](base.values, base.values)) for base in bases) for name in methods}
    for family in args.families.split(";") if args.families else FAMILIES:
        counts = {name: np.zeros(3) for name in methods}
        for number, base in enumerate(bases):
            rng = np.random.default_rng([number if args.data else seeds[number], list(FAMILIES).index(family)])
            values, spans = inject(base, family, rng)
            for name in methods:
                counts[name] += judged(METHODS[name](values, base.values), spans)
        for name in methods:
            false[name] += int(counts[name][2])
        means.append([figure for name in methods for figure in scores(counts[name])])
        row(family, *(float(figure) for figure in means[-1]))
    row("mean", *(float(figure) for figure in np.mean(means, 0)))
    for what, counts_of, series in (("beside events", false, len(means)), ("without any event", untouched, 1)):
        steps = STEPS * len(bases) * series
        print(
            f"false events in 1,000 steps, {what}: {', '.join(f'{name} {1000 * n / steps:.2f}' for name, n in counts_of.items())}"
        )
    print(f"{time.process_time() - started:.0f} CPU s")


if __name__ == "__main__":
    main()
