"""Fitting an imputer: scale, experts, and what they are judged by.

Letters of shapes: T steps, C channels of the frame, M of them modelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vaehub_timeseries.frames import Panel, Schema
from vaehub_timeseries.frames.generated import Calendar, step_of_day, steps_of_day
from vaehub_timeseries.generation.generator import Generator, fit_generator
from vaehub_timeseries.impute.constraints import check_observed, parsed_constraints
from vaehub_timeseries.impute.experts import Floats, Mask
from vaehub_timeseries.impute.fitted import FitOptions, Fitted, all_experts, fingerprint, scaled_limits
from vaehub_timeseries.impute.held_out import (
    enough_cells,
    excerpt,
    observed_count,
    predict_held_out,
)
from vaehub_timeseries.impute.hide import hide
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.scaled import with_all_channels
from vaehub_timeseries.marginals.bounds import check_within, given_bounds
from vaehub_timeseries.marginals.censoring import CensoredCells, Censoring, marginal_stand_ins, with_stand_ins
from vaehub_timeseries.marginals.choose import learn_marginals
from vaehub_timeseries.model.experts import Experts, fit_experts, fit_process
from vaehub_timeseries.model.periods import found_periods, periods_in_steps
from vaehub_timeseries.scale import Scaler

HELD_OUT = (0.05, 0.15)  # of the observed cells: as many as are enough, between these where there are few
FEW_CELLS = 2_000  # hidden cells, below which up to the larger share is held out
SWEEPS = 2  # of the process and of what stands in for cells at a bound, before the experts are fitted


def fit_imputer(panel: Panel, options: FitOptions) -> Fitted:
    """Fit the experts to a frame, less the cells that they are to be judged by."""
    raw = [s.values for s in panel.series]
    limits = panel.censored or []
    cells_within = [CensoredCells.of(*pair) for pair in limits]
    whole = [np.where(m.cut, m.nearest, x) for m, x in zip(cells_within, raw, strict=True)] if limits else raw
    modelled = np.any([(~np.isnan(values)).any(0) for values in whole], axis=0)
    rest = [np.ascontiguousarray(values[:, modelled]) for values in whole]
    pieces = excerpt(rest)
    truth, hidden = [piece.copy() for piece in pieces], cells_to_hold_out(pieces, options.seed)
    if limits:
        hidden = [
            h & ~c for h, c in zip(hidden, excerpt([np.ascontiguousarray(m.cut[:, modelled]) for m in cells_within]), strict=True)
        ]
    for piece, cells in zip(pieces, hidden, strict=True):
        piece[cells] = np.nan
    exact = [np.where(m.cut[:, modelled], np.nan, x) for m, x in zip(cells_within, rest, strict=True)] if limits else rest
    scaler = fit_scaler(whole, exact, modelled, panel.schema, options)
    check_observed(parsed_constraints(options.constraints, panel.schema.channels), raw, scaler.spread)
    narrow = scaler.take(modelled)
    rest, truth = [narrow.scale(values) for values in rest], [narrow.scale(values) for values in truth]
    linear = LinearExpert.fit(rest, options.causal, narrow)
    periods = rhythm_periods(panel, rest, options.season) if modelled.any() else ()
    inner = scaled_limits(limits, scaler, modelled)
    model = fit_model(rest, inner, narrow.ends, options, periods) if modelled.any() else None
    times = None
    if panel.reading_times is not None:
        times = excerpt(
            [np.broadcast_to(at[:, None], values.shape) for at, values in zip(panel.reading_times, rest, strict=True)]
        )
    held_out = predict_held_out(all_experts(linear, model, narrow.ends), truth, hidden, options.causal, narrow, periods, times)
    trained_on = frozenset(map(fingerprint, raw))
    return Fitted(
        panel.schema,
        scaler,
        modelled,
        linear,
        model,
        held_out,
        trained_on,
        options,
        generator_of(panel, whole, modelled),
        Calendar.of(panel),
    )


def generator_of(panel: Panel, series: Sequence[Floats], modelled: Mask) -> Generator | None:
    """What draws series like those (T, C) of a frame."""
    if not modelled.any():
        return None
    firsts = [step_of_day(int(s.start), s.step) if s.unit == "ns" else 0 for s in panel.series]
    period, entities = steps_of_day(panel.schema.unit, panel.schema.step), [int(who) for who in panel.grid.owner]
    return fit_generator([values[:, modelled] for values in series], period, firsts, entities)


def fit_scaler(whole: Sequence[Floats], rest: Sequence[Floats], modelled: Mask, schema: Schema, options: FitOptions) -> Scaler:
    """The scale of series (T, C), its transforms learnt from the exact cells of the `rest` (T, M) that is left once cells are held out."""
    scaler, given = Scaler.fit(whole), given_bounds(options.bounds, schema.channels)
    for c, (channel, pair) in enumerate(zip(schema.channels, given, strict=True)):
        if pair is not None:
            check_within(np.concatenate([values[:, c] for values in whole]), channel, pair)
    marginals = learn_marginals([with_all_channels(values, modelled) for values in rest], schema.channels, given)
    if marginals is None:
        return scaler
    return Scaler.fit(whole, replace(marginals, centre=scaler.mean, spread=scaler.sd))


def fit_model(
    rest: Sequence[Floats],
    limits: Sequence[CensoredCells],
    ends: tuple[Floats, Floats],
    options: FitOptions,
    periods: Sequence[float],
) -> Experts:
    """Fit the experts to series (T, M) in scaled units, where cells at the `ends` (M,) and within limits are stood in for."""
    low, high = ends
    completed, process = list(rest), None
    if np.isfinite(low).any() or np.isfinite(high).any() or limits:
        completed = marginal_stand_ins(rest, low, high)
        for _ in range(SWEEPS):
            process = fit_process(completed, options.window, options.config, options.seed, process)
            expert = Experts(process, causal=options.causal).experts[0]
            completed = Censoring(expert.predict, low, high).completed(rest)
            if limits:
                completed, _ = with_stand_ins(expert.predict, completed, limits)
    return fit_experts(completed, options.window, options.config, options.seed, options.causal, periods, process)


def rhythm_periods(panel: Panel, series: Sequence[Floats], season: object) -> tuple[float, ...]:
    """The periods of a frame in steps: as the user gave them, or as they are found in its scaled series."""
    step = panel.series[0].step if panel.series[0].unit == "ns" else None
    given = periods_in_steps(season, step)
    return found_periods(series, step) if given is None else given


def cells_to_hold_out(series: Sequence[Floats], seed: int) -> list[Mask]:
    """Observed cells (T, M) to judge by; none where hardly any are observed, and never all of a channel."""
    count, missing = observed_count(series), [np.isnan(values) for values in series]
    least, most = HELD_OUT
    if count < 1 / most:
        return [np.zeros_like(m) for m in missing]
    share = min(max(least, min(most, FEW_CELLS / count)), enough_cells(series) / count)
    hidden = hide(missing, share, np.random.default_rng(seed))
    left = np.any([(~m & ~h).any(0) for m, h in zip(missing, hidden, strict=True)], axis=0)
    return [h & left for h in hidden]
