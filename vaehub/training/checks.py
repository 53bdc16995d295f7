"""What is checked before a run starts: its data, the names in its config, and what it would overwrite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vaehub.base import Data, Spec
from vaehub.config.load import Config, load_config
from vaehub.data.check import check_split
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.judge import Judge
from vaehub.files.run_folder import CONFIG
from vaehub.host.registry import registry
from vaehub.model.vae import VAE
from vaehub.training.callbacks import no_such_figure

BOUND = ("val_elbo", "val_log_px", "val_kl")  # the figures that every validation gives


def check_data(spec: Spec, vae: VAE, splits: Mapping[str, Data], config: Config) -> None:
    """Raise UsageError where a split is empty, a row of it does not fit the model, or batches are too small for batch norm."""
    for split, data in splits.items():
        if not len(data):
            raise UsageError(f"domain: the {split} split is empty; give more rows or change the split")
        with seeded("check"):  # rows may be augmented at random
            check_split(spec, vae.decoder.likelihood, data, split, config.train.eval_batch_size)
    alone = (
        "train.batch_size=1" if config.train.batch_size == 1 else "a single training row" if len(splits["train"]) == 1 else None
    )
    if alone and any(isinstance(module, nn.BatchNorm1d) for module in vae.modules()):
        raise UsageError(f"{alone}: batch norm needs at least two rows in a batch; set norm=layer, or give more rows")


def check_monitor(config: Config, judge: Judge, vae: VAE, val: Data) -> None:
    """Raise UsageError where no validation will give the figure that train.monitor names.

    Where plugins add callbacks, which may log figures of their own, that shows only after the first validation.
    """
    monitor = config.train.monitor
    if monitor in BOUND or registry().callbacks(config):
        return
    with torch.no_grad(), seeded("monitor"):
        own = [f"val_{name}" for name in judge.validate(vae.eval(), val)]
    vae.train()
    if monitor not in own:
        raise UsageError(no_such_figure(monitor, (*BOUND, *own)))


def require_same(folder: Path, config: Config, progress: bool) -> None:
    """A resumed run goes on with the options that it began with; only train.epochs may be raised. Raises UsageError that lists others."""
    before, now = (dict(flat(c.to_dict())) for c in (load_config(folder / CONFIG), config))
    epochs = before["train.epochs"], now["train.epochs"]
    if epochs[1] > epochs[0]:
        before["train.epochs"] = epochs[1]
    other = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    if other:
        changes = ", ".join(f"{key}={before.get(key)} then and {now.get(key)} now" for key in other[:5])
        raise UsageError(
            f"{folder}: the run began with other options ({changes}); resume it with those, or start again with --force"
        )
    if epochs[1] > epochs[0] and progress:
        print(
            f"train.epochs is raised from {epochs[0]} to {epochs[1]}: the learning rate follows the schedule of {epochs[1]} epochs"
        )


def flat(options: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path with dots, value) of every option."""
    if isinstance(options, Mapping) and options:
        for key, value in options.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    else:
        yield path.removesuffix(".name"), options


def needed_files(config: Config, source: Path | None) -> list[tuple[str, Path]]:
    """(what it is, path) of what must survive whatever is replaced: the working directory, the config's own file, the data."""
    data = [value for _, value in flat(config.domain.plain()) if isinstance(value, str | Path) and exists(value)]
    return [
        ("the working directory", Path.cwd()),
        *([("the config", source)] if source is not None else []),
        *(("the data", Path(value)) for value in data),
    ]


def exists(text: str | Path) -> bool:
    """Whether an option's value is the path of something that is there."""
    try:
        return bool(str(text)) and Path(text).exists()
    except (OSError, ValueError):
        return False
