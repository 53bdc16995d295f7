"""Runs side by side: their figures at the best epoch, and the options in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vaehub.errors import UsageError
from vaehub.trained import TrainedModel

NEITHER = ("val_kl",)  # validation figures of which neither more nor less is better
ALIKE = ("domain.name", "likelihood.name", "domain.standardise")  # where these differ, so does what the bound is of


@dataclass(frozen=True)
class Comparison:
    """What there is to compare of some runs.

    Attributes:
        figures: a row for every figure at the best epoch by `train.monitor`, a column for every run.
        best: like `figures`, True for the best validation figure of a row.
        differences: a row for every option that is not the same in all runs, a column for every run.
        curves: the figures of every epoch, by run.
        notes: what to know before the figures are compared.
    """

    figures: pd.DataFrame
    best: pd.DataFrame
    differences: pd.DataFrame
    curves: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]

    def text(self, row: str, run: str) -> str:
        """A figure of a run as it is printed; nothing where the run has none."""
        value: Any = self.figures.loc[row, run]
        if value is None or value != value:
            return ""
        return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def compare(runs: Mapping[str, TrainedModel]) -> Comparison:
    """Runs by name, side by side. Raises UsageError for fewer than two, or one without its table of epochs."""
    if len(runs) < 2:
        raise UsageError(f"compare: give two runs or more, got {len(runs)}")
    figures = pd.DataFrame({name: figures_of(run) for name, run in runs.items()}, dtype=object)
    differences = differing_options({name: dict(flat_options(run.config.to_dict())) for name, run in runs.items()})
    return Comparison(
        figures, best_of(figures), differences, {name: run.history for name, run in runs.items()}, notes(differences)
    )


def figures_of(run: TrainedModel) -> dict[str, Any]:
    """Validation figures at the best epoch, and what the run took."""
    history, monitor = run.history, run.config.train.monitor
    validated = history[history[monitor].notna()] if monitor in history else history.iloc[:0]
    best = validated.iloc[int(validated[monitor].to_numpy().argmax())] if len(validated) else None
    scores: dict[str, Any] = {}
    if best is not None:
        scores = {name: float(best[name]) for name in map(str, history) if name.startswith("val_")}
    return {
        **scores,
        "best epoch": None if best is None else int(best["epoch"]) + 1,
        "epochs": len(history),
        "seconds": float(history["seconds"].iloc[-1]) if len(history) else None,
        "parameters": sum(p.numel() for p in run.vae.parameters()),
    }


def best_of(figures: pd.DataFrame) -> pd.DataFrame:
    """Which cells are the highest of their row; in rows of the validation figures that are to be high, and where not all are equal."""
    values = figures.astype(float)
    best = values.eq(values.max(axis=1), axis=0) & (values.nunique(axis=1) > 1).to_numpy()[:, None]
    high = [str(name).startswith("val_") and name not in NEITHER for name in figures.index]
    return best & pd.DataFrame(dict.fromkeys(figures.columns, high), index=figures.index)


def flat_options(options: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path with dots, value) of every option."""
    if isinstance(options, Mapping):
        for key, value in options.items():
            yield from flat_options(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, options


def differing_options(options: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The options that are not the same everywhere; "-" where a run has none of that name."""
    names = dict.fromkeys(key for found in options.values() for key in found)
    rows = {key: [str(found.get(key, "-")) for found in options.values()] for key in names}
    kept = {key: values for key, values in rows.items() if len(set(values)) > 1}
    return pd.DataFrame.from_dict(kept, orient="index", columns=list(options))


def notes(differences: pd.DataFrame) -> tuple[str, ...]:
    """Why the bounds may not be comparable."""
    found = [key for key in ALIKE if key in differences.index]
    return (f"the bounds are of different things, since the runs differ in {' and '.join(found)}",) if found else ()
