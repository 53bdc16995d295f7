"""What happens beside the steps: the table of the epochs, the files of the run, the lines on the screen."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from vaehub.base import Json
from vaehub.config.load import Config
from vaehub.errors import RunFailed, UsageError
from vaehub.files.atomic import atomic_write
from vaehub.jobs.progress import Stage, stage
from vaehub.training.module import Training


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


def printed_figures(row: Mapping[str, float]) -> list[str]:
    """What is printed of an epoch: the bound, the KL, and the domain's own validation figures.

    >>> printed_figures({"epoch": 1, "train_elbo": -1.5, "val_elbo": -1.6, "val_log_px": -1.2, "val_accuracy": 0.9, "lr": 0.1})
    ['train_elbo', 'val_elbo', 'val_accuracy']
    """
    of_domain = [name for name in row if name.startswith("val_") and name not in ("val_elbo", "val_log_px", "val_kl")]
    return [name for name in ("train_elbo", "val_elbo", "val_kl", *of_domain) if name in row]


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
            figures = "  ".join(f"{name} {row[name]:.2f}" for name in printed_figures(row))
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
