"""Figures of merit that only make sense for images and their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vaehub.base import Data
from vaehub.data.rows import Subset
from vaehub_images.features import in_unit, recognise

if TYPE_CHECKING:
    from vaehub import TrainedModel

ROWS, REFERENCES, NEIGHBOURS, PER_CLASS = 2_000, 10_000, 5, 100
DIGITS = tuple("0123456789")


def first(data: Data, rows: int) -> Data:
    """At most the first `rows` rows."""
    return Subset(data, torch.arange(min(rows, len(data))))


def image_metrics(run: TrainedModel, split: str) -> Mapping[str, float]:
    """Reconstruction error and, where images have classes, how far codes and samples keep them."""
    data = first(run.data(split), ROWS)
    out = {"reconstruction_mse": reconstruction_mse(run, data)}
    if data.labels is not None:
        out["knn_accuracy"] = knn_accuracy(run, data)
    if run.spec.cond and shows_digits(run):
        out["recognised"] = recognised(run)
    return out


def reconstruction_mse(run: TrainedModel, data: Data) -> float:
    """Mean square error of a pixel in [0, 1], decoded from the mean code, on at most 2,000 rows."""
    x = data[torch.arange(len(data))].x
    estimate = torch.from_numpy(run.reconstruct(data))
    return (in_unit(x, run.spec) - in_unit(estimate, run.spec)).square().mean().item()


def knn_accuracy(run: TrainedModel, data: Data) -> float:
    """How many of at most 2,000 rows the 5 nearest mean codes of 10,000 training rows classify rightly."""
    from sklearn.neighbors import KNeighborsClassifier

    train = first(run.data("train"), REFERENCES)
    classifier = KNeighborsClassifier(NEIGHBOURS).fit(run.encode(train), labels(train))
    return float(classifier.score(run.encode(data), labels(data)))


def labels(data: Data) -> Tensor:
    """The classes (N,) of labelled rows."""
    assert data.labels is not None
    return data.labels


def shows_digits(run: TrainedModel) -> bool:
    """Whether the images are such as the classifier that ships was trained on."""
    return run.spec.shape == (1, 28, 28) and tuple(run.codec.classes) == DIGITS


def by_class(run: TrainedModel, per_class: int) -> Tensor:
    """One-hot conditions (classes * per_class, C), class after class."""
    return torch.eye(run.spec.cond).repeat_interleave(per_class, 0)


def recognised(run: TrainedModel) -> float:
    """The fraction of 100 samples of every class in which the classifier that ships sees that class."""
    samples = torch.from_numpy(run.sample(run.spec.cond * PER_CLASS, cond=by_class(run, PER_CLASS)))
    seen = recognise(in_unit(samples, run.spec))
    return (seen == torch.arange(run.spec.cond).repeat_interleave(PER_CLASS)).double().mean().item()
