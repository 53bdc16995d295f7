"""What fitting gives and imputing needs.

Letters of shapes: T steps, C channels of the frame, M of them known to the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vaehub.errors import UsageError
from vaehub_timeseries.frames import Channel, Panel, Schema
from vaehub_timeseries.impute.experts import Expert, Floats, Mask
from vaehub_timeseries.impute.forecast import rehearse_forecast
from vaehub_timeseries.impute.hide import hide
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.outlook import Outlook
from vaehub_timeseries.impute.rehearsal import Rehearsed, ask, enough, excerpt, groups, observed, rehearse, size
from vaehub_timeseries.impute.scaled import Scaled, widened
from vaehub_timeseries.impute.tuned import Tuned
from vaehub_timeseries.model.experts import Experts, fit_experts
from vaehub_timeseries.scale import Scaler

HELD_OUT = (0.05, 0.15)  # of the observed cells: as many as are enough, between these where there are few
FEW = 2_000  # hidden cells, below which up to the larger share is held out


@dataclass(frozen=True)
class Options:
    """How to learn and to impute."""

    config: object = None
    window: int | None = None
    causal: bool = False
    fill: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Fitted:
    """The experts, linear interpolation first and the best last; cells that none of them was trained on, with what they said of them.

    known (C,): channels that were ever observed; seen: fingerprints of the series that the experts were trained on.
    """

    schema: Schema
    scaler: Scaler
    known: Mask
    linear: LinearExpert
    model: Experts | None
    past: Rehearsed
    seen: frozenset[str]
    options: Options
    memory: dict[tuple[str, ...], Outlook] = field(default_factory=dict)

    @property
    def taught(self) -> Tuned:
        """What rehearsal taught when the experts were fitted."""
        return Tuned.of(self.past, int(self.known.sum()))

    @property
    def experts(self) -> list[Expert]:
        """Linear interpolation, and what the model offers."""
        return chain(self.linear, self.model)

    @property
    def channels(self) -> list[Channel]:
        """The known channels (M,)."""
        return [channel for channel, known in zip(self.schema.channels, self.known, strict=True) if known]

    @property
    def columns(self) -> list[Hashable]:
        """The column of every known channel (M,)."""
        return [channel.column for channel in self.channels]

    @property
    def numeric(self) -> Mask:
        """Which known channels (M,) are numbers, not the indicators of categories."""
        return np.array([channel.kind != "category" for channel in self.channels], dtype=bool)

    @property
    def scale(self) -> Floats:
        """The standard deviation of every known channel (M,)."""
        ends = self.scaler.unscale(np.stack([np.zeros(len(self.known)), np.ones(len(self.known))]))
        scale: Floats = np.diff(ends, axis=0)[0][self.known]
        return scale

    def data(self, panel: Panel) -> Scaled:
        """The series of a frame as the model sees them."""
        raw = [s.values for s in panel.series]
        return Scaled.of(raw, self.scaler, self.known, self.options.fill, self.options.causal)

    def outlook(self, panel: Panel) -> Outlook:
        """What is believed of a frame."""
        data = self.data(panel)
        whole = observed(data.series) == size(data.series)
        return self._remembered("", data, lambda: self.believe(data, self.taught if whole else self.tuned(data)))

    def forecast(self, now: Panel, extended: Panel, steps: int) -> Outlook:
        """What is believed of a frame and its future, by forecasts from earlier origins."""
        return self._remembered(f"{steps} steps", self.data(now), lambda: self._forecast(now, extended, steps))

    def _forecast(self, now: Panel, extended: Panel, steps: int) -> Outlook:
        data = self.data(now)
        here = None if self.options.causal else rehearse_forecast(self.experts, data.series, steps)
        return self.believe(self.data(extended), self.tuned(data, here))

    def _remembered(self, what: str, data: Scaled, work: Callable[[], Outlook]) -> Outlook:
        """The last answer is kept: quantiles and samples of the same frame are asked for after its estimates."""
        key = (what, *map(mark, data.raw))
        if key not in self.memory:
            self.memory.clear()
            self.memory[key] = work()
        return self.memory[key]

    def generate(self, n: int, steps: int | None) -> Floats:
        """n new series (n, T, C)."""
        if self.model is None:
            raise UsageError("generate: nothing was observed in the frame that the imputer was fitted on; fit it on data")
        drawn = widened(np.asarray(self.model.generate(n, steps, self.options.seed)), self.known)
        return np.where(self.known, self.scaler.unscale(np.where(self.known, drawn, 0.0)), self.options.fill)

    def believe(self, data: Scaled, tuned: Tuned) -> Outlook:
        """The experts' blended beliefs about series, by what rehearsal taught."""
        missing = [np.isnan(values) for values in data.series]
        group = [groups(m, self.options.causal) for m in missing]
        experts = self.experts
        beliefs = list(zip(*(expert.predict(data.series) for expert in experts), strict=True))
        absent = np.all([m.all(0) for m in missing], axis=0) & (not self.options.causal)
        blended = [tuned.blend(each, g, m).ignorant(absent) for each, g, m in zip(beliefs, group, missing, strict=True)]
        return Outlook(data, experts[-1], [each[-1] for each in beliefs], blended, group, tuned, absent)

    def tuned(self, data: Scaled, here: Rehearsed | None = None) -> Tuned:
        """What rehearsal teaches on series that the experts were not trained on, and what it taught when they were.

        With `causal` no such series are used: their later cells would say how to impute earlier ones.
        """
        new = [s for s, raw in zip(data.series, data.raw, strict=True) if mark(raw) not in self.seen]
        if here is None and not self.options.causal and observed(new) > 1:
            here = rehearse(self.experts, new, self.options.seed)
        if here is None:
            return self.taught
        channels = int(self.known.sum())
        return Tuned.of(self.past.beside(here, channels), channels)


def learn(panel: Panel, options: Options) -> Fitted:
    """Fit the experts to a frame, less the cells that they are to be judged by."""
    raw = [s.values for s in panel.series]
    scaler = Scaler.fit(raw)
    known = np.any([(~np.isnan(values)).any(0) for values in raw], axis=0)
    rest = [values.copy() for values in Scaled.of(raw, scaler, known, options.fill, options.causal).series]
    pieces = excerpt(rest)
    truth, hidden = [piece.copy() for piece in pieces], held_out(pieces, options.seed)
    for piece, cells in zip(pieces, hidden, strict=True):
        piece[cells] = np.nan
    linear = LinearExpert.fit(rest, options.causal)
    model = fit_experts(rest, options.window, options.config, options.seed, options.causal) if known.any() else None
    past = ask(chain(linear, model), truth, hidden, options.causal)
    return Fitted(panel.schema, scaler, known, linear, model, past, frozenset(map(mark, raw)), options)


def adopted(schema: Schema, scaler: Scaler, model: Experts, options: Options) -> Fitted:
    """A model that was trained elsewhere: all that is to be known of its errors comes from the frames that it will impute."""
    channels = len(schema.channels)
    linear = LinearExpert(np.ones(channels), np.ones(channels), options.causal)
    past = Rehearsed.none(len(chain(linear, model)))
    return Fitted(schema, scaler, np.ones(channels, dtype=bool), linear, model, past, frozenset(), options)


def chain(linear: LinearExpert, model: Experts | None) -> list[Expert]:
    """Linear interpolation, and what the model offers, the best last."""
    return [linear, *(model.experts if model is not None else [])]


def held_out(series: Sequence[Floats], seed: int) -> list[Mask]:
    """Observed cells (T, M) to judge by; none where hardly any are observed, and never all of a channel."""
    count, missing = observed(series), [np.isnan(values) for values in series]
    least, most = HELD_OUT
    if count < 1 / most:
        return [np.zeros_like(m) for m in missing]
    share = min(max(least, min(most, FEW / count)), enough(series) / count)
    hidden = hide(missing, share, np.random.default_rng(seed))
    left = np.any([(~m & ~h).any(0) for m, h in zip(missing, hidden, strict=True)], axis=0)
    return [h & left for h in hidden]


def mark(values: Floats) -> str:
    """The fingerprint of a series."""
    return hashlib.sha256(np.where(np.isnan(values), np.nan, values).tobytes()).hexdigest()[:16]
