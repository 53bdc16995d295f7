"""Ascent on z through the relaxed decode: the gradient of a property with respect to the code, by way of the string.

Letters of shapes: N molecules, L latent, T symbols, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from vaehub import seeded
from vaehub_molecules.parts.relaxed import gumbel
from vaehub_molecules.search.heads import AscentHeads

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace


@final
@dataclass(frozen=True)
class Ascent:
    """Adam on f(z) = [h(z) + g(softmax((logits(z) + noise) / tau))] / 2 - pull · relu(|z|² / r² - 1), of heads h on z and g on the string.

    The noise is drawn once (common random numbers) and tau falls from `hot` to `cold`: "Categorical Reparameterization with Gumbel-Softmax"
    (Jang et al., 2017), arXiv:1611.01144. Heads are in units of their deviation; r is the larger of √L and the start's |z|.
    """

    steps: int = 40
    rate: float = 0.1
    hot: float = 2.0
    cold: float = 1.0
    pull: float = 4.0
    stops: int = 10  # codes that are kept of each path

    def paths(self, space: LatentSpace, start: Tensor, heads: AscentHeads, seed: int) -> list[Tensor]:
        """Codes (N, L) along the ascent of the sum of properties, evenly spaced, the last one being the end."""
        start = start.detach().to(space.run.device)
        z = start.clone().requires_grad_()
        radius = start.square().sum(1).clamp(min=float(start.shape[1]))
        soft = space.relaxed(start, self.hot, False, None).detach()
        with seeded("ascent", seed):
            noise = gumbel(soft)
        adam = torch.optim.Adam([z], lr=self.rate)
        kept = []
        for step in range(1, self.steps + 1):
            value = self._value(space, z, heads, noise, step)
            (z.grad,) = torch.autograd.grad(
                self._outside(z, radius).sum() - value.sum(), z
            )  # the model's own gradients stay as they are
            adam.step()
            if step * self.stops % self.steps < self.stops:
                kept.append(z.detach().cpu().clone())
        return kept

    def _value(self, space: LatentSpace, z: Tensor, heads: AscentHeads, noise: Tensor, step: int) -> Tensor:
        """(N, P) of the properties that are wanted, as both heads see them."""
        tau = self.hot * (self.cold / self.hot) ** (step / self.steps)
        return (heads.of_codes(z) + heads.of_strings(space.relaxed(z, tau, False, noise))) / 2

    def _outside(self, z: Tensor, radius: Tensor) -> Tensor:
        """(N,) how far outside of where data lie."""
        return self.pull * (z.square().sum(1) / radius - 1).relu()
