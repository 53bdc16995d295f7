"""What is asked about missing cells: the closed-form process, the same adapted to the series at hand or with a drifting level, and the VAE."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vaehub import Run, files, load, load_config
from vaehub_timeseries.impute.experts import Expert, Floats
from vaehub_timeseries.model.adapted import AdaptedExpert
from vaehub_timeseries.model.corrected import CorrectedExpert
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.gaussian import GaussianExpert, clipped
from vaehub_timeseries.model.importance_sampling import ImportanceSamplingExpert
from vaehub_timeseries.model.settings import configured_window, default_config, default_window, with_window
from vaehub_timeseries.model.training import train_vae
from vaehub_timeseries.parts.linear_gaussian import LinearGaussianDecoder, LinearGaussianEncoder

DRIFT = 0.3  # variance of a window's level, as a share of a channel's: what the mean may have moved since training
PROCESS, VAE = "process.safetensors", "vae.safetensors"


@dataclass(frozen=True)
class Experts:
    """The experts of one fitted model: of a process, of a run, or of both."""

    process: Autocovariance | None
    run: Run | None = None
    causal: bool = False

    @cached_property
    def experts(self) -> list[Expert]:
        """Best last."""
        if self.process is None:
            return self._neural(None)
        still = GaussianExpert("gaussian", self.process, 0.0, self.causal)
        drifting = GaussianExpert("drifting", self.process, DRIFT, self.causal)
        base = drifting if self.causal else AdaptedExpert(drifting)
        return [still, base, *self._neural(base)]

    def _neural(self, base: GaussianExpert | AdaptedExpert | None) -> list[Expert]:
        """The VAE: a correction of the closed form where its linear part is that, else by importance sampling."""
        if self.run is None:
            return []
        vae = self.run.vae
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
        files.save_model(folder / PROCESS, process, {"causal": self.causal, "vae": self.run is not None})
        if self.run is not None:
            self.run.save(folder / VAE)

    @classmethod
    def load(cls, folder: Path) -> Experts:
        """What `save` wrote."""
        tensors, header = files.load_model(folder / PROCESS)
        with files.guarded(folder / PROCESS, "use another copy, or fit again"):
            run = load(folder / VAE) if header["vae"] else None
            return cls(Autocovariance(**tensors) if tensors else None, run, bool(header["causal"]))

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
    chosen = default_config(series, steps, seed) if given is None else with_window(given, steps)
    return Experts(process, None if chosen is None else train_vae(series, steps, chosen, process), causal)


def clamped(window: int, longest: int) -> int:
    """The window, which is no longer than the longest series: a step more would only be padding, and dear. Warns where that matters."""
    if window > longest:
        warnings.warn(f"window={window}: no series has more than {longest} steps; a window of {longest} is used", stacklevel=2)
    return min(window, longest)
