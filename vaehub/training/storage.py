"""Where training keeps what it has reached: in memory, or in a run folder from which it can go on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytorch_lightning as pl
import torch
import yaml
from torch import Tensor

from vaehub.base import Codec, Domain, Json
from vaehub.config.load import Config
from vaehub.errors import UsageError
from vaehub.files.model_file import save_model
from vaehub.files.run_folder import BEST, LAST, STATE, Hold, held
from vaehub.signals import Interrupted, requested, shielded
from vaehub.trained import separated, weights_of
from vaehub.training.callbacks import History, copied, no_such_figure, not_finite, require_finite
from vaehub.training.checkpoints import AtomicCheckpoints, cannot_resume, check_state
from vaehub.training.checks import needed_files
from vaehub.training.module import Training
from vaehub.training.processes import is_first
from vaehub.training.stops import DAMAGE, explained, explaining_stops, stopped_by

HOLDING = 1.0  # seconds: copying the state takes some hundredths
SPACING = 15.0  # seconds: saving takes a tenth of one, which must not count beside short epochs


class Storage(ABC):
    """What `fit` is given to keep the best weights and the figures of every epoch in."""

    folder: Path | None = None
    checkpoints: Sequence[AtomicCheckpoints] = ()  # Lightning's plugin for its own state
    resume_from: Path | None = None  # the state to go on from

    @abstractmethod
    def callbacks(self) -> list[pl.Callback]:
        """What keeps them while training goes on."""

    def open(self) -> None:
        """Training is about to begin."""

    def reported(self, error: BaseException, trainer: pl.Trainer | None, module: Training) -> BaseException:
        """What to raise after training broke."""
        number = requested() or stopped_by(error, trainer)
        return explained(error, module.config) if number is None else Interrupted(number)


class Best(pl.Callback):
    """The weights of the epoch with the highest figure, in memory; final."""

    def __init__(self, monitor: str) -> None:
        self.monitor, self.value, self.weights = monitor, float("-inf"), dict[str, Tensor]()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Keep the epoch's weights where they are the best so far. Raises RunFailed where they are not numbers."""
        weights = weights_of(module.vae, module.objective)
        require_finite(weights, trainer.current_epoch)
        value = trainer.callback_metrics.get(self.monitor)
        if value is not None and float(value) > self.value:
            self.value, self.weights = float(value), copied(weights)


class Memory(Storage):
    """Keeps all in memory and writes no file; final. Raises UsageError where the config asks for files."""

    def __init__(self, config: Config) -> None:
        if config.train.logger != "none":
            raise UsageError(f"train.logger={config.train.logger} writes to a run folder; give one with out=")
        self.history, self.best = History(None), Best(config.train.monitor)

    def callbacks(self) -> list[pl.Callback]:
        """The figures and the best weights."""
        return [self.history, self.best]

    def take_best(self, module: Training) -> dict[str, Tensor]:
        """Give the model its best weights, and return those of an objective that learns."""
        own, of_objective = separated(self.best.weights or weights_of(module.vae, module.objective))
        module.vae.load_state_dict(own)
        return {name: tensor.cpu() for name, tensor in of_objective.items()}


class Files(pl.Callback):
    """The best and the last model and the state to resume from, each written whole or not at all; final.

    The state at the end of an epoch is kept in memory, at most every HOLDING seconds, and written every SPACING seconds, and when
    the run ends, however it ends: a run that is killed or stopped, and resumed, repeats the epochs since then and comes to the same
    bits.
    """

    def __init__(self, storage: RunFolder) -> None:
        self.storage = storage
        self.best, self.best_weights = float("-inf"), dict[str, torch.Tensor]()
        self.held_at, self.saved_at, self.pending = float("-inf"), time.monotonic(), False

    def on_train_start(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Take the folder, and keep the initial state, so that there is a finite one whatever happens."""
        if trainer.is_global_zero:
            with shielded():
                self.storage.take()
                if trainer.current_epoch == 0:
                    self.storage.save(LAST, weights_of(module.vae, module.objective))

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Keep the best by the monitored figure, higher is better, and save when it is time."""
        monitor = module.config.train.monitor
        require_finite(weights_of(module.vae, module.objective), trainer.current_epoch)
        if module.validated and monitor not in trainer.callback_metrics:
            raise UsageError(no_such_figure(monitor, trainer.callback_metrics))
        value = trainer.callback_metrics.get(monitor)
        if value is not None and float(value) > self.best:
            self.best, self.best_weights = float(value), copied(weights_of(module.vae, module.objective))
        self.pending = True
        last = trainer.current_epoch + 1 == trainer.max_epochs or trainer.should_stop
        if trainer.strategy.broadcast(last or time.monotonic() - self.held_at > HOLDING):  # by the first process: all take part
            trainer.save_checkpoint(self.storage.folder / STATE)  # held in memory until `write`
            self.held_at = time.monotonic()
            if last or self.held_at - self.saved_at > SPACING:
                self.save(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Save what is left unsaved."""
        if self.pending:
            self.save(trainer, module)

    def save(self, trainer: pl.Trainer, module: Training) -> None:
        """Write all three files, the one that a resumed run reads last. A signal waits for them."""
        if trainer.is_global_zero:
            with shielded():
                self.write(module)
        self.best_weights, self.saved_at, self.pending = {}, time.monotonic(), False

    def write(self, module: Training) -> None:
        """The best model, the last as long as it is numbers, and the state after the last whole epoch."""
        if self.best_weights:
            self.storage.save(BEST, self.best_weights)
        last = weights_of(module.vae, module.objective)
        if not not_finite(last):
            self.storage.save(LAST, last)
        self.storage.checkpoint.write()

    def state_dict(self) -> Json:
        """The best figure so far, for a resumed run."""
        return {"best": self.best}

    def load_state_dict(self, state: Json) -> None:
        """Go on from this best figure."""
        self.best = state["best"]


class RunFolder(Storage):
    """Keeps all in the run folder, where a stopped run goes on; final.

    Arguments:
        folder: the run folder.
        hold: the lock on it; None in a process that is not the first, which writes nothing.
        module: what is trained.
        header: of the model files.
        domain: records the files of its own beside the run's.
        resume: go on from the state that is there.
        progress: print what has to be said.
    """

    folder: Path

    def __init__(
        self, folder: Path, hold: Hold | None, module: Training, header: Json, domain: Domain[Codec], resume: bool, progress: bool
    ) -> None:
        self.folder, self.hold, self.config, self.header = folder, hold, module.config, header
        self.domain, self.progress = domain, progress
        self.checkpoint = AtomicCheckpoints(lambda state: check_state(state, module, module.config.train.epochs))
        self.checkpoints = [self.checkpoint]
        self.resume_from = folder / STATE if resume and (folder / STATE).exists() else None
        self.files = Files(self)

    def callbacks(self) -> list[pl.Callback]:
        """The table of the epochs and the files of the run."""
        return [History(self.folder / "metrics.csv"), self.files]

    def open(self) -> None:
        """What a replaced run left goes."""
        if self.hold is not None:
            self.hold.make_way()

    def take(self) -> None:
        """Training begins: the folder is this run's."""
        if self.hold is not None:
            self.hold.start(yaml.safe_dump(self.config.to_dict(), sort_keys=False).encode(), self.domain.record)

    def save(self, name: str, weights: dict[str, torch.Tensor]) -> None:
        """Write a model file of the run."""
        save_model(self.folder / name, weights, self.header)

    def reported(self, error: BaseException, trainer: pl.Trainer | None, module: Training) -> BaseException:
        """What to raise after training broke; a run that had started keeps its best model and the state to resume from."""
        hold = self.hold
        if hold is not None and hold.started:
            with shielded():
                self.files.write(module)
        better = super().reported(error, trainer, module)
        damaged = self.resume_from is not None and hold is not None and not hold.started and isinstance(error, DAMAGE)
        return cannot_resume(self.resume_from, error) if damaged and better is error and isinstance(error, Exception) else better

    def require_best(self) -> None:
        """Where no epoch was validated there is no best model: the last one stands in, and an earlier stand-in goes."""
        if self.files.best == float("-inf") and self.hold is not None:
            (self.folder / BEST).unlink(missing_ok=True)
            if self.progress:
                print("no validation happened, so there is no best model: the last weights are kept", flush=True)


@contextmanager
def held_folder(folder: Path, config: Config, source: Path | None, resume: bool, force: bool) -> Iterator[Hold | None]:
    """The lock on a run folder, in the first process; whatever stops training inside says what is kept and how to go on."""
    holding: AbstractContextManager[Hold | None] = nullcontext()
    if is_first():
        holding = held(folder, resume, force, needed_files(config, source))
    with holding as hold, explaining_stops(folder, hold):
        yield hold
