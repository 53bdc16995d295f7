"""What happens beside the steps: the table of the epochs, the files of the run, the lines on the screen."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from vaehub.base import Json
from vaehub.config.load import Config
from vaehub.errors import RunFailed, UsageError
from vaehub.files.atomic import atomic_write
from vaehub.files.model_file import save_model
from vaehub.files.run_folder import BEST, LAST, STATE
from vaehub.jobs.progress import Stage, stage
from vaehub.signals import shielded
from vaehub.trained import weights_of
from vaehub.training.checkpoints import AtomicCheckpoints
from vaehub.training.module import Training

HOLDING = 1.0  # seconds: copying the state takes some hundredths
SPACING = 15.0  # seconds: saving takes a tenth of one, which must not count beside short epochs


class History(pl.Callback):
    """One row of figures an epoch, in memory, in RUN/metrics.csv where there is a folder, and in a logger if asked for; final."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.started = path, time.monotonic()
        self.rows: list[dict[str, float]] = []
        self.seconds = 0.0  # of training before a resume

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Add the epoch's row."""
        row: dict[str, float] = {"epoch": trainer.current_epoch, "step": trainer.global_step, **module.collect("train")}
        row, module.validated = row | module.validated, {}  # trainer.callback_metrics would repeat them until the next validation
        row |= {"lr": trainer.optimizers[0].param_groups[0]["lr"], "seconds": self.seconds + time.monotonic() - self.started}
        self.rows.append(row)
        if trainer.is_global_zero and self.path is not None:
            atomic_write(self.path, table(self.rows).encode())
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.global_step)

    def state_dict(self) -> Json:
        """The rows so far, for a resumed run."""
        return {"rows": self.rows, "seconds": self.rows[-1]["seconds"] if self.rows else 0.0}

    def load_state_dict(self, state: Json) -> None:
        """Go on from these rows."""
        self.rows, self.seconds = list(state["rows"]), state["seconds"]


def table(rows: list[dict[str, float]]) -> str:
    """Rows as CSV, a column for every figure that any epoch has."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return text.getvalue()


class Files(pl.Callback):
    """The best and the last model and the state to resume from, each written whole or not at all; final.

    The state at the end of an epoch is kept in memory, at most every HOLDING seconds, and written every SPACING seconds, and when
    the run ends, however it ends: a run that is killed or stopped, and resumed, repeats the epochs since then and comes to the same
    bits.
    """

    def __init__(self, out: Path, header: Json, monitor: str, states: AtomicCheckpoints, start: Callable[[], None]) -> None:
        self.out, self.header, self.monitor, self.states, self.start = out, header, monitor, states, start
        self.best, self.best_weights = float("-inf"), dict[str, torch.Tensor]()
        self.held_at, self.saved_at, self.pending = float("-inf"), time.monotonic(), False

    def on_train_start(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Take the folder, and keep the initial state, so that there is a finite one whatever happens."""
        if trainer.is_global_zero:
            with shielded():
                self.start()
                if trainer.current_epoch == 0:
                    save_model(self.out / LAST, weights_of(module.vae, module.objective), self.header)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Training) -> None:  # type: ignore[override]
        """Keep the best by the monitored figure, higher is better, and save when it is time."""
        require_finite(weights_of(module.vae, module.objective), trainer.current_epoch)
        if module.validated and self.monitor not in trainer.callback_metrics:
            raise UsageError(no_such_figure(self.monitor, trainer.callback_metrics))
        value = trainer.callback_metrics.get(self.monitor)
        if value is not None and float(value) > self.best:
            self.best, self.best_weights = float(value), copied(weights_of(module.vae, module.objective))
        self.pending = True
        last = trainer.current_epoch + 1 == trainer.max_epochs or trainer.should_stop
        if trainer.strategy.broadcast(last or time.monotonic() - self.held_at > HOLDING):  # by the first process: all take part
            trainer.save_checkpoint(self.out / STATE)  # `states` holds it until `save`
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
                self.write(weights_of(module.vae, module.objective))
        self.best_weights, self.saved_at, self.pending = {}, time.monotonic(), False

    def write(self, last: dict[str, torch.Tensor]) -> None:
        """The best model, `last` as long as it is numbers, and the state after the last whole epoch."""
        if self.best_weights:
            save_model(self.out / BEST, self.best_weights, self.header)
        if not not_finite(last):
            save_model(self.out / LAST, last, self.header)
        self.states.write()

    def state_dict(self) -> Json:
        """The best figure so far, for a resumed run."""
        return {"best": self.best}

    def load_state_dict(self, state: Json) -> None:
        """Go on from this best figure."""
        self.best = state["best"]


def no_such_figure(monitor: str, figures: Iterable[str]) -> str:
    """What is wrong with train.monitor."""
    return f"train.monitor={monitor}: no such figure; there are {', '.join(sorted(figures))}"


def copied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights as they are now, on the CPU."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()}


def not_finite(weights: dict[str, torch.Tensor]) -> list[str]:
    """Names of the weights that are not numbers."""
    return [name for name, tensor in weights.items() if tensor.is_floating_point() and not bool(tensor.isfinite().all())]


def require_finite(weights: dict[str, torch.Tensor], epoch: int) -> None:
    """Raise RunFailed rather than save weights that are not numbers."""
    for name in not_finite(weights):
        raise RunFailed(f"{name} is not finite after epoch {epoch}; the last finite state is kept. Lower optimizer.lr")


class Bar(pl.Callback):
    """How far training is, the best figure so far, and a line for every epoch; final."""

    def __init__(self, bar: Stage, monitor: str, lines: bool) -> None:
        self.bar, self.monitor, self.lines = bar, monitor, lines

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Epochs before a resume count as done."""
        self.bar.resume(trainer.current_epoch)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A part of an epoch is done."""
        self.bar.reach(trainer.current_epoch + (batch_idx + 1) / (trainer.num_training_batches + 1))

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Tell the figures of the epoch, once for all processes."""
        if not trainer.is_global_zero:
            return
        rows = next(c for c in trainer.callbacks if isinstance(c, History)).rows  # type: ignore[attr-defined]
        row, values = rows[-1], [row[self.monitor] for row in rows if self.monitor in row]
        self.bar.reach(row["epoch"] + 1, note=f"best {self.monitor} {max(values):.2f}" if values else None)
        if self.lines:
            figures = "  ".join(f"{name} {row[name]:.2f}" for name in ("train_elbo", "val_elbo", "val_kl") if name in row)
            self.bar.keep(f"epoch {row['epoch'] + 1}/{trainer.max_epochs}  {figures}  {row['seconds']:.0f} s")


@contextmanager
def screen(config: Config, lines: bool) -> Iterator[Bar]:
    """What shows how far training is as long as the block lasts; `lines`: with one for every epoch."""
    with stage("training", config.train.epochs, unit="epoch") as bar:
        yield Bar(bar, config.train.monitor, lines)


def early_stopping(monitor: str, patience: int | None) -> list[pl.Callback]:
    """Stop after `patience` validations without a better figure."""
    if patience is None:
        return []
    return [pl.callbacks.EarlyStopping(monitor, patience=patience, mode="max", check_finite=False)]


def tensorboard(out: Path) -> Any:
    """Files for TensorBoard."""
    from pytorch_lightning.loggers import TensorBoardLogger

    return TensorBoardLogger(str(out), name="tensorboard", version="")


def mlflow(out: Path) -> Any:
    """A local MLflow store: mlflow ui --backend-store-uri sqlite:///RUN/mlflow.db."""
    from pytorch_lightning.loggers import MLFlowLogger

    return MLFlowLogger(out.name, tracking_uri=f"sqlite:///{out.resolve() / 'mlflow.db'}", artifact_location=str(out / "mlflow"))


LOGGERS = {"none": lambda out: False, "tensorboard": tensorboard, "mlflow": mlflow}


def logger(name: str, out: Path) -> Any:
    """What else gets the figures of every epoch. Raises UsageError where its package is not installed."""
    try:
        return LOGGERS[name](out)
    except ModuleNotFoundError as error:
        raise UsageError(f"train.logger={name}: is not installed; run pip install 'vaehub[{name}]'") from error
