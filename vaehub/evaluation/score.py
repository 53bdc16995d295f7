"""Anomaly scores: how unlikely a row is under the model, and where that stands among the training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from vaehub.base import Data, Json
from vaehub.data.rows import Subset
from vaehub.data.seeds import derive_seed
from vaehub.errors import UsageError
from vaehub.evaluation.importance import ROWS, Budget, Evidence, blocks, device_of, weigh
from vaehub.model.vae import VAE

if TYPE_CHECKING:
    from vaehub.trained import TrainedModel

SAMPLES = 16  # draws of z a row
PERCENTS = np.linspace(0, 100, 101)
LARGEST = 1e300  # nats


def score(run: TrainedModel, data: Data, samples: int = SAMPLES, seed: int = 0) -> pd.DataFrame:
    """Scores in nats, high = unlike the training data, and the percentage of training rows that score lower.

    elbo_score = -ELBO and iw_score = -log 1/S sum_s p(x,z_s|c) / q(z_s|x,c), at the same noise for every row. The percentiles of
    iw_score hold for the number of samples that the reference was made with; those of elbo_score for any.
    Raises UsageError for a model without reference.
    """
    reference = run.state.get("score")
    if samples < 1:
        raise UsageError(f"score: samples should be 1 or more, got {samples}")
    if reference is None:
        raise UsageError(
            "score: this model has no reference scores to compare with; train it again with train.score_rows above 0"
        )
    raw = raw_scores(run.vae, data, samples, seed)
    table = pd.DataFrame({"row": np.arange(len(data)), "elbo_score": raw["elbo"], "iw_score": raw["iw"]})
    table["percentile"] = percentile(raw["elbo"], reference["elbo"])
    table["iw_percentile"] = percentile(raw["iw"], reference["iw"])
    return table


def reference(vae: VAE, data: Data, rows: int, samples: int = SAMPLES, seed: int = 0) -> Json:
    """101 quantiles of the scores of up to `rows` training rows: kept in the model file, so that scoring needs no training data.

    10,000 rows give percentiles with a standard error of at most half a percentile.
    """
    generator = torch.Generator().manual_seed(derive_seed("score", seed))
    chosen = torch.randperm(len(data), generator=generator)[:rows]
    raw = raw_scores(vae, Subset(data, chosen), samples, seed)
    quantiles = {name: np.percentile(bounded(values), PERCENTS).tolist() for name, values in raw.items()}
    return {"samples": samples, "rows": len(chosen), **quantiles}


def bounded(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Scores between which one can interpolate: an infinite one, or one that is no number, as the largest there is."""
    return np.asarray(np.nan_to_num(values.astype(np.float64), nan=LARGEST, posinf=LARGEST, neginf=-LARGEST))


def percentile(values: np.ndarray[Any, Any], quantiles: list[float]) -> np.ndarray[Any, Any]:
    """Percentage of training rows with a lower score: piecewise linear, increasing, 0 and 100 outside of the training range."""
    middle = (np.interp(values, quantiles, PERCENTS) - np.interp(-values, -np.array(quantiles[::-1]), PERCENTS) + 100) / 2
    return np.asarray(middle)  # from below and from above: the middle of a stretch of equal quantiles


def raw_scores(vae: VAE, data: Data, samples: int, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """-ELBO and -log p(x) of every row, computed in blocks of one size: the last one is filled up with its last row."""
    if not len(data):
        raise UsageError("score: expected at least one row, got none")
    padded = torch.arange(-(-len(data) // ROWS) * ROWS).clamp(max=len(data) - 1)
    device = device_of(vae)
    budget = Budget.of(device)
    parts = [
        weigh(vae, batch, samples, ("score", seed), budget, common_noise=True)
        for batch in blocks(Subset(data, padded), device, seed)
    ]
    scores = Evidence.cat(parts)[slice(len(data))]
    return {"elbo": (-scores.elbo).cpu().numpy(), "iw": (-scores.log_evidence).cpu().numpy()}
