"""A small real domain for engine tests: scikit-learn's 8x8 digits, binarised, registered as a user would register a file of parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from vaehub import hookimpl
from vaehub.base import Batch, Codec, Data, Domain, Spec
from vaehub.data.rows import TensorData


class ToyCodec(Codec):
    """Arrays of bits."""

    classes = tuple(str(d) for d in range(10))

    def __init__(self, spec: Spec, seen: int = 0) -> None:
        super().__init__(spec)
        self.seen = seen

    def read(self, path: Path) -> Data:
        return TensorData(torch.from_numpy(np.load(path, allow_pickle=False)).float())

    def write(self, x: torch.Tensor, path: Path) -> None:
        np.save(path, x.numpy())

    def condition(self, values):
        return torch.nn.functional.one_hot(torch.tensor(int(values[0])), 10).float()

    def to_json(self):
        return {"seen": self.seen}

    @classmethod
    def from_json(cls, spec: Spec, state):
        return cls(spec, state["seen"])


class Toy(Domain[ToyCodec]):
    """Digits as 64 bits; `classes` adds the label as a condition, `gaps` hides that share of the pixels, `poison` puts a NaN in one row."""

    def __init__(self, *, classes: bool = False, gaps: float = 0.0, poison: bool = False, rows: int = 400) -> None:
        self.conditional, self.gaps, self.poison, self.rows = classes, gaps, poison, rows

    codec_type = ToyCodec

    def learn(self) -> ToyCodec:
        return ToyCodec(Spec((1, 8, 8), cond=10 if self.conditional else 0), self.rows)

    def data(self, split: str) -> Data:
        digits = load_digits()
        x = torch.tensor(digits.images[:, None] > 7, dtype=torch.float32)
        labels = torch.tensor(digits.target)
        part = {"train": slice(0, self.rows), "val": slice(1000, 1200), "test": slice(1200, 1400)}[split]
        x, labels = x[part].clone(), labels[part]
        mask = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) >= self.gaps if self.gaps else None
        if mask is not None:
            x[~mask] = float("nan")
        if self.poison and split == "train":
            x[17] = float("nan")
        cond = torch.nn.functional.one_hot(labels, 10).float() if self.conditional else None
        return TensorData(x, cond, mask, labels)


def sample_batch(n: int = 4) -> Batch:
    """Some rows of the training split."""
    return Toy().data("train")[torch.arange(n)]


@hookimpl
def vaehub_components() -> dict[str, str]:
    return {"domain/toy": ":Toy"}
