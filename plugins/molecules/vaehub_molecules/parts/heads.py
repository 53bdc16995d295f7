"""Properties predicted from z, and from the string itself, soft or hard."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaehub import Spec
from vaehub_molecules.tokens.vocabulary import END

WIDTH, KERNEL = 128, 5


@final
class Heads(nn.Module):
    """Means of p(y|z) and p(y|x), y standardised.

    On z: "Automatic Chemical Design" (Gómez-Bombarelli et al., 2018), doi:10.1021/acscentsci.7b00572. On the decoded probabilities:
    "LIMO" (Eckmann et al., 2022), arXiv:2206.09010, whose stacked predictor beats one on z.
    """

    def __init__(self, spec: Spec, latent: int) -> None:
        super().__init__()
        self.of_code = nn.Sequential(
            nn.Linear(latent, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, spec.targets)
        )
        self.symbols = nn.Linear(spec.classes, WIDTH, bias=False)
        self.near = nn.Conv1d(WIDTH, WIDTH, KERNEL, padding=KERNEL // 2)
        self.far = nn.Conv1d(WIDTH, WIDTH, KERNEL, padding=KERNEL // 2)
        self.of_string = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, spec.targets))

    def forward(self, z: Tensor) -> Tensor:
        """y (B, P) from codes (B, L)."""
        y: Tensor = self.of_code(z)
        return y

    def from_strings(self, soft: Tensor) -> Tensor:
        """y (B, P) from soft strings (B, T, V), END left out by its probability."""
        not_ended = 1 - soft[..., END : END + 1]
        h = self.symbols(soft) * not_ended
        h = h + F.gelu(self.near(h.mT)).mT * not_ended
        h = h + F.gelu(self.far(h.mT)).mT * not_ended
        total = h.sum(1)
        y: Tensor = self.of_string(torch.cat([total / 8, total / not_ended.sum(1).clamp(min=1)], -1))
        return y
