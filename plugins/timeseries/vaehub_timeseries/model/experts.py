"""What is asked about missing cells: the closed form, the same adapted to the series at hand, trend and rhythms, and the network."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vaehub import Run, files, load, load_config
from vaehub_timeseries.impute.experts import ClosedForm, Expert, Floats
from vaehub_timeseries.model.adapted import AdaptedExpert
from vaehub_timeseries.model.corrected import BeliefExpert, CorrectedExpert
from vaehub_timeseries.model.correction import UNTRIED, NetworkGain, fit_correction
from vaehub_timeseries.model.cycle import Cycle, fit_cycle
from vaehub_timeseries.model.cyclic import CyclicExpert
from vaehub_timeseries.model.em import START_NOISE, Autocovariance, fit_autocovariance
from vaehub_timeseries.model.gaussian import GaussianExpert, clipped
from vaehub_timeseries.model.importance_sampling import ImportanceSamplingExpert
from vaehub_timeseries.model.settings import configured_window, default_window, with_window
from vaehub_timeseries.model.structural import StructuralExpert, Structure, fit_rest
from vaehub_timeseries.model.training import train_vae
from vaehub_timeseries.parts.beliefs import BeliefEncoder
from vaehub_timeseries.parts.linear_gaussian import LinearGaussianDecoder, LinearGaussianEncoder

DRIFT = 0.3  # variance of a window's level, as a share of a channel's: what the mean may have moved since training
REST_DRIFT = 1.0  # the same of what trend and rhythms leave, whose own variance is smaller
PROCESS, VAE = "process.safetensors", "vae.safetensors"
REST, CYCLE = "rest.", "cycle."  # in front of the names of the tensors of the process of the rest, and of the cycle


@dataclass(frozen=True)
class Experts:
    """The experts of one fitted model: of a process, of a run, or of both."""

    process: Autocovariance | None
    run: Run | None = None
    causal: bool = False
    structure: Structure | None = None
    rest: Autocovariance | None = None  # the process of what the structure leaves
    gain: NetworkGain = UNTRIED
    cycle: Cycle | None = None

    @cached_property
    def experts(self) -> list[Expert]:
        """Best last."""
        if self.process is None:
            return self._neural(None, None)
        still, drifting = GaussianExpert("gaussian", self.process, 0.0, self.causal), drifting_expert(self.process, self.causal)
        base = drifting if self.causal else AdaptedExpert(drifting)
        cyclic = [CyclicExpert(self.cycle, base)] if self.cycle is not None and isinstance(base, AdaptedExpert) else []
        return [still, base, *self._structural(), *cyclic, *self._neural(base, cyclic[0] if cyclic else base)]

    def _structural(self) -> list[Expert]:
        """Trend and rhythms, where the data showed any."""
        if self.structure is None or self.rest is None:
            return []
        return [StructuralExpert(self.structure, GaussianExpert("rest", self.rest, REST_DRIFT, self.causal))]

    def _neural(self, base: GaussianExpert | AdaptedExpert | None, best: ClosedForm | None) -> list[Expert]:
        """The VAE: a correction of the best closed form, of `base` where its linear part is that, else by importance sampling."""
        if self.run is None:
            return []
        vae = self.run.vae
        if best is not None and isinstance(vae.encoder, BeliefEncoder):
            return [BeliefExpert(best, vae)]
        if base is not None and isinstance(vae.encoder, LinearGaussianEncoder) and isinstance(vae.decoder, LinearGaussianDecoder):
            return [CorrectedExpert(base, vae)]
        return [ImportanceSamplingExpert(vae, self.run.spec.shape[0], self.causal)]

    @property
    def steps(self) -> int:
        """Of a window."""
        if self.process is not None:
            return len(self.process.gamma)
        assert self.run is not None  # there is a process or a run
        return int(self.run.spec.shape[0])

    def closed_form(self, cells: int) -> Experts:
        """Without the network, and with windows of so many cells at most."""
        process, rest = (
            None if whole is None else whole.shortened(max(1, cells // len(whole.mean))) for whole in (self.process, self.rest)
        )
        return replace(self, process=process, rest=rest, run=None, cycle=None)

    def generate(self, n: int, steps: int | None, seed: int) -> Floats:
        """n new series (n, T, C) in scaled units, by default one window long."""
        if self.process is not None:
            return GaussianExpert("gaussian", self.process).generate(n, steps or len(self.process.gamma), seed)
        assert self.run is not None  # there is a process or a run
        length, channels = self.run.spec.shape
        return self.experts[-1].draw([np.full((steps or length, channels), np.nan)], n, seed)[0]

    def save(self, folder: Path) -> None:
        """Write the model to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        process = {} if self.process is None else dict(vars(self.process))
        process |= {} if self.rest is None else {REST + name: tensor for name, tensor in vars(self.rest).items()}
        structure = None if self.structure is None else self.structure.to_json()
        header = {"causal": self.causal, "vae": self.run is not None, "structure": structure, "gain": asdict(self.gain)}
        if self.cycle is not None:
            process |= {CYCLE + "mean": self.cycle.mean, CYCLE + "gamma": self.cycle.gamma}
            header["cycle"] = {"period": self.cycle.period, "periods": self.cycle.periods}
        files.save_model(folder / PROCESS, process, header)
        if self.run is not None:
            self.run.save(folder / VAE)

    @classmethod
    def load(cls, folder: Path) -> Experts:
        """What `save` wrote."""
        tensors, header = files.load_model(folder / PROCESS)
        with files.guarded(folder / PROCESS, "use another copy, or fit again"):
            run = load(folder / VAE) if header["vae"] else None
            structure = None if header.get("structure") is None else Structure.from_json(header["structure"])
            rest = {name.removeprefix(REST): tensor for name, tensor in tensors.items() if name.startswith(REST)}
            parts = {name.removeprefix(CYCLE): tensor for name, tensor in tensors.items() if name.startswith(CYCLE)}
            learnt = header.get("cycle")  # models of vaehub 0.2.0 have none
            cycle = None if learnt is None else Cycle(learnt["period"], parts["mean"], parts["gamma"], learnt["periods"])
            whole = {name: tensor for name, tensor in tensors.items() if not name.startswith((REST, CYCLE))}
            processes = [Autocovariance(**parts) if parts else None for parts in (whole, rest)]
            gain = NetworkGain(**header.get("gain", {}))  # models of vaehub 0.1 have none
            return cls(processes[0], run, bool(header["causal"]), structure, processes[1], gain, cycle)

    @classmethod
    def of_run(cls, run: Run) -> Experts:
        """Those of a run of `vaehub train`: the closed form is among them where the run's decoder holds a process."""
        decoder = run.vae.decoder
        return cls(decoder.process if isinstance(decoder, LinearGaussianDecoder) else None, run)


def fit_experts(
    series: Sequence[Floats],
    window: int | None,
    config: Any,
    seed: int,
    causal: bool,
    periods: Sequence[float] = (),
    start: Autocovariance | None = None,
) -> Experts:
    """Learn from series (T_i, C) in scaled units, NaN where unobserved; `periods`: of the rhythms, in steps; `start`: see `fit_autocovariance`."""
    given = None if config is None else load_config(config)
    steps = clamped(window or (given and configured_window(given)) or default_window(series), max(map(len, series)))
    process = fit_autocovariance([clipped(np.ascontiguousarray(x)) for x in series], steps, seed, start=start)
    structure = Structure.fit(series, periods)
    rest = None if structure is None else fit_rest(structure, series, steps, seed, causal)
    cycle = None if causal else fit_cycle(process, series, periods, DRIFT)
    if given is not None:
        run = train_vae(series, steps, with_window(given, steps), process)
        return Experts(process, run, causal, structure, rest, cycle=cycle)
    if causal:
        return Experts(process, None, causal, structure, rest)
    drifting = drifting_expert(process, False)
    best = None if cycle is None else CyclicExpert(cycle, AdaptedExpert(drifting))
    learnt, gain = fit_correction(drifting, series, seed, best)
    return Experts(process, learnt, causal, structure, rest, gain, cycle)


def fit_process(
    series: Sequence[Floats], window: int | None, config: Any, seed: int, start: Autocovariance | None = None
) -> Autocovariance:
    """The process alone, with a window as `fit_experts` would have it, for a first look: the share of white noise is not searched for."""
    named = None if config is None else configured_window(load_config(config))
    steps = min(window or named or default_window(series), max(map(len, series)))
    return fit_autocovariance([clipped(np.ascontiguousarray(x)) for x in series], steps, seed, (START_NOISE,), start)


def drifting_expert(process: Autocovariance, causal: bool) -> GaussianExpert:
    """The closed form whose level drifts, which a network corrects."""
    return GaussianExpert("drifting", process, DRIFT, causal)


def clamped(window: int, longest: int) -> int:
    """The window, which is no longer than the longest series: a step more would only be padding, and dear. Warns where that matters."""
    if window > longest:
        warnings.warn(f"window={window}: no series has more than {longest} steps; a window of {longest} is used", stacklevel=2)
    return min(window, longest)
