"""The config of the VAE, unless the user gives one, fitted to the size of the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vaehub.config import Config, load_config
from vaehub_timeseries.impute.experts import Floats

BATCH = 64
STEPS = 200  # of the optimiser
EPOCHS = 4  # validations in between
LATENT = 96
FEWEST = 100  # windows beside each other: with less than that nothing but the closed form can be learnt
CORRECTED: dict[str, Any] = {
    "domain": "timeseries",
    "encoder": "linear_gaussian",
    "posterior": "full_normal",
    "decoder": "linear_gaussian",
    "likelihood": {"name": "normal", "scale": 0.1},
    "objective": "absolute_error",
    "optimizer": {"lr": 2e-3, "warmup": 40, "weight_decay": 0.01},
    "trainer": {"gradient_clip_val": 1.0, "accelerator": "cpu"},
}


def default_config(series: Sequence[Floats], steps: int, seed: int) -> Config | None:
    """The VAE with a closed-form linear part; None where there are too few windows to learn more than that."""
    cells = sum(map(len, series))
    if cells < FEWEST * steps or steps == 1:
        return None
    stride = max(1, math.floor(cells * EPOCHS / (STEPS * BATCH)))
    per_epoch = max(1, cells // (stride * BATCH))
    train = {
        "epochs": max(1, round(STEPS / per_epoch)),
        "batch_size": BATCH,
        "monitor": "val_imputation",
        "seed": seed,
        "score_rows": 0,
    }
    latent = min(LATENT, steps * series[0].shape[1])
    return load_config(
        {**CORRECTED, "domain": {"name": "timeseries", "window": steps, "stride": stride}, "latent": latent, "train": train}
    )


def given_config(config: Any, steps: int) -> Config:
    """A user's config, with windows of so many steps."""
    loaded = config if isinstance(config, Config) else load_config(config if isinstance(config, Mapping) else str(config))
    return load_config({**loaded.to_dict(), "domain": {**loaded.to_dict()["domain"], "window": steps}})
