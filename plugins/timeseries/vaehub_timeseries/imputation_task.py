"""Windows of which a part of the observed cells is hidden, always the same, to see how well a model knows them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaehub import Batch, Model, derive_seed, estimate
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.masks import transplant

HIDDEN = 0.15  # of the observed cells
ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class ImputationTask:
    """Windows as a model may see them, the truth (N, T, C) and which cells are hidden."""

    given: Batch
    truth: Tensor
    hidden: Tensor

    @classmethod
    def of(cls, rows: Batch, *key: str) -> ImputationTask:
        """Hide cells in the manner of the rows' own gaps."""
        assert rows.mask is not None  # windows always have one
        rng = np.random.default_rng(derive_seed("trial", *key))
        steps = rows.mask.flatten(0, 1).numpy()
        hidden = torch.from_numpy(transplant(steps, HIDDEN, rng)).view_as(rows.mask)
        return cls(rows._replace(mask=rows.mask & ~hidden).without_hidden(), rows.x, hidden)

    def error(self, vae: Model, device: torch.device) -> float:
        """Mean absolute error on the hidden cells; 0 where there are none."""
        return self.mean_error(self.estimates(vae, device))

    @torch.no_grad()
    def estimates(self, vae: Model, device: torch.device) -> Tensor:
        """E[x|z] at the mean of q(z|what is given), (N, T, C)."""
        was, parts = vae.training, []
        vae.eval()
        for index in torch.arange(len(self.truth)).split(ROWS_AT_ONCE):
            batch = Batch(*(None if t is None else t[index].to(device) for t in self.given))  # type: ignore[arg-type]
            parts.append(estimate(vae.decoder(vae.encoder(batch).mean, batch.cond)).cpu())
        vae.train(was)
        return torch.cat(parts)

    def linear_estimates(self) -> Tensor:
        """The same (N, T, C) of linear interpolation within a window."""
        assert self.given.mask is not None  # see `of`
        windows = list(torch.where(self.given.mask, self.given.x, torch.nan).double().numpy())
        return torch.from_numpy(np.stack([b.mean for b in LinearExpert.fit(windows).predict(windows)]))

    def mean_error(self, estimate: Tensor) -> float:
        """Mean absolute error of an estimate (N, T, C) on the hidden cells; 0 where there are none."""
        error = (estimate - self.truth).abs()[self.hidden]
        return error.mean().item() if len(error) else 0.0

    def standard_error(self, estimate: Tensor) -> float:
        """Standard error of `mean_error` over windows, whose cells are not taken for independent; NaN where fewer than two have hidden cells."""
        apart = torch.where(self.hidden, (estimate - self.truth).abs() - self.mean_error(estimate), 0.0)
        windows = int(self.hidden.any(2).any(1).sum())
        if windows < 2:
            return math.nan
        return float((apart.sum((1, 2)).square().sum() * windows / (windows - 1)).sqrt() / self.hidden.sum())
