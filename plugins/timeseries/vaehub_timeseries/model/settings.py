"""The length of a window and the config of the VAE, unless the user gives them, by the size of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from vaehub import Config, load_config
from vaehub_timeseries.impute.experts import Floats

BATCH = 64
STEPS, MOST_STEPS = 5_000, 400  # of the optimiser: so many shared among the steps of a window, and no more than
EPOCHS = 4  # validations in between
LATENT = 96
FEWEST = 100  # windows beside each other: with less than that nothing but the closed form can be learnt
LARGEST = 1024  # cells of a window: of a larger one LATENT directions hold too little for a correction to matter
WINDOW_CELLS = 512  # of a window
LONGEST_WINDOW = 48  # steps
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


def default_window(series: Sequence[Floats]) -> int:
    """As many steps as WINDOW_CELLS allow, LONGEST_WINDOW at most, and no longer than the longest series."""
    channels: int = max(1, series[0].shape[1])
    return max(1, min(LONGEST_WINDOW, max(map(len, series)), WINDOW_CELLS // channels))


def default_config(series: Sequence[Floats], steps: int, seed: int) -> Config | None:
    """The VAE with a closed-form linear part; None where there are too few windows, or too large ones, to learn more than that."""
    cells = sum(map(len, series))
    if cells < FEWEST * steps or steps == 1 or steps * series[0].shape[1] > LARGEST:
        return None
    updates = min(MOST_STEPS, STEPS // steps)
    stride = max(1, math.floor(cells * EPOCHS / (updates * BATCH)))
    per_epoch = max(1, cells // (stride * BATCH))
    train = {
        "epochs": max(1, round(updates / per_epoch)),
        "batch_size": BATCH,
        "monitor": "val_imputation",
        "seed": seed,
        "score_rows": 0,
    }
    latent = min(LATENT, steps * series[0].shape[1])
    return load_config(
        {**CORRECTED, "domain": {"name": "timeseries", "window": steps, "stride": stride}, "latent": latent, "train": train}
    )


def configured_window(config: Config) -> int | None:
    """The steps of a window that a config names, if it does."""
    named: int | None = config.domain.options.get("window")
    return named


def with_window(config: Config, steps: int) -> Config:
    """The config with windows of so many steps."""
    whole = config.to_dict()
    return load_config({**whole, "domain": {**whole["domain"], "window": steps}})
