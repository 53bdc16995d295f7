"""What is asked about missing cells: the closed-form process, the same with a drifting level, and the VAE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaehub.checkpoint import load_model, save_model
from vaehub.run import Run, load
from vaehub_timeseries.impute.experts import Expert, Floats
from vaehub_timeseries.model.completed import CompletedExpert
from vaehub_timeseries.model.corrected import CorrectedExpert
from vaehub_timeseries.model.correction import trained
from vaehub_timeseries.model.em import Autocovariance, fit_autocovariance
from vaehub_timeseries.model.gaussian import GaussianExpert
from vaehub_timeseries.model.settings import default_config, given_config
from vaehub_timeseries.model.sizes import window_of
from vaehub_timeseries.parts.linear_gaussian import LinearGaussianDecoder, LinearGaussianEncoder

DRIFT = 0.3  # variance of a window's level, as a share of a channel's: what the mean may have moved since training
PROCESS, VAE = "process.safetensors", "vae.safetensors"


@dataclass(frozen=True)
class Experts:
    """The experts of one fitted model."""

    process: Autocovariance
    run: Run | None = None
    causal: bool = False

    @cached_property
    def experts(self) -> list[Expert]:
        """Best last."""
        still, drifting = (
            GaussianExpert(name, self.process, d, self.causal) for name, d in (("gaussian", 0.0), ("drifting", DRIFT))
        )
        return [still, drifting, *self._neural(drifting)]

    def _neural(self, base: GaussianExpert) -> list[Expert]:
        """The VAE: a correction of the closed form where its linear part is that, else by importance sampling."""
        if self.run is None:
            return []
        vae = self.run.vae
        if isinstance(vae.encoder, LinearGaussianEncoder) and isinstance(vae.decoder, LinearGaussianDecoder):
            return [CorrectedExpert(base, vae)]
        return [CompletedExpert(vae, len(self.process.gamma), self.causal)]

    def generate(self, n: int, steps: int | None, seed: int) -> Floats:
        """n new series (n, T, C) in scaled units, by default one window long."""
        return GaussianExpert("gaussian", self.process).generate(n, steps or len(self.process.gamma), seed)

    def save(self, folder: Path) -> None:
        """Write the model to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        save_model(folder / PROCESS, vars(self.process), {"causal": self.causal, "vae": self.run is not None})
        if self.run is not None:
            self.run.save(folder / VAE)

    @classmethod
    def load(cls, folder: Path) -> Experts:
        """What `save` wrote."""
        tensors, header = load_model(folder / PROCESS)
        run = load(folder / VAE) if header["vae"] else None
        return cls(Autocovariance(**tensors), run, bool(header["causal"]))


def fit_experts(series: Sequence[Floats], window: int | None, config: Any, seed: int, causal: bool) -> Experts:
    """Learn from series (T_i, C) in scaled units, NaN where unobserved."""
    steps = window or window_of(series)
    tensors = [torch.from_numpy(np.ascontiguousarray(x)).double() for x in series]
    found = Experts(fit_autocovariance(tensors, steps, seed), None, causal)
    chosen = default_config(series, steps, seed) if config is None else given_config(config, steps)
    return found if chosen is None else replace(found, run=trained(series, steps, chosen, found.process))
