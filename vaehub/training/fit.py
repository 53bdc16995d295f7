"""`vaehub.train`: from a config to a run folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from pytorch_lightning.utilities import rank_zero_only

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
from vaehub.run import Run, header_of, load
from vaehub.training.callbacks import RESUME, Files, History, early_stopping, logger, screen
from vaehub.training.checkpoints import AtomicCheckpoints
from vaehub.training.module import Training, make_trainer, quiet


def train(
    config: str | Path | Mapping[str, Any] | Config,
    overrides: Sequence[str] = (),
    out: str | Path | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    domain: Domain[Codec] | None = None,
    progress: bool = True,
) -> Run:
    """Train a model as `config` says, write RUN/ and give the best model. Raises UsageError (bad input) and RunFailed (NaN, out of memory).

    `domain`: the one that the config names, with rows in memory, in place of one built from its options. `progress`: show it.

    `resume` goes on with a killed run to the same bits as an uninterrupted one; `force` replaces a run that is there already.
    """
    config = config if isinstance(config, Config) else load_config(config, overrides)
    folder = Path(out) if out is not None else Path("runs") / config.domain.name
    if is_first():
        require_free(folder, config, resume, force)
    domain = build_domain(config) if domain is None else domain
    with seeded("init", config.train.seed):
        module, header = assemble(config, domain)
        if is_first():
            take(folder, config, resume)
            domain.record(folder)
        fit(module, folder, header, resume, progress)
    return finish(folder, domain) if is_first() else load(folder)


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
    codec, rows, val = domain.codec, domain.data("train"), domain.data("val")
    spec = codec.spec
    for split, data in (("train", rows), ("val", val)):
        if not len(data):
            raise UsageError(f"domain: the {split} split is empty; give more rows or change the split")
    vae = build_vae(config, spec)
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
        *(screen() if progress else []),
    ]
    state = folder / RESUME
    try:
        with quiet():
            trainer = make_trainer(config, callbacks, [AtomicCheckpoints()], logger(config.train.logger, folder), str(folder))
            trainer.fit(module, ckpt_path=str(state) if resume and state.exists() else None, weights_only=True)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        raise explained(error, config) from error
    if trainer.interrupted:
        raise RunFailed(f"stopped by hand at epoch {trainer.current_epoch}; go on with --resume")


def explained(error: Exception, config: Config) -> Exception:
    """RunFailed that says which option to change where memory ran out; any other error as it is."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error):
        size = config.train.batch_size
        return RunFailed(
            f"out of memory at train.batch_size={size}; try train.batch_size={max(1, size // 2)} or trainer.precision=bf16-mixed"
        )
    return error


def finish(folder: Path, domain: Domain[Codec]) -> Run:
    """The best model, with the scores of training rows stored beside its weights so that it can tell what is unusual."""
    run = load(folder)
    run.domain = domain
    run.vae.decoder.calibrate(run.vae, run.data("val"))
    rows = run.config.train.score_rows
    run.state = {"score": reference(run.vae, run.data("train"), rows)} if rows else {}
    run.save(folder / "model.safetensors")
    return run
