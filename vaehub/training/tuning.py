"""Training a model further in memory."""

from __future__ import annotations

import copy

import pandas as pd
from torch import Tensor

from vaehub.base import Data
from vaehub.config.build import build_objective
from vaehub.config.load import Config
from vaehub.data.seeds import seeded
from vaehub.evaluation.judge import judge_of_run
from vaehub.model.vae import VAE
from vaehub.trained import TrainedModel
from vaehub.training.loop import fit
from vaehub.training.module import Training
from vaehub.training.storage import Memory


def tuned(run: TrainedModel, config: Config, rows: Data, val: Data) -> tuple[VAE, dict[str, Tensor], pd.DataFrame]:
    """A copy of a run's model, trained further as `config` says on other rows of the same shape; the best epoch by `val`.

    Returns:
        The model, the weights of an objective that learns, and the figures of every epoch.
    """
    with seeded("tune", config.train.seed):
        vae = copy.deepcopy(run.vae).train().requires_grad_()
        objective = build_objective(config, run.spec)
        objective.wire(vae)
        module, storage = Training(vae, objective, judge_of_run(run), rows, val, config), Memory(config)
        fit(module, storage, progress=False)
        of_objective = storage.take_best(module)
    return vae.eval(), of_objective, pd.DataFrame(storage.history.rows)
