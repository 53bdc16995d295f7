"""What is asked about missing cells: the closed-form process, the same with a drifting level, and the VAE."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vaehub import Run, files, load, load_config
from vaehub_timeseries.impute.experts import Expert, Floats
from vaehub_timeseries.model.corrected import BeliefExpert, CorrectedExpert
from vaehub_timeseries.model.correction import UNTRIED, NetworkGain, fit_correction
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.gaussian import GaussianExpert, clipped
from vaehub_timeseries.model.importance_sampling import ImportanceSamplingExpert
from vaehub_timeseries.model.settings import configured_window, default_window, with_window
from vaehub_timeseries.model.training import train_vae
from vaehub_timeseries.parts.beliefs import BeliefEncoder
from vaehub_timeseries.parts.linear_gaussian import LinearGaussianDecoder, LinearGaussianEncoder

DRIFT = 0.3  # variance of a window's level, as a share of a channel's: what the mean may have moved since training
PROCESS, VAE = "process.safetensors", "vae.safetensors"


@dataclass(frozen=True)
class Experts:
    """The experts of one fitted model: of a process, of a run, or of both."""

    process: Autocovariance | None
    run: Run | None = None
    causal: bool = False
    gain: NetworkGain = UNTRIED

    @cached_property
    def experts(self) -> list[Expert]:
        """Best last."""
        if self.process is None:
            return self._neural(None)
        drifting = drifting_expert(self.process, self.causal)
        return [GaussianExpert("gaussian", self.process, 0.0, self.causal), drifting, *self._neural(drifting)]

    def _neural(self, base: GaussianExpert | None) -> list[Expert]:
        """The VAE: a correction of the closed form where its linear part is that, else by importance sampling."""
        if self.run is None:
            return []
        vae = self.run.vae
        if base is not None and isinstance(vae.encoder, BeliefEncoder):
            return [BeliefExpert(base, vae)]
        if base is not None and isinstance(vae.encoder, LinearGaussianEncoder) and isinstance(vae.decoder, LinearGaussianDecoder):
            return [CorrectedExpert(base, vae)]
        return [ImportanceSamplingExpert(vae, self.run.spec.shape[0], self.causal)]

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
        process = {} if self.process is None else vars(self.process)
        header = {"causal": self.causal, "vae": self.run is not None, "gain": asdict(self.gain)}
        files.save_model(folder / PROCESS, process, header)
        if self.run is not None:
            self.run.save(folder / VAE)

    @classmethod
    def load(cls, folder: Path) -> Experts:
        """What `save` wrote."""
        tensors, header = files.load_model(folder / PROCESS)
        with files.guarded(folder / PROCESS, "use another copy, or fit again"):
            run = load(folder / VAE) if header["vae"] else None
            gain = NetworkGain(**header.get("gain", {}))  # models of vaehub 0.1 have none
            return cls(Autocovariance(**tensors) if tensors else None, run, bool(header["causal"]), gain)

    @classmethod
    def of_run(cls, run: Run) -> Experts:
        """Those of a run of `vaehub train`: the closed form is among them where the run's decoder holds a process."""
        decoder = run.vae.decoder
        return cls(decoder.process if isinstance(decoder, LinearGaussianDecoder) else None, run)


def fit_experts(series: Sequence[Floats], window: int | None, config: Any, seed: int, causal: bool) -> Experts:
    """Learn from series (T_i, C) in scaled units, NaN where unobserved."""
    given = None if config is None else load_config(config)
    steps = clamped(window or (given and configured_window(given)) or default_window(series), max(map(len, series)))
    process = fit_autocovariance([clipped(np.ascontiguousarray(x)) for x in series], steps, seed)
    if given is not None:
        return Experts(process, train_vae(series, steps, with_window(given, steps), process), causal)
    run, gain = (None, UNTRIED) if causal else fit_correction(drifting_expert(process, False), series, seed)
    return Experts(process, run, causal, gain)


def drifting_expert(process: Autocovariance, causal: bool) -> GaussianExpert:
    """The closed form whose level drifts, which a network corrects."""
    return GaussianExpert("drifting", process, DRIFT, causal)


def clamped(window: int, longest: int) -> int:
    """The window, which is no longer than the longest series: a step more would only be padding, and dear. Warns where that matters."""
    if window > longest:
        warnings.warn(f"window={window}: no series has more than {longest} steps; a window of {longest} is used", stacklevel=2)
    return min(window, longest)
