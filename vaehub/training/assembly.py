"""From a config and a domain to a model that can be trained, with its data: all checked against each other."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from vaehub.arrays.domain import Arrays
from vaehub.base import Codec, Data, Domain, Json, Spec
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import Config
from vaehub.data.check import check_split, warn_of_atoms
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.judge import Judge, judge_of
from vaehub.host.registry import registry
from vaehub.model.vae import VAE
from vaehub.run import header_of
from vaehub.training.callbacks import no_such_figure
from vaehub.training.module import Training

BOUND = ("val_elbo", "val_log_px", "val_kl")  # the figures that every validation gives


def domain_with(config: Config, data: object) -> Domain[Codec]:
    """The domain of a config, with rows in memory where there are any. Raises UsageError where it takes none."""
    domain = build_domain(config)
    if data is not None:
        if not isinstance(domain, Arrays):
            raise UsageError(
                f"data: goes with the domain arrays, and the config names {config.domain.name}; leave one of the two out"
            )
        domain.hold(data)
    return domain


def assemble(config: Config, domain: Domain[Codec]) -> tuple[Training, Json]:
    """The model, its objective and its data, and the header of the model file."""
    spec = domain.codec.spec
    vae = build_vae(config, spec)
    domain.scale_for(vae.decoder.likelihood)
    codec, splits = domain.codec, {"train": domain.data("train"), "val": domain.data("val")}
    domain.require_unchanged()
    rows, judge = splits["train"], judge_of(config.domain.name, domain, codec)
    some = torch.randperm(len(rows))[:1000]
    check_data(spec, vae, splits, config)
    warn_of_atoms(vae.decoder.likelihood, rows[some])
    vae.encoder.initialise(rows)
    vae.decoder.initialise(rows)
    vae.prior.initialise(rows[some])
    check_monitor(config, judge, vae, splits["val"])
    objective = build_objective(config, spec)
    objective.wire(vae)
    domain.note_splits()
    return Training(vae, objective, judge, rows, splits["val"], config), header_of(config, codec, domain.trained_on)


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
