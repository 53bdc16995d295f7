"""What is measured of a run's test rows once, and shown in several places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from vaehub.data.rows import Subset
from vaehub.evaluation.cache import cached_per_run
from vaehub.evaluation.importance import Evidence, evidence
from vaehub.evaluation.judge import judge_of_run

if TYPE_CHECKING:
    from vaehub.trained import TrainedModel

ROWS, SAMPLES = 1000, 64  # test rows of the headline figures, and draws of z for each: seconds on any model


@cached_per_run
def test_evidence(run: TrainedModel) -> Evidence:
    """The bound on the first test rows, with SAMPLES draws of z for each."""
    data = run.data("test")
    return evidence(run.vae, Subset(data, torch.arange(min(ROWS, len(data)))), SAMPLES)


@cached_per_run
def domain_metrics(run: TrainedModel) -> Mapping[str, Any]:
    """The domain's own figures on the test rows, by name.

    Arguments:
        run: the trained model.

    >>> from vaehub import train
    >>> run = train({"likelihood": "normal", "train": {"epochs": 1}}, data=[[float(i)] for i in range(20)], progress=False)
    >>> list(domain_metrics(run))
    ['log_scale']
    """
    return dict(judge_of_run(run).metrics(run, "test"))
