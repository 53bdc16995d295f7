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
from vaehub_timeseries.frames.generated import Calendar, generated_frame
from vaehub_timeseries.generation.generator import Generator
from vaehub_timeseries.impute.blend import CalibratedBlend
from vaehub_timeseries.impute.constraints import Constraint, parsed_constraints, project
from vaehub_timeseries.impute.ends import SHORTEST, end_blend, end_pattern, forecasts_from_earlier, grouped_by_distance
from vaehub_timeseries.impute.experts import SMALLEST, Expert, Floats, Mask, Prediction
from vaehub_timeseries.impute.held_out import (
    HeldOut,
    cell_count,
    cell_groups,
    hold_out,
    observed_count,
)
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.predictive import Predictive
from vaehub_timeseries.impute.scaled import ScaledSeries, with_all_channels
from vaehub_timeseries.marginals.bounds import Pair
from vaehub_timeseries.marginals.censoring import CensoredExpert, Censoring, Limits, with_stand_ins
from vaehub_timeseries.model.experts import Experts
from vaehub_timeseries.model.structural import Structure
from vaehub_timeseries.scale import Scaler

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
        if (still := self.still_constant(data)).any():
            blended = [
                Prediction(np.where(still & m, 0.0, b.mean), np.where(still, 0.0, b.sd))
                for b, m in zip(blended, missing, strict=True)
            ]
        first = blend.most_weighted(group, missing)
        drawn_from = [each[first] for each in predictions]
        return Predictive(data, experts[first], drawn_from, blended, group, blend, absent, self.constraints)

    def still_constant(self, data: ScaledSeries) -> Mask:
        """The modelled channels (M,) whose observed cells have one value in the data of the fit and in these: there is no doubt about the rest."""
        here = np.all([((values == 0) | np.isnan(values)).all(0) for values in data.series], axis=0)
        return np.asarray(here & (self.linear.spread <= SMALLEST))

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


def scaled_limits(limits: Sequence[LimitPair], scaler: Scaler, modelled: Mask) -> list[Limits]:
    """Limits (T, C) in the user's units on the scale of the model (T, M)."""
    sides = [[np.where(np.isfinite(side), scaler.scale(side), side)[:, modelled] for side in pair] for pair in limits]
    return [Limits.of(low, high) for low, high in sides]


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


def fingerprint(values: Floats) -> str:
    """The fingerprint of a series."""
    return hashlib.sha256(np.where(np.isnan(values), np.nan, values).tobytes()).hexdigest()[:16]
