"""What ends training early: signals, memory that runs out, a damaged state; and what to say of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch

from vaehub.config.load import Config
from vaehub.errors import RunFailed
from vaehub.files.run_folder import BEST, LAST, STATE, Hold
from vaehub.signals import Interrupted

DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError)  # what a damaged state may raise
KEPT = {"the best model": BEST, "the last": LAST, "the state to resume from": STATE}


def stopped_by(error: BaseException, trainer: pl.Trainer | None) -> int | None:
    """The signal behind an error where Lightning, or a handler that is not ours, was the first to know of it."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit) and trainer is not None and trainer.interrupted:
        return signal.SIGTERM if trainer.received_sigterm else signal.SIGINT
    return None


def explained(error: BaseException, config: Config) -> BaseException:
    """RunFailed that says which option to change where memory ran out; any other error as it is."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        size = config.train.batch_size
        return RunFailed(
            f"out of memory at train.batch_size={size}; try train.batch_size={max(1, size // 2)} or trainer.precision=bf16-mixed"
        )
    return error


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
