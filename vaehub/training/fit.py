"""`vaehub.train`: from a config to a trained model, in a run folder or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from vaehub.arguments import accepts, or_none, refused, yes_or_no
from vaehub.arguments import path as as_path
from vaehub.arrays.domain import Arrays
from vaehub.base import Codec, Domain, Json
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import Config, load_config
from vaehub.config.shipped import config_path
from vaehub.config.source import Overrides
from vaehub.data.check import warn_of_atoms
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.judge import judge_of
from vaehub.evaluation.score import reference
from vaehub.files.run_folder import BEST, STATE, Hold, held
from vaehub.host.registry import registry
from vaehub.jobs.displays import showing
from vaehub.jobs.progress import hide, stage
from vaehub.run import Run, header_of, load
from vaehub.signals import Interrupted, listening, requested, shielded
from vaehub.trained import TrainedModel, weights_of
from vaehub.training.callbacks import Files, History, early_stopping, logger, screen
from vaehub.training.checkpoints import AtomicCheckpoints, cannot_resume, check_state
from vaehub.training.checks import check_data, check_monitor, needed_files, require_same
from vaehub.training.memory import fit_in_memory
from vaehub.training.module import Training, make_trainer, quiet
from vaehub.training.stops import DAMAGE, explained, explaining_stops, stopped_by
from vaehub.training.warm import source_of, warm_start


@accepts(out=or_none(as_path), resume=yes_or_no, force=yes_or_no, progress=yes_or_no)
def train(
    config: str | Path | Mapping[str, Any] | Config,
    overrides: Overrides = (),
    out: str | Path | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    data: object = None,
    domain: Domain[Codec] | None = None,
    init: TrainedModel | str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run:
    """Train a model as `config` says and give the best model.

    Arguments:
        config: a YAML file, the name of a shipped config, or the same as a mapping; with `data` it need not name a domain.
        overrides: in place of what the config says: `["latent=8", "train.epochs=5"]` or `{"latent": 8, "train": {"epochs": 5}}`.
        out: the run folder RUN/ to write. Without it the run stays in memory and no file is written; `run.save` writes its model.
        resume: go on with a run that was stopped, to the same bits as an uninterrupted one, or with a finished one whose train.epochs was raised.
        force: replace a run that is there already.
        data: rows to train on, in place of a file of the domain `arrays`: an array (N, *shape), tensor, DataFrame, sparse matrix, the
            path of a file, or a mapping with the keys x, labels, cond, mask and split. NaN is a missing value.
        domain: the one that the config names, with rows in memory, in place of one built from its options.
        init: a run, or its path, whose weights to start from, as far as they have the same names and shapes.
        progress: show how far it is, with a line for every epoch. False shows nothing, save inside a command or
            `vaehub.jobs.displays.showing`.
        options: the same as overrides, but as keywords: `train("mnist", latent=8, train={"epochs": 5})`.

    Returns:
        The model of the epoch with the highest `train.monitor`.

    Raises:
        UsageError: config, data or folder are not fit for it.
        RunFailed: NaN, or memory ran out.
        vaehub.signals.Interrupted: Ctrl-C (a KeyboardInterrupt) or SIGTERM, after all that is needed to resume was saved.

    >>> rows = torch.randn(60, 3) @ torch.ones(3, 3)
    >>> run = train({"latent": 2, "likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    >>> run.encode(rows).shape, run.sample(4).shape
    ((60, 2), (4, 3))
    """
    settled = load_config(config, overrides, None if data is None else "arrays", **options)
    source = None if isinstance(config, Config | Mapping) else config_path(config)
    if not isinstance(domain, Domain | None):
        raise refused("domain", domain, "a vaehub.Domain, or left out; rows to train on go in data=")
    if out is None and (resume or force):
        raise UsageError("resume and force go with a run folder; give one with out=")
    if out is not None:
        given = domain if data is None or domain is not None else with_rows(settled, data)
        return train_in(Path(out), settled, source, resume=resume, force=force, domain=given, init=init, progress=progress)
    with listening(), displayed(progress), seeded("init", settled.train.seed):
        with stage("loading data"):
            domain = with_rows(settled, data) if domain is None else domain
        module, _ = assemble(settled, domain)
        start_from(init, module, progress)
        return finish_in_memory(module, domain, *fit_in_memory(module, progress))


def displayed(progress: bool) -> AbstractContextManager[None]:
    """The display of progress, where it is wanted, in the first process alone."""
    if not is_first():
        hide()
    return showing() if progress and is_first() else nullcontext()


def train_in(
    folder: Path,
    config: Config,
    source: Path | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    domain: Domain[Codec] | None = None,
    init: TrainedModel | str | Path | None = None,
    progress: bool = True,
) -> Run:
    """`train` with a config that was read already, from the file `source`."""
    if resume and init is not None:
        raise UsageError("init: a run that is resumed goes on from its own weights; give one of resume and init")
    holding = held(folder, resume, force, needed_files(config, source)) if is_first() else nullcontext()
    with listening(), holding as hold, explaining_stops(folder, hold), displayed(progress):
        if hold is not None and hold.resume:
            require_same(folder, config, progress)
        with stage("loading data"):
            domain = build_domain(config) if domain is None else domain
        with seeded("init", config.train.seed):
            with stage("building the model"):
                module, header = assemble(config, domain)
            start_from(init, module, progress)
            fit(module, folder, header, hold, domain, resume, progress)
        if not is_first():
            wait_for_all()  # the first process is still writing
            return load(folder)
        run = finish(folder, domain)
        wait_for_all()
        return run


def wait_for_all() -> None:
    """Where several processes train one model: go on when all are here."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


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


def start_from(init: TrainedModel | str | Path | None, module: Training, progress: bool) -> None:
    """A warm start, where one is asked for; what was taken and what not is said once for all processes."""
    if init is None:
        return
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


def assemble(config: Config, domain: Domain[Codec]) -> tuple[Training, Json]:
    """The model, its objective and its data, checked against each other, and the header of the model file."""
    spec = domain.codec.spec
    vae = build_vae(config, spec)
    domain.scale_for(vae.decoder.likelihood)
    codec, splits = domain.codec, {"train": domain.data("train"), "val": domain.data("val")}
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
    return Training(vae, objective, judge, rows, splits["val"], config), header_of(config, codec)


def fit(
    module: Training, folder: Path, header: Json, hold: Hold | None, domain: Domain[Codec], resume: bool, progress: bool
) -> None:
    """Run the trainer; what goes wrong is said in one line, and what was reached is saved."""
    config, state = module.config, folder / STATE
    states = AtomicCheckpoints(lambda found: check_state(found, module, config.train.epochs))
    files = Files(folder, header, config.train.monitor, states, lambda: begin(hold, config, domain))
    callbacks = [
        *registry().callbacks(config),
        *early_stopping(config.train.monitor, config.train.early_stopping),
        History(folder / "metrics.csv"),
        files,
    ]
    path = str(state) if resume and state.exists() else None
    if hold is not None:
        hold.make_way()
    trainer = None
    try:
        with quiet(), screen(config, progress) as bar:
            trainer = make_trainer(config, [*callbacks, bar], [states], logger(config.train.logger, folder), str(folder))
            trainer.fit(module, ckpt_path=path, weights_only=True)
    except BaseException as error:
        better = broken(error, trainer, module, files, hold, path)
        if better is error:
            raise
        raise better from error
    if files.best == float("-inf") and hold is not None:
        without_best(folder, progress)


def begin(hold: Hold | None, config: Config, domain: Domain[Codec]) -> None:
    """Training begins: the folder is this run's."""
    if hold is not None:
        hold.start(yaml.safe_dump(config.to_dict(), sort_keys=False).encode(), domain.record)


def broken(
    error: BaseException, trainer: pl.Trainer | None, module: Training, files: Files, hold: Hold | None, state: str | None
) -> BaseException:
    """What to raise after training broke; a run that had started keeps its best model and the state to resume from."""
    if hold is not None and hold.started:
        with shielded():
            files.write(weights_of(module.vae, module.objective))
    number = requested() or stopped_by(error, trainer)
    if number is not None:
        return Interrupted(number)
    if state is not None and hold is not None and not hold.started and isinstance(error, DAMAGE):
        return cannot_resume(state, error)
    return explained(error, module.config)


def without_best(folder: Path, progress: bool) -> None:
    """Where no epoch was validated there is no best model: the last one stands in, and an earlier stand-in goes."""
    (folder / BEST).unlink(missing_ok=True)
    if progress:
        print("no validation happened, so there is no best model: the last weights are kept", flush=True)


def finish(folder: Path, domain: Domain[Codec]) -> Run:
    """The best model, read back from its file."""
    run = load(folder)
    run.domain = domain
    completed(run).save(folder / BEST)
    return run


def completed(run: Run) -> Run:
    """The run with what is not learnt by gradient, and with the scores of training rows, by which it can tell what is unusual."""
    rows = run.config.train.score_rows
    with stage("scoring training rows"):
        run.vae.decoder.calibrate(run.vae, run.data("val"))
        run.state = {"score": reference(run.vae, run.data("train"), rows)} if rows else {}
    return run
