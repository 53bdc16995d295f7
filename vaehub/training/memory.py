"""Training without files: the best weights are kept in memory."""

from __future__ import annotations

import copy

import pandas as pd
import pytorch_lightning as pl
from torch import Tensor

from vaehub.base import Data
from vaehub.config.build import build_objective
from vaehub.config.load import Config
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.judge import judge_of_run
from vaehub.host.registry import registry
from vaehub.model.vae import VAE
from vaehub.signals import Interrupted, requested
from vaehub.trained import TrainedModel, separated, weights_of
from vaehub.training.callbacks import History, copied, early_stopping, require_finite, screen
from vaehub.training.module import Training, make_trainer, quiet
from vaehub.training.stops import explained, stopped_by


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


def fit_in_memory(module: Training, progress: bool) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train `module`, whose model ends with its best weights.

    Returns:
        The weights of an objective that learns, and the figures of every epoch.

    Raises:
        UsageError: the config asks for files.
        RunFailed: NaN, or memory ran out.
    """
    config = module.config
    if config.train.logger != "none":
        raise UsageError(f"train.logger={config.train.logger} writes to a run folder; give one with out=")
    history, best = History(None), Best(config.train.monitor)
    callbacks = [
        *registry().callbacks(config),
        *early_stopping(config.train.monitor, config.train.early_stopping),
        history,
        best,
    ]
    trainer = None
    try:
        with quiet(), screen(config, progress) as bar:
            trainer = make_trainer(config, [*callbacks, bar], [], False, None)
            trainer.fit(module)
    except BaseException as error:
        number = requested() or stopped_by(error, trainer)
        better = explained(error, config) if number is None else Interrupted(number)
        if better is error:
            raise
        raise better from error
    weights = best.weights or weights_of(module.vae, module.objective)
    own, of_objective = separated(weights)
    module.vae.load_state_dict(own)
    return {name: t.cpu() for name, t in of_objective.items()}, pd.DataFrame(history.rows)


def tuned(run: TrainedModel, config: Config, rows: Data, val: Data) -> tuple[VAE, dict[str, Tensor], pd.DataFrame]:
    """A copy of a run's model, trained further as `config` says on other rows of the same shape; the best epoch by `val`.

    Returns:
        The model, the weights of an objective that learns, and the figures of every epoch.
    """
    with seeded("tune", config.train.seed):
        vae = copy.deepcopy(run.vae).train().requires_grad_()
        objective = build_objective(config, run.spec)
        objective.wire(vae)
        of_objective, history = fit_in_memory(Training(vae, objective, judge_of_run(run), rows, val, config), progress=False)
    return vae.eval(), of_objective, history
