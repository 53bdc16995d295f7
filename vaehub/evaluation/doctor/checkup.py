"""What every check may look at: measured once, on at most 1,000 rows of a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal, TypeAlias

import pandas as pd
import torch
from torch import Tensor
from torch.distributions import Distribution

from vaehub.base import Batch, Data, draw
from vaehub.data.rows import Subset
from vaehub.data.seeds import derive_seed, seeded
from vaehub.evaluation.importance import Evidence, evidence
from vaehub.files.history import read_history
from vaehub.model.vae import log_likelihood
from vaehub.trained import TrainedModel

SAMPLES = 16  # draws of z a row
LIMIT = 1000  # rows of a split


@dataclass(frozen=True)
class Finding:
    """One fault.

    Arguments:
        name: of the check that found it.
        severity: "error", "warning" or "note".
        evidence: the numbers that show it.
        advice: what to change.
    """

    name: str
    severity: Literal["error", "warning", "note"]
    evidence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.name}: {self.evidence}. Advice: {self.advice}"


@dataclass(frozen=True, eq=False)
class Checkup:
    """A run and what is measured of it, each thing on first use.

    Arguments:
        run: the trained model.
    """

    run: TrainedModel

    @cached_property
    def cells(self) -> pd.DataFrame:
        """RUN/metrics.csv as text, without rows where there is none."""
        return pd.DataFrame() if self.run.path is None else read_history(self.run.path, as_text=True)

    def curve(self, name: str) -> pd.Series[float]:
        """A column of metrics.csv by epoch, finite values only; empty where there is none."""
        if name not in self.cells:
            return pd.Series(dtype=float)
        values = pd.to_numeric(self.cells[name], errors="coerce")
        return values[values.abs() < float("inf")]

    def some(self, split: str) -> Data:
        """At most 1,000 rows of a split, chosen at random, always the same."""
        data = self.run.data(split)
        generator = torch.Generator().manual_seed(derive_seed("diagnose", split))
        return Subset(data, torch.randperm(len(data), generator=generator)[:LIMIT])

    @cached_property
    def train(self) -> Evidence:
        """The bound on training rows."""
        return evidence(self.run.vae, self.some("train"), SAMPLES)

    @cached_property
    def val(self) -> Evidence:
        """The bound on validation rows."""
        return evidence(self.run.vae, self.some("val"), SAMPLES)

    @cache  # noqa: B019 - a checkup lives as long as one diagnosis
    def rows(self, split: str) -> Batch:
        """The rows of `some` on the model's device."""
        data = self.some(split)
        with seeded("diagnose", split):
            return data[torch.arange(len(data))].dense().to(self.run.device).without_hidden()

    @cache  # noqa: B019
    @torch.no_grad()
    def q(self, split: str) -> Distribution:
        """q(z|x,c) of `rows`."""
        q: Distribution = self.run.vae.encoder(self.rows(split))
        return q

    @cache  # noqa: B019
    @torch.no_grad()
    def z(self, split: str) -> Tensor:
        """One draw (B, L) from `q`."""
        with seeded("diagnose", "z"):
            return draw(self.q(split), 1)[0][0]

    @cache  # noqa: B019
    @torch.no_grad()
    def px(self, split: str) -> Distribution:
        """p(x|z,c) at `z`."""
        px: Distribution = self.run.vae.decoder(self.z(split), self.rows(split).cond)
        return px

    @torch.no_grad()
    def own_z(self, split: str) -> Tensor:
        """log p(x|z,c) (B,) under the row's own z."""
        return log_likelihood(self.px(split), self.rows(split))

    @torch.no_grad()
    def other_z(self, split: str) -> Tensor:
        """log p(x|z,c) (B,) under another row's z."""
        batch = self.rows(split)
        return log_likelihood(self.run.vae.decoder(self.z(split).roll(1, 0), batch.cond), batch)

    @cached_property
    def finite(self) -> bool:
        """Whether all weights are numbers: without that nothing else can be measured."""
        return all(bool(p.isfinite().all()) for p in self.run.vae.state_dict().values())


Check: TypeAlias = Callable[[Checkup], Finding | None]
