"""The networks that are tried beside the linear part, and what they cost.

Letters of shapes: U users, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from vaehub_recommender.api.config import HYBRID


@final
@dataclass(frozen=True)
class Network:
    """A VAE beside EASE: what it is called, what of the shipped hybrid is changed, how long it trains, and what a step costs.

    Arguments:
        name: as the table of what was tried calls it.
        options: in place of those of the hybrid.
        steps: of the optimiser; small tables have fewer, of fewer users each.
        epochs: at most.
        cost: CPU milliseconds of a step, and of it for each million of scores: measured on one core, rather too much.
    """

    name: str
    options: Mapping[str, Any]
    steps: int
    epochs: int
    cost: tuple[float, float]

    def config(self, shape: tuple[int, int], linear: Mapping[str, Any]) -> dict[str, Any]:
        """The config for a table (U, I), beside EASE with these options."""
        batch = max(1, min(500, max(100, shape[0] // 5), shape[0]))
        epochs = max(2, min(self.epochs, round(self.steps * batch / shape[0])))
        train = {**HYBRID["train"], "epochs": epochs, "batch_size": batch, "validate_every": max(1, epochs // 2)}
        return {**HYBRID, "decoder": {**HYBRID["decoder"], **linear}, **self.options, "train": train}

    def seconds(self, shape: tuple[int, int], epochs: int, batch: int) -> float:
        """CPU seconds that training on a table (U, I) takes, about."""
        users, items = shape
        fixed, each = self.cost
        return 1 + epochs * -(-users // batch) * (fixed + each * min(users, batch) * items / 1e6) / 1_000


SMALL = Network(
    "small VAE + EASE",
    {"latent": 64, "encoder": {"name": "recvae", "width": 200, "layers": 1}, "optimizer": {"lr": 5e-3, "schedule": "cosine"}},
    steps=250,
    epochs=40,
    cost=(15.0, 20.0),
)
LARGE = Network("VAE + EASE", {}, steps=1_000, epochs=100, cost=(60.0, 60.0))
