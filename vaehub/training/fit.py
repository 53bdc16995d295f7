"""`vaehub.train`: from a config to a run, in a folder or in memory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from vaehub.arrays.domain import Arrays
from vaehub.base import Codec, Domain, Json
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import Config, load_config
from vaehub.data.check import check_rows, warn_of_atoms
from vaehub.data.seeds import seeded
from vaehub.errors import RunFailed, UsageError
from vaehub.evaluation.judge import judge_of
from vaehub.evaluation.score import reference
from vaehub.files.atomic import atomic_write
from vaehub.host.registry import registry
from vaehub.jobs.displays import showing
from vaehub.jobs.progress import hide, stage
from vaehub.run import Run, header_of, load
from vaehub.trained import TrainedModel
from vaehub.training.callbacks import RESUME, Files, History, early_stopping, logger, screen
from vaehub.training.checkpoints import AtomicCheckpoints
from vaehub.training.memory import explained, fit_in_memory
from vaehub.training.module import Training, make_trainer, quiet
from vaehub.training.warm import source_of, warm_start


def train(
    config: str | Path | Mapping[str, Any] | Config,
    overrides: Sequence[str] = (),
    out: str | Path | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    data: object = None,
    domain: Domain[Codec] | None = None,
    init: TrainedModel | str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Train a model as `config` says and give the best model.

    Arguments:
        config: a YAML file, or the same as a mapping; with `data` it need not name a domain.
        overrides: `key.sub=value`, each in place of what the config says.
        out: the run folder RUN/ to write. Without it the run stays in memory and no file is written; `run.save` writes its model.
        resume: go on with a killed run to the same bits as an uninterrupted one.
        force: replace a run that is there already.
        data: rows to train on, in place of a file of the domain `arrays`: an array (N, *shape), tensor, DataFrame, sparse matrix, the
            path of a file, or a mapping with the keys x, labels, cond, mask and split. NaN is a missing value.
        domain: the one that the config names, with rows in memory, in place of one built from its options.
        init: a run, or its path, whose weights to start from, as far as they have the same names and shapes.
        progress: show how far it is, with a line for every epoch. False shows nothing, save inside a command or
            `vaehub.jobs.displays.showing`.

    Returns:
        The model of the epoch with the highest `train.monitor`.

    Raises:
        UsageError: config, data or folder are not fit for it.
        RunFailed: NaN, or memory ran out.

    >>> rows = torch.randn(60, 3) @ torch.ones(3, 3)
    >>> run = train({"latent": 2, "likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    >>> run.encode(rows).shape, run.sample(4).shape
    ((60, 2), (4, 3))
    """
    fallback = None if data is None else "arrays"
    config = config if isinstance(config, Config) else load_config(config, overrides, fallback)
    if out is None and (resume or force):
        raise UsageError("resume and force go with a run folder; give one with out=")
    if resume and init is not None:
        raise UsageError("init: a run that is resumed goes on from its own weights; give one of resume and init")
    folder = None if out is None else Path(out)
    if folder is not None and is_first():
        require_free(folder, config, resume, force)
    if not is_first():
        hide()
    with showing() if progress and is_first() else nullcontext():
        with stage("loading data"):
            domain = with_rows(config, data) if domain is None else domain
        with seeded("init", config.train.seed):
            with stage("building the model"):
                module, header = assemble(config, domain)
            if init is not None:
                start_from(init, module, progress)
            if folder is None:
                return finish_in_memory(module, domain, *fit_in_memory(module, progress))
            if is_first():
                take(folder, config, resume)
                domain.record(folder)
            fit(module, folder, header, resume, progress)
        return finish(folder, domain) if is_first() else load(folder)


def with_rows(config: Config, data: object) -> Domain[Codec]:
    """The domain of a config, with rows in memory where there are any. Raises UsageError where it takes none."""
    domain = build_domain(config)
    if data is not None:
        if not isinstance(domain, Arrays):
            raise UsageError(
                f"data: goes with the domain arrays, and the config names {config.domain.name}; leave one of the two out"
            )
        domain.hold(data)
    return domain


def start_from(init: TrainedModel | str | Path, module: Training, progress: bool) -> None:
    """A warm start; what was taken and what not is said once for all processes."""
    taken = warm_start(module.vae, *source_of(init))
    if progress and is_first():
        print(taken, flush=True)


def finish_in_memory(module: Training, domain: Domain[Codec], of_objective: dict[str, Tensor], history: pd.DataFrame) -> Run:
    """The best model, as a run without folder."""
    run = Run(module.config, domain.codec, domain, module.vae.to("cpu"), history=history)
    run.objective_weights = of_objective
    return completed(run)


def is_first() -> bool:
    """Whether this process is the one that writes: with several, Lightning starts the others with the same command."""
    return getattr(rank_zero_only, "rank", 0) == 0


def require_free(folder: Path, config: Config, resume: bool, force: bool) -> None:
    """Raise UsageError where a run is there that would be overwritten unasked, or resumed with other options."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; choose another --out")
    done = (folder / "config.yaml").exists()
    if done and resume:
        require_same(folder / "config.yaml", config)
    elif done and not force:
        raise UsageError(f"{folder}: already holds a run; go on with --resume, replace it with --force, or choose another --out")


def take(folder: Path, config: Config, resume: bool) -> None:
    """Make the folder this run's: only now, when the data and the model are known to fit, is an earlier run deleted."""
    if (folder / "config.yaml").exists() and not resume:
        shutil.rmtree(folder)
    atomic_write(folder / "config.yaml", yaml.safe_dump(config.to_dict(), sort_keys=False).encode())


def require_same(path: Path, config: Config) -> None:
    """A resumed run must go on with the options that it began with."""
    if load_config(path).to_dict() != config.to_dict():
        raise UsageError(f"{path}: the run began with other options; resume it with those, or start again with --force")


def assemble(config: Config, domain: Domain[Codec]) -> tuple[Training, Json]:
    """The model, its objective and its data, checked against each other, and the header of the model file."""
    spec = domain.codec.spec
    vae = build_vae(config, spec)
    domain.scale_for(vae.decoder.likelihood)
    codec, rows, val = domain.codec, domain.data("train"), domain.data("val")
    for split, data in (("train", rows), ("val", val)):
        if not len(data):
            raise UsageError(f"domain: the {split} split is empty; give more rows or change the split")
    some = torch.randperm(len(rows))[:1000]
    check_rows(spec, vae.decoder.likelihood, rows[some])
    warn_of_atoms(vae.decoder.likelihood, rows[some])
    vae.encoder.initialise(rows)
    vae.decoder.initialise(rows)
    vae.prior.initialise(rows[some])
    objective = build_objective(config, spec)
    objective.wire(vae)
    judge = judge_of(config.domain.name, domain, codec)
    return Training(vae, objective, judge, rows, val, config), header_of(config, codec)


def fit(module: Training, folder: Path, header: Json, resume: bool, progress: bool) -> None:
    """Run the trainer; what goes wrong is said in one line."""
    config = module.config
    history, files = History(folder / "metrics.csv"), Files(folder, header, config.train.monitor)
    callbacks = [
        *registry().callbacks(config),
        *early_stopping(config.train.monitor, config.train.early_stopping),
        history,
        files,
    ]
    state = folder / RESUME
    try:
        with quiet(), screen(config, progress) as bar:
            trainer = make_trainer(
                config, [*callbacks, bar], [AtomicCheckpoints()], logger(config.train.logger, folder), str(folder)
            )
            trainer.fit(module, ckpt_path=str(state) if resume and state.exists() else None, weights_only=True)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        raise explained(error, config) from error
    if trainer.interrupted:
        raise RunFailed(f"stopped by hand at epoch {trainer.current_epoch}; go on with --resume")


def finish(folder: Path, domain: Domain[Codec]) -> Run:
    """The best model, read back from its file."""
    run = load(folder)
    run.domain = domain
    completed(run).save(folder / "model.safetensors")
    return run


def completed(run: Run) -> Run:
    """The run with what is not learnt by gradient, and with the scores of training rows, by which it can tell what is unusual."""
    rows = run.config.train.score_rows
    with stage("scoring training rows"):
        run.vae.decoder.calibrate(run.vae, run.data("val"))
        run.state = {"score": reference(run.vae, run.data("train"), rows)} if rows else {}
    return run
