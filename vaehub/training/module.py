"""Training on pytorch_lightning.Trainer: every step draws its noise from (seed, epoch, step, rank), so a killed run resumes bit-equal."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim.lr_scheduler import LambdaLR

from vaehub import signals
from vaehub.base import Batch, Data, Objective, Step
from vaehub.config.load import Config
from vaehub.data.order import Order
from vaehub.data.seeds import reseed
from vaehub.errors import RunFailed, UsageError
from vaehub.evaluation.judge import Judge
from vaehub.model.vae import VAE

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
}


CLIPS: dict[str, Callable[..., Any]] = {"norm": clip_grad_norm_, "value": clip_grad_value_}


def rate(schedule: str, warmup: int, total: float, step: int) -> float:
    """Factor of the learning rate at `step`: a linear rise over `warmup` steps, then the schedule down to the last step."""
    if step < warmup:
        return (step + 1) / warmup
    return SCHEDULES[schedule](min(1.0, (step - warmup) / max(1, total - warmup)))


class Training(pl.LightningModule):
    """The VAE, its objective and its data, as Lightning wants them; final."""

    def __init__(self, vae: VAE, objective: Objective, judge: Judge, train: Data, val: Data, config: Config) -> None:
        super().__init__()
        self.vae, self.objective, self.judge, self.config = vae, objective, judge, config
        self.rows: dict[str, Data] = {
            "train": train,
            "val": val,
        }  # where the domain keeps them: the order and the judge look there
        self.resident = dict(self.rows)  # the same on the training device, where they fit: steps look there
        self.totals: dict[str, dict[str, Tensor]] = {"train": {}, "val": {}}
        self.validated: dict[str, float] = {}  # figures of the last validation, until they are written down
        self.scored: list[tuple[Tensor, Tensor]] = []  # (row numbers, whether log p is a number) of the running validation
        self.finite_every, self.home = 1, torch.device("cpu")  # home: where the resident rows are

    def order(self, split: str) -> Order:
        """The batches of this process."""
        train, shuffle = self.config.train, split == "train"
        return Order(
            data=self.rows[split],
            batch_size=train.batch_size if shuffle else train.eval_batch_size,
            seed=train.seed,
            shuffle=shuffle,
            balanced=train.balanced and shuffle,
            epoch=lambda: self.trainer.current_epoch,
            rank=self.trainer.global_rank,
            world=self.trainer.world_size,
        )

    def train_dataloader(self) -> Order:
        """Row numbers only: rows are fetched in the step, from the device that they live on."""
        return self.order("train")

    def val_dataloader(self) -> Order:
        """Row numbers of the validation split, in order."""
        return self.order("val")

    def configure_optimizers(self) -> Any:
        """Fused AdamW with a rate per optimiser step, of which there are fewer than batches where gradients are accumulated."""
        o, total = self.config.optimizer, self.trainer.estimated_stepping_batches
        fused = not self._scales_loss()
        optimizer = torch.optim.AdamW(self.parameters(), o.lr, betas=o.betas, weight_decay=o.weight_decay, fused=fused)
        scheduler = LambdaLR(optimizer, lambda step: rate(o.schedule, o.warmup, total, step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_train_start(self) -> None:
        """The rate of this step by the schedule: a resumed run that is to be longer starts with the rate that ended the shorter one."""
        scheduler: Any = self.lr_schedulers()
        for group, base, factor in zip(scheduler.optimizer.param_groups, scheduler.base_lrs, scheduler.lr_lambdas, strict=True):
            group["lr"] = base * factor(scheduler.last_epoch)

    def _scales_loss(self) -> bool:
        """Whether gradients are scaled, as float16 needs and bfloat16 does not."""
        return getattr(self.trainer.precision_plugin, "scaler", None) is not None

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip as `trainer.gradient_clip_val` says. Lightning refuses to for fused optimisers, though unscaled gradients need no care."""
        if self._scales_loss() or not gradient_clip_val:
            return self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        CLIPS[gradient_clip_algorithm or "norm"](self.parameters(), gradient_clip_val)

    def on_fit_start(self) -> None:
        """Keep the data on the training device where they fit."""
        self.finite_every = 1 if self.device.type == "cpu" else self.config.train.log_every
        try:
            self.resident = {split: data.to(self.device) for split, data in self.rows.items()}
            self.home = self.device
        except torch.OutOfMemoryError:
            logging.getLogger(__name__).warning("the data do not fit on %s: batches are copied there one by one", self.device)

    def fetch(self, split: str, index: Tensor) -> Batch:
        """Rows of a split on the training device."""
        return self.resident[split][index.to(self.home)].to(self.device)

    def training_step(self, index: Tensor, number: int) -> Tensor:
        """The objective on the rows `index`."""
        signals.check_in()
        reseed("step", self.config.train.seed, self.current_epoch, number, self.global_rank)
        step = Step(self.global_step, self.current_epoch, len(self.rows["train"]))
        self.objective.prepare(step)
        terms = self.vae(self.fetch("train", index), self.objective.samples)
        loss: Tensor
        loss, logs = self.objective(terms, step)
        if number % self.finite_every == 0:
            self.check_finite(loss, index, number)
        self._add("train", {"loss": loss.detach(), **logs}, len(index))
        if number % self.config.train.log_every == 0:
            self.log("step_elbo", logs["elbo"], prog_bar=True)
        return loss

    def check_finite(self, loss: Tensor, index: Tensor, number: int) -> None:
        """Stop before a NaN or Inf reaches the weights, and say at which rows."""
        if not bool(torch.isfinite(loss)):
            raise RunFailed(
                f"the loss is {loss.item()} at epoch {self.current_epoch}, batch {number} (training rows {listed(index)}); "
                "the last finite state is kept. Lower optimizer.lr, set trainer.gradient_clip_val=1 or look at those rows"
            )

    def validation_step(self, index: Tensor, number: int) -> None:
        """The ELBO itself on validation rows, whatever the objective weighs, with the same noise in every epoch."""
        signals.check_in()
        reseed("val", self.config.train.seed, number, self.global_rank)
        terms: Any = self.vae(self.fetch("val", index))
        means = {"elbo": terms.elbo.mean(), "log_px": terms.log_px.mean(), "kl": terms.kl.mean()}
        self._add("val", {name: value.detach() for name, value in means.items()}, len(index))
        self.scored.append((index, ~terms.elbo.detach().isnan()))

    def _add(self, split: str, means: Mapping[str, Tensor], rows: int) -> None:
        """Add the means of a batch to the sums over the rows of the epoch."""
        totals = self.totals[split]
        for name, value in means.items():
            totals[name] = totals.get(name, 0.0) + value.double() * rows
        totals["rows"] = totals.get("rows", torch.zeros(())) + rows

    def collect(self, split: str) -> dict[str, float]:
        """Means over the rows that all processes saw in the epoch; starts the sums anew."""
        names = sorted(self.totals[split])
        if not names:
            return {}
        sums = self.trainer.strategy.reduce(
            torch.stack([self.totals[split][n].to(self.device).double() for n in names]), reduce_op="sum"
        )
        means = dict(zip(names, sums.tolist(), strict=True))
        self.totals[split] = {}
        count = means.pop("rows")
        return {f"{split}_{name}": value / count for name, value in means.items()}

    def on_validation_epoch_end(self) -> None:
        """Make the epoch's validation figures known to callbacks, early stopping among them."""
        scored, self.scored = self.scored, []
        require_numbers(scored, self.current_epoch)
        figures = self.collect("val") | {f"val_{k}": v for k, v in self.judge.validate(self.vae, self.rows["val"]).items()}
        self.validated = figures
        self.log_dict(figures, prog_bar=True, logger=False)


def require_numbers(scored: list[tuple[Tensor, Tensor]], epoch: int) -> None:
    """Raise RunFailed that names the validation rows whose bound is no number."""
    if scored and not bool(torch.stack([fine.all() for _, fine in scored]).all()):
        bad = torch.cat([index[~fine.cpu()] for index, fine in scored])
        raise RunFailed(
            f"the bound of {len(bad)} validation rows ({listed(bad)}) is nan at epoch {epoch}; the last finite state is kept. "
            "Lower optimizer.lr, set trainer.gradient_clip_val=1 or look at those rows"
        )


def listed(rows: Tensor) -> str:
    """The first row numbers, for a message."""
    return ", ".join(map(str, rows[:8].tolist())) + (", …" if len(rows) > 8 else "")


def make_trainer(
    config: Config, callbacks: list[pl.Callback], plugins: Sequence[Any], loggers: Any, root: Path | None
) -> pl.Trainer:
    """A lean Trainer with the user's `trainer.*` options."""
    options: dict[str, Any] = {"accelerator": "auto", "devices": 1} | dict(config.trainer)
    try:
        return pl.Trainer(
            **options,
            max_epochs=config.train.epochs,
            check_val_every_n_epoch=config.train.validate_every,
            log_every_n_steps=config.train.log_every,
            default_root_dir=root,
            callbacks=callbacks,
            plugins=list(plugins),
            logger=loggers,
            num_sanity_val_steps=0,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
        )
    except (ValueError, TypeError, MisconfigurationException) as error:
        remedy = "; trainer.accelerator=auto takes what is there" if "accelerator" in config.trainer else ""
        raise UsageError(f"trainer: {str(error).splitlines()[0]}{remedy}") from error


IRRELEVANT = (
    ".*does not have many workers.*",
    ".*smaller than the logging interval.*",
    ".*isinstance.treespec, LeafSpec.*",
    ".*GPU available but not used.*",
    ".*IterableDataset.*",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's advice about DataLoaders, devices and loggers, which does not apply here; all other warnings pass."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for message in IRRELEVANT:
            warnings.filterwarnings("ignore", message)
        yield
