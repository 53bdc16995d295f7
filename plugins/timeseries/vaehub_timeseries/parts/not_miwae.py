"""The bound of not-MIWAE: the mask is data too."""

from __future__ import annotations

import math
from typing import final

import torch
from pydantic import PositiveInt
from torch import Tensor

from vaehub import Batch, Logs, Objective, Step, Terms, UsageError
from vaehub.model import logs_of, repeat
from vaehub_timeseries.parts.self_masking import SelfMasked


def complete_by_px(px: SelfMasked, batch: Batch) -> tuple[Tensor, Tensor]:
    """x (N, *shape) with its unobserved elements drawn from p(x|z), differentiably, and log p(mask|x) of every row (N,)."""
    seen = batch.observed
    observed = torch.ones_like(batch.x, dtype=torch.bool) if seen is None else seen
    x = torch.where(observed, batch.x, px.rsample())
    return x, px.log_mask(x, observed).flatten(1).sum(-1)


@final
class NotMIWAE(Objective):
    """-log 1/S Σ_s p(x_o|z_s) p(mask|x_o, x_ms) p(z_s) / q(z_s|x_o), with x_ms ~ p(x_m|z_s): importance weighting of values and mask.

    "not-MIWAE: Deep Generative Modelling with Missing not at Random Data" (Ipsen et al., 2021), arXiv:2006.12871; without
    the mask's term it is MIWAE, objective iwae.

    Arguments:
        samples: Draws of z for every row, S.

    Raises:
        UsageError: the likelihood is not self_masking, which models the mask.

    >>> NotMIWAE(samples=5).samples
    5
    """

    def __init__(self, *, samples: PositiveInt = 20) -> None:
        super().__init__()
        self.samples = samples

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        if not isinstance(terms.px, SelfMasked):
            raise UsageError("objective not_miwae: needs a model of the mask; set likelihood: self_masking (its base is yours)")
        _, log_mask = complete_by_px(terms.px, repeat(terms.batch, len(terms.z)))
        log_mask = log_mask.view(len(terms.z), -1)
        log_w = terms.log_px + log_mask + terms.log_pz - terms.log_qz
        bound = (log_w.logsumexp(0) - math.log(len(log_w))).mean()
        return -bound, logs_of(terms, not_miwae=bound, log_mask=log_mask.mean())
