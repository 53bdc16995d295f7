"""`vaehub.train`: from a config to a run folder."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.utilities import rank_zero_only

from vaehub.base import Codec, Domain, Json
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import Config, load_config
from vaehub.data.seeds import seeded
from vaehub.errors import RunFailed
from vaehub.evaluation.judge import judge_of
from vaehub.evaluation.score import reference
from vaehub.files.run_folder import BEST, LAST, STATE, Hold, held
from vaehub.host.registry import registry
from vaehub.run import Run, header_of, load, weights_of
from vaehub.signals import Interrupted, listening, requested, shielded
from vaehub.training.callbacks import Files, History, early_stopping, logger, screen
from vaehub.training.checkpoints import AtomicCheckpoints, cannot_resume, check_state
from vaehub.training.checks import check_data, check_monitor, needed_files, require_same
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

    `resume` goes on with a run that was stopped, to the same bits as an uninterrupted one, or with a finished one whose
    train.epochs was raised; `force` replaces a run that is there already. Ctrl-C and SIGTERM save all that is needed to resume and
    raise `vaehub.signals.Interrupted`, a KeyboardInterrupt.
    """
    source = None if isinstance(config, Config | Mapping) else Path(config)
    settled = config if isinstance(config, Config) else load_config(config, overrides)
    folder = Path(out) if out is not None else Path("runs") / settled.domain.name
    return train_in(folder, settled, source, resume=resume, force=force, domain=domain, progress=progress)


def train_in(
    folder: Path,
    config: Config,
    source: Path | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    domain: Domain[Codec] | None = None,
    progress: bool = True,
) -> Run:
    """`train` with a config that was read already, from the file `source`."""
    holding = held(folder, resume, force, needed_files(config, source)) if is_first() else nullcontext()
    with listening(), holding as hold, explaining_stops(folder, hold):
        if hold is not None and hold.resume:
            require_same(folder, config, progress)
        domain = build_domain(config) if domain is None else domain
        with seeded("init", config.train.seed):
            module, header = assemble(config, domain)
            fit(module, folder, header, hold, domain, resume, progress)
        return finish(folder, domain) if is_first() else load(folder)


def is_first() -> bool:
    """Whether this process is the one that writes: with several, Lightning starts the others with the same command."""
    return getattr(rank_zero_only, "rank", 0) == 0


def assemble(config: Config, domain: Domain[Codec]) -> tuple[Training, Json]:
    """The model, its objective and its data, checked against each other, and the header of the model file."""
    codec, splits = domain.codec, {"train": domain.data("train"), "val": domain.data("val")}
    spec, rows, judge = codec.spec, splits["train"], judge_of(config.domain.name, domain, codec)
    vae = build_vae(config, spec)
    some = torch.randperm(len(rows))[:1000]
    check_data(spec, vae, splits, config)
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
        *(screen() if progress else []),
    ]
    path = str(state) if resume and state.exists() else None
    if hold is not None:
        hold.make_way()
    trainer = None
    try:
        with quiet():
            trainer = make_trainer(config, callbacks, [states], logger(config.train.logger, folder), str(folder))
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
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        size = module.config.train.batch_size
        return RunFailed(
            f"out of memory at train.batch_size={size}; try train.batch_size={max(1, size // 2)} or trainer.precision=bf16-mixed"
        )
    if state is not None and hold is not None and not hold.started and isinstance(error, DAMAGE):
        return cannot_resume(state, error)
    return error


DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError)


def stopped_by(error: BaseException, trainer: pl.Trainer | None) -> int | None:
    """The signal behind an error where Lightning, or a handler that is not ours, was the first to know of it."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit) and trainer is not None and trainer.interrupted:
        return signal.SIGTERM if trainer.received_sigterm else signal.SIGINT
    return None


@contextmanager
def explaining_stops(folder: Path, hold: Hold | None) -> Iterator[None]:
    """Ctrl-C and SIGTERM say what is kept and how to go on; a process that is not the first one ends without a word."""
    try:
        yield
    except KeyboardInterrupt as error:
        number = error.number if isinstance(error, Interrupted) else signal.SIGINT
        if hold is None:
            raise SystemExit(128 + number) from error
        raise Interrupted(number, kept(folder, hold.started)) from error


def kept(folder: Path, started: bool) -> str:
    """What a stopped run leaves and how to go on."""
    if not started:
        return f" before training began; {folder} is as it was"
    there = [what for what, name in KEPT.items() if (folder / name).exists()]
    return f"; {folder} keeps {' and '.join(there)}: go on with the same command and --resume"


KEPT = {"the best model": BEST, "the last": LAST, "the state to resume from": STATE}


def without_best(folder: Path, progress: bool) -> None:
    """Where no epoch was validated there is no best model: the last one stands in, and an earlier stand-in goes."""
    (folder / BEST).unlink(missing_ok=True)
    if progress:
        print("no validation happened, so there is no best model: the last weights are kept", flush=True)


def finish(folder: Path, domain: Domain[Codec]) -> Run:
    """The best model, with the scores of training rows stored beside its weights so that it can tell what is unusual."""
    run = load(folder)
    run.domain = domain
    run.vae.decoder.calibrate(run.vae, run.data("val"))
    rows = run.config.train.score_rows
    run.state = {"score": reference(run.vae, run.data("train"), rows)} if rows else {}
    run.save(folder / BEST)
    return run
