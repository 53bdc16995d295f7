"""Figures of merit that only make sense for images and their classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vaehub import Data, Subset
from vaehub_images.features import in_unit, recognise

if TYPE_CHECKING:
    from vaehub import TrainedModel

ROWS, REFERENCES, NEIGHBOURS, PER_CLASS = 2_000, 10_000, 5, 100
DIGITS = tuple("0123456789")


def first_rows(data: Data, rows: int) -> Data:
    """At most the first `rows` rows."""
    return Subset(data, torch.arange(min(rows, len(data))))


def image_metrics(run: TrainedModel, split: str) -> Mapping[str, float]:
    """Reconstruction error and, where images have classes, how far codes and samples keep them; with standard errors and what guessing gives."""
    data = first_rows(run.data(split), ROWS)
    out = mean_and_error("reconstruction_mse", reconstruction_errors(run, data))
    if data.labels is not None:
        out |= mean_and_error("knn_accuracy", knn_hits(run, data)) | {"knn_accuracy_chance": most_frequent(labels(data))}
    if run.spec.cond and shows_digits(run):
        out |= mean_and_error("recognised", recognised(run)) | {"recognised_chance": 1 / run.spec.cond}
    return out


def mean_and_error(name: str, values: Tensor) -> dict[str, float]:
    """The mean of values (N,), and its standard error s / √n.

    Arguments:
        name: what the mean is called; the error is NAME_se.
        values: (N,).

    Example:
        >>> mean_and_error("mse", torch.tensor([1.0, 2.0, 3.0]))
        {'mse': 2.0, 'mse_se': 0.5773502588272095}
    """
    error = float(values.std() / math.sqrt(len(values))) if len(values) > 1 else math.nan
    return {name: float(values.mean()), f"{name}_se": error}


def most_frequent(classes: Tensor) -> float:
    """The accuracy of naming the most frequent of the classes (N,) every time."""
    return float(classes.bincount().max() / len(classes))


def reconstruction_errors(run: TrainedModel, data: Data) -> Tensor:
    """Mean square error (N,) of the pixels in [0, 1] of each image, decoded from the mean code."""
    x = data[torch.arange(len(data))].x
    estimate = torch.from_numpy(run.reconstruct(data))
    return (in_unit(x, run.spec) - in_unit(estimate, run.spec)).square().flatten(1).mean(1).double()


def knn_hits(run: TrainedModel, data: Data) -> Tensor:
    """1 (N,) where the 5 nearest mean codes of 10,000 training rows give a row its class, else 0."""
    from sklearn.neighbors import KNeighborsClassifier

    train = first_rows(run.data("train"), REFERENCES)
    classifier = KNeighborsClassifier(NEIGHBOURS).fit(run.encode(train), labels(train))
    return (torch.from_numpy(classifier.predict(run.encode(data))) == labels(data)).double()


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


def recognised(run: TrainedModel) -> Tensor:
    """1 (N,) where the classifier that ships sees the class that a sample was given, else 0; 100 samples of every class."""
    samples = torch.from_numpy(run.sample(run.spec.cond * PER_CLASS, cond=by_class(run, PER_CLASS)))
    seen = recognise(in_unit(samples, run.spec))
    return (seen == torch.arange(run.spec.cond).repeat_interleave(PER_CLASS)).double()
