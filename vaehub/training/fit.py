"""`vaehub.train`: from a config to a trained model, in a run folder or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from vaehub.arguments import accepts, or_none, wrong_argument, yes_or_no
from vaehub.arguments import path as as_path
from vaehub.base import Codec, Domain
from vaehub.config.load import Config, load_config
from vaehub.config.shipped import config_path
from vaehub.config.source import Overrides
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.score import reference
from vaehub.files.model_file import open_model
from vaehub.files.run_folder import BEST, LAST, Hold
from vaehub.jobs.displays import showing
from vaehub.jobs.progress import hide, stage
from vaehub.run import Run, load
from vaehub.signals import listening
from vaehub.trained import TrainedModel
from vaehub.training.assembly import assemble, domain_with
from vaehub.training.checks import require_same
from vaehub.training.loop import fit
from vaehub.training.module import Training
from vaehub.training.processes import is_first, wait_for_all
from vaehub.training.storage import Memory, RunFolder, held_folder
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

    >>> import torch
    >>> rows = torch.randn(60, 3) @ torch.ones(3, 3)
    >>> run = train({"latent": 2, "likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    >>> run.encode(rows).shape, run.sample(4).shape
    ((60, 2), (4, 3))
    """
    settled = load_config(config, overrides, None if data is None else "arrays", **options)
    if not isinstance(domain, Domain | None):
        raise wrong_argument("domain", domain, "a vaehub.Domain, or left out; rows to train on go in data=")
    if out is None and (resume or force):
        raise UsageError("resume and force go with a run folder; give one with out=")
    if resume and init is not None:
        raise UsageError("init: a run that is resumed goes on from its own weights; give one of resume and init")
    source = None if isinstance(config, Config | Mapping) else config_path(config)
    folder = None if out is None else Path(out)
    holding: AbstractContextManager[Hold | None] = nullcontext()
    if folder is not None:
        holding = held_folder(folder, settled, source, resume, force)
    with listening(), holding as hold, displayed(progress):
        if hold is not None and hold.resume:
            require_same(hold.folder, settled, progress)
        with stage("loading data"):
            rows = domain_with(settled, data) if domain is None else domain
        if folder is not None and resume:
            go_on_with(rows, folder)
        with seeded("init", settled.train.seed):
            with stage("building the model"):
                module, header = assemble(settled, rows)
            if init is not None:
                taken = warm_start(module.vae, *source_of(init))
                if progress and is_first():
                    print(taken, flush=True)
            if folder is not None:
                storage = RunFolder(folder, hold, module, header, rows, resume, progress)
                fit(module, storage, progress)
                storage.require_best()
                return best_in_folder(folder, rows)
            memory = Memory(settled)
            fit(module, memory, progress)
            return best_in_memory(module, memory, rows)


def go_on_with(domain: Domain[Codec], folder: Path) -> None:
    """Give a domain what a run that is resumed recorded of its data, so that training does not go on with others."""
    domain.restore(folder)
    with suppress(UsageError):  # no model yet, or a damaged one, which is told of where it is read
        domain.trained_on = open_model(folder / LAST).header.get("splits")


def displayed(progress: bool) -> AbstractContextManager[None]:
    """The display of progress, where it is wanted, in the first process alone."""
    if not is_first():
        hide()
    return showing() if progress and is_first() else nullcontext()


def best_in_memory(module: Training, memory: Memory, domain: Domain[Codec]) -> Run:
    """The best model, as a run without folder."""
    of_objective = memory.take_best(module)
    run = Run(module.config, domain.codec, domain, module.vae.to("cpu"), history=pd.DataFrame(memory.history.rows))
    run.objective_weights = of_objective
    return completed(run)


def best_in_folder(folder: Path, domain: Domain[Codec]) -> Run:
    """The best model, read back from its file, which the first process completes."""
    if not is_first():
        wait_for_all()
        return load(folder)
    run = load(folder)
    run.domain = domain
    completed(run).save(folder / BEST)
    wait_for_all()
    return run


def completed(run: Run) -> Run:
    """The run with what is not learnt by gradient, and with the scores of training rows, by which it can tell what is unusual."""
    rows = run.config.train.score_rows
    with stage("scoring training rows"):
        run.vae.decoder.calibrate(run.vae, run.data("val"))
        run.state = {"score": reference(run.vae, run.data("train"), rows)} if rows else {}
    return run
