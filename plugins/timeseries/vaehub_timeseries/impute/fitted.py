"""What fitting gives and imputing needs.

Letters of shapes: T steps, C channels of the frame, M of them modelled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from vaehub import UsageError
from vaehub_timeseries.frames import Channel, Panel, Schema
from vaehub_timeseries.frames.generated import Calendar, generated_frame, step_of_day, steps_of_day
from vaehub_timeseries.generation.generator import Generator, fit_generator
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.constraints import Constraint, check_observed, parsed_constraints, project
from vaehub_timeseries.impute.ends import SHORTEST, end_blend, end_pattern, forecasts_from_earlier, grouped_by_distance
from vaehub_timeseries.impute.experts import Expert, Floats, Mask
from vaehub_timeseries.impute.held_out import (
    HeldOut,
    cell_count,
    cell_groups,
    enough_cells,
    excerpt,
    hold_out,
    observed_count,
    predict_held_out,
)
from vaehub_timeseries.impute.hide import hide
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.predictive import Predictive
from vaehub_timeseries.impute.scaled import ScaledSeries, with_all_channels
from vaehub_timeseries.marginals.bounds import Pair, check_within, given_bounds
from vaehub_timeseries.marginals.censoring import CensoredExpert, Censoring, Limits, marginal_stand_ins, with_stand_ins
from vaehub_timeseries.marginals.choose import learn_marginals
from vaehub_timeseries.model.experts import Experts, fit_experts, fit_process
from vaehub_timeseries.model.periods import found_periods, periods_in_steps
from vaehub_timeseries.model.structural import Structure
from vaehub_timeseries.scale import Scaler

HELD_OUT = (0.05, 0.15)  # of the observed cells: as many as are enough, between these where there are few
FEW_CELLS = 2_000  # hidden cells, below which up to the larger share is held out
SWEEPS = 2  # of the process and of what stands in for cells at a bound, before the experts are fitted
LimitPair = tuple[Floats, Floats]  # lower and upper limits (T, C) of the cells of a series, -inf and inf where there are none


@dataclass(frozen=True)
class FitOptions:
    """How to learn and to impute."""

    config: object = None
    window: int | None = None
    causal: bool = False
    fill: float = 0.0
    seed: int = 0
    bounds: dict[Hashable, Pair] | Pair | None = None
    season: object = None
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fitted:
    """The experts, linear interpolation first and the best last, and their predictions of cells that none of them was trained on.

    modelled (C,): channels that were observed in the data of the fit; trained_on: fingerprints of the series of the fit;
    generator, calendar: of new series, and of their stamps; none in what was trained elsewhere.
    """

    schema: Schema
    scaler: Scaler
    modelled: Mask
    linear: LinearExpert
    model: Experts | None
    held_out: HeldOut
    trained_on: frozenset[str]
    options: FitOptions
    generator: Generator | None = None
    calendar: Calendar | None = None
    cache: dict[tuple[str, ...], Predictive] = field(default_factory=dict)

    @property
    def blend_of_fit(self) -> CalibratedBlend:
        """The blend by the cells that were held out of the fit."""
        return CalibratedBlend.of(self.held_out, int(self.modelled.sum()))

    @cached_property
    def experts(self) -> list[Expert]:
        """Linear interpolation, and what the model offers."""
        low, high = self.scaler.ends
        return all_experts(self.linear, self.model, (low[self.modelled], high[self.modelled]))

    @cached_property
    def constraints(self) -> list[Constraint]:
        """What holds between the columns."""
        return parsed_constraints(self.options.constraints, self.schema.channels)

    @property
    def structure(self) -> Structure | None:
        """Trend and rhythms, where the data showed any."""
        return None if self.model is None else self.model.structure

    @property
    def channels(self) -> list[Channel]:
        """The modelled channels (M,)."""
        return [channel for channel, modelled in zip(self.schema.channels, self.modelled, strict=True) if modelled]

    @property
    def columns(self) -> list[Hashable]:
        """The column of every modelled channel (M,)."""
        return [channel.column for channel in self.channels]

    @property
    def numeric(self) -> Mask:
        """Which modelled channels (M,) are numbers, not the indicators of categories."""
        return np.array([channel.kind != "category" for channel in self.channels], dtype=bool)

    @property
    def scale(self) -> Floats:
        """The standard deviation of every modelled channel (M,), in the user's units."""
        return self.scaler.spread[self.modelled]

    def data(self, panel: Panel) -> ScaledSeries:
        """The series of a frame as the model sees them, with stand-ins for readings of which only limits are known."""
        raw = [s.values for s in panel.series]
        data = ScaledSeries.of(raw, self.scaler, self.modelled, self.options.fill, self.options.causal)
        if panel.censored is None:
            return data
        series, informed = with_stand_ins(
            self.experts[-1].predict, data.series, scaled_limits(panel.censored, self.scaler, self.modelled)
        )
        return replace(data, series=series, limits=informed)

    def predictive(self, panel: Panel) -> Predictive:
        """The predictive distribution of a frame."""
        data = self.data(panel)
        return self._cached("", data, lambda: self._predictive(data))

    def _predictive(self, data: ScaledSeries) -> Predictive:
        """Gaps at an end are told apart where there is a trend or rhythm to continue."""
        complete = observed_count(data.series) == cell_count(data.series)
        blend, ahead = self.blend_of_fit if complete else self.blend(data), end_pattern(data.series)
        continued = self.structure is not None and not self.options.causal and len(ahead) >= SHORTEST
        return self.predict(data, blend, self.end_blend(data, ahead) if continued else None)

    def forecast(self, now: Panel, extended: Panel, steps: int) -> Predictive:
        """The predictive distribution of a frame and its future, blended by a backtest from earlier origins."""
        return self._cached(f"{steps} steps", self.data(extended), lambda: self._forecast(now, extended, steps))

    def _forecast(self, now: Panel, extended: Panel, steps: int) -> Predictive:
        future = self.data(extended)
        ends = None if self.options.causal else self.end_blend(self.data(now), end_pattern(future.series)[-steps:])
        return self.predict(future, self.blend(self.data(now)) if ends is None else self.blend_of_fit, ends)

    def end_blend(self, data: ScaledSeries, ahead: Mask) -> CalibratedBlend | None:
        """The blend of gaps at the end in which the cells `ahead` (H, M) are missing; None where no series is long enough to try."""
        period = max(self.structure.periods, default=1.0) if self.structure is not None else 1.0
        forecasts = forecasts_from_earlier(self.experts, data.series, ahead, period, self.scaler.take(self.modelled))
        return None if forecasts is None else end_blend(forecasts, int(self.modelled.sum()), self.held_out)

    def _cached(self, what: str, data: ScaledSeries, work: Callable[[], Predictive]) -> Predictive:
        """The last answer is kept: quantiles and samples of the same frame are asked for after its estimates."""
        key = (
            what,
            *map(fingerprint, data.raw),
            *(fingerprint(part) for limit in data.limits for part in (limit.low, limit.high)),
        )
        if key not in self.cache:
            self.cache.clear()
            self.cache[key] = work()
        return self.cache[key]

    def generate(self, n: int, steps: int | None, entity: Hashable = None, start: object = None) -> pd.DataFrame:
        """n new series, like those of an entity, with stamps from `start` on; see `Imputer.generate`."""
        if self.model is None:
            raise UsageError("generate: nothing was observed in the frame that the imputer was fitted on; fit it on data")
        seed = self.options.seed
        if self.generator is None or self.calendar is None:
            drawn = with_all_channels(np.asarray(self.model.generate(n, steps, seed)), self.modelled)
            values = self.scaler.unscale(np.where(self.modelled, drawn, 0.0))
            return generated_frame(np.where(self.modelled, values, self.options.fill), self.schema)
        calendar, length = self.calendar, steps or self.model.steps
        numbers = calendar.numbers_from(length, start)
        series = None if entity is None else calendar.series_of(entity)
        indicators, first = ~self.numeric, calendar.first_step(numbers)
        drawn, like = self.generator.draw(n, length, seed, indicators, series, first)
        values = np.where(self.modelled, with_all_channels(drawn, self.modelled), self.options.fill)
        if self.constraints:
            nothing, sd = np.zeros(values.shape[1:], bool), np.broadcast_to(self.scaler.spread, values.shape[1:])
            values = np.stack([project(x, nothing, sd, self.constraints, *self.scaler.bounds) for x in values])
        entities = {calendar.entity: [calendar.names[calendar.owner[i]] for i in like]} if calendar.names else None
        stamps = None if numbers is None else calendar.index_of(numbers)
        return generated_frame(values, self.schema, stamps, calendar.label, entities)

    def predict(self, data: ScaledSeries, blend: CalibratedBlend, ends: CalibratedBlend | None = None) -> Predictive:
        """The experts' predictions of series, blended; `ends`: the blend of gaps that reach an end, where it is another."""
        missing = [np.isnan(values) for values in data.series]
        group = [cell_groups(m, self.options.causal) for m in missing]
        if ends is not None:
            blend, channels = blend.joined(ends), len(blend.linear_only)
            group = [grouped_by_distance(g, m, channels) for g, m in zip(group, missing, strict=True)]
        experts = self.experts
        predictions = list(zip(*(expert.predict(data.series) for expert in experts), strict=True))
        absent = np.all([m.all(0) for m in missing], axis=0) & (not self.options.causal)
        blended = [blend.combine(each, g, m).reset(absent) for each, g, m in zip(predictions, group, missing, strict=True)]
        best = [each[-1] for each in predictions]
        return Predictive(data, experts[-1], best, blended, group, blend, absent, self.constraints)

    def blend(self, data: ScaledSeries) -> CalibratedBlend:
        """The blend by cells held out of series that the experts were not trained on, and by those held out of the fit.

        With `causal` no such series are used: their later cells would say how to impute earlier ones.
        """
        new = [s for s, raw in zip(data.series, data.raw, strict=True) if fingerprint(raw) not in self.trained_on]
        if self.options.causal or observed_count(new) <= 1:
            return self.blend_of_fit
        here = hold_out(self.experts, new, self.options.seed, self.scaler.take(self.modelled))
        channels = int(self.modelled.sum())
        return CalibratedBlend.of(self.held_out.combined_with(here, channels), channels)


def fit_imputer(panel: Panel, options: FitOptions) -> Fitted:
    """Fit the experts to a frame, less the cells that they are to be judged by."""
    raw = [s.values for s in panel.series]
    limits = panel.censored or []
    cells_within = [Limits.of(*pair) for pair in limits]
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
    held_out = predict_held_out(all_experts(linear, model, narrow.ends), truth, hidden, options.causal, narrow, periods)
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
    rest: Sequence[Floats], limits: Sequence[Limits], ends: tuple[Floats, Floats], options: FitOptions, periods: Sequence[float]
) -> Experts:
    """Fit the experts to series (T, M) in scaled units, where cells at the `ends` (M,) and within limits are stood in for."""
    low, high = ends
    completed = list(rest)
    if np.isfinite(low).any() or np.isfinite(high).any() or limits:
        completed = marginal_stand_ins(rest, low, high)
        for _ in range(SWEEPS):
            process = fit_process(completed, options.window, options.config, options.seed)
            expert = Experts(process, causal=options.causal).experts[0]
            completed = Censoring(expert.predict, low, high).completed(rest)
            if limits:
                completed, _ = with_stand_ins(expert.predict, completed, limits)
    return fit_experts(completed, options.window, options.config, options.seed, options.causal, periods)


def scaled_limits(limits: Sequence[LimitPair], scaler: Scaler, modelled: Mask) -> list[Limits]:
    """Limits (T, C) in the user's units on the scale of the model (T, M)."""
    sides = [[np.where(np.isfinite(side), scaler.scale(side), side)[:, modelled] for side in pair] for pair in limits]
    return [Limits.of(low, high) for low, high in sides]


def rhythm_periods(panel: Panel, series: Sequence[Floats], season: object) -> tuple[float, ...]:
    """The periods of a frame in steps: as the user gave them, or as they are found in its scaled series."""
    step = panel.series[0].step if panel.series[0].unit == "ns" else None
    given = periods_in_steps(season, step)
    return found_periods(series, step) if given is None else given


def fitted_elsewhere(schema: Schema, scaler: Scaler, model: Experts, options: FitOptions) -> Fitted:
    """A model that was trained elsewhere: its errors are measured on the frames that it will impute."""
    channels = len(schema.channels)
    linear = LinearExpert(np.ones(channels), np.ones(channels), options.causal)
    held_out = HeldOut.empty(len(all_experts(linear, model)))
    return Fitted(schema, scaler, np.ones(channels, dtype=bool), linear, model, held_out, frozenset(), options)


def all_experts(linear: LinearExpert, model: Experts | None, ends: tuple[Floats, Floats] | None = None) -> list[Expert]:
    """Linear interpolation, and what the model offers, the best last; `ends` (M,): the bounds at which data pile up."""
    offered = model.experts if model is not None else []
    if ends is None or not offered or not (np.isfinite(ends[0]).any() or np.isfinite(ends[1]).any()):
        return [linear, *offered]
    censoring = Censoring(offered[0].predict, *ends)
    return [linear, *(CensoredExpert(expert, censoring) for expert in offered)]


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


def fingerprint(values: Floats) -> str:
    """The fingerprint of a series."""
    return hashlib.sha256(np.where(np.isnan(values), np.nan, values).tobytes()).hexdigest()[:16]
