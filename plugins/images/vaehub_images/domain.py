"""What all image domains share: splits of bytes, the form they are given in, files, conditions, metrics and figures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from vaehub.base import Domain, Json, Spec
from vaehub.errors import UsageError
from vaehub_images.files import read_images, write_images
from vaehub_images.pixels import Form, Pixels, flip_coins, flipped_once, quantise, to_bytes, unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub.run import Run

Binarise: TypeAlias = Literal["grey", "dynamic"]
Levels: TypeAlias = Literal[0, 2, 4, 8, 16, 32, 64, 128, 256]


@dataclass(frozen=True)
class Gallery:
    """Images as they lie in the source: bytes (N, C, H, W) and classes (N,) by split, and the names of the classes."""

    splits: Mapping[str, tuple[Tensor, Tensor | None]]
    classes: Sequence[str] = ()


class ImageDomain(Domain):
    """Images of one size. `binarise: dynamic` draws x ~ Bernoulli(grey value) anew for every training batch and once for evaluation,
    "On the Quantitative Analysis of Deep Belief Networks" (Salakhutdinov & Murray, 2008), doi:10.1145/1390156.1390266;
    `levels: n` gives integers 0 … n - 1 for likelihoods over levels; otherwise x is in [0, 1].
    `labels: true` makes the class, one-hot, the condition c of p(x|z,c).
    """

    suffix = ".png"

    def __init__(self, *, binarise: str = "grey", levels: Levels = 0, labels: bool = False) -> None:
        if binarise != "grey" and levels:
            raise UsageError(f"domain.levels={levels}: binarised pixels are 0 or 1; set levels=0 or binarise=grey")
        self.binarise, self.levels, self.labels = binarise, levels, labels
        self._saved: Spec | None = None

    @abstractmethod
    def load(self) -> Gallery:
        """Read the source."""

    @cached_property
    def gallery(self) -> Gallery:
        """The source, read once."""
        gallery = self.load()
        if self.labels and not gallery.classes:
            raise UsageError("domain.labels=true: these images have no labels; set labels=false")
        return gallery

    @property
    def spec(self) -> Spec:
        """(C, H, W); the classes as condition where `labels`."""
        if self._saved is None:
            channels, height, width = self.gallery.splits["train"][0].shape[1:]
            self.classes = self.gallery.classes
            self._saved = Spec((channels, height, width), len(self.classes) * self.labels, self.levels)
        return self._saved

    def data(self, split: str) -> Pixels:
        """The images of a split; the same draw of binarised pixels at every call for "val" and "test"."""
        pixels, labels = self.gallery.splits[split]
        if self.binarise == "dynamic" and split == "train":
            return Pixels(pixels, labels, flip_coins, self.spec.cond)
        return self._fixed(pixels, labels, split)

    def _fixed(self, pixels: Tensor, labels: Tensor | None, *key: str) -> Pixels:
        pixels = pixels if self.binarise == "grey" else flipped_once(pixels, *key)
        return Pixels(pixels, labels, self._form(), self.spec.cond)

    def _form(self) -> Form:
        return quantise(self.levels) if self.levels else unit

    def read(self, path: Path) -> Pixels:
        """Images from PNG, JPEG, .npy, .npz, IDX, or a folder or zip of pictures whose sub-folders name the classes."""
        images = read_images(path, self.spec.shape, resize=False)
        return self._fixed(images.pixels, self._known(images.names, path), "read")

    def _known(self, names: Sequence[str] | None, path: Path) -> Tensor | None:
        """Classes (N,) from their names, where the file gives them and the model has them."""
        if names is None or not self.classes:
            return None
        if self.spec.cond or set(names) <= set(self.classes):
            return torch.tensor([self._class(name, str(path)) for name in names])
        return None

    def _class(self, value: str | int | float, where: str) -> int:
        names = list(self.classes)
        if str(value) in names:
            return names.index(str(value))
        raise UsageError(f"{where}: no class {value!r}; the classes are {', '.join(names[:20])}{' …' if len(names) > 20 else ''}")

    def write(self, x: Tensor, path: Path) -> None:
        """Images to a grid (.png), a folder of PNGs (no suffix), .npy or .npz (x in the model's own form)."""
        write_images(x, path, partial(to_bytes, levels=self.levels))

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """One-hot (C,) of a class, given by its name."""
        if not self.spec.cond:
            raise UsageError("--cond: this model was trained without labels; train one with domain.labels=true")
        if len(values) != 1:
            raise UsageError(f"--cond: give one class, not {len(values)} values")
        return F.one_hot(torch.tensor(self._class(values[0], "--cond")), self.spec.cond).float()

    def state(self) -> Json:
        """The names of the classes."""
        return {"classes": list(self.classes)}

    def restore(self, spec: Spec, state: Json) -> None:
        """Take up the shape and the classes of a saved model."""
        self._saved, self.classes = spec, list(state["classes"])

    def metrics(self, run: Run, split: str) -> Mapping[str, float]:
        """Reconstruction error, how well the codes tell the classes apart, and how many conditional samples are recognised."""
        from vaehub_images.metrics import image_metrics

        return image_metrics(run, split)

    def figures(self, run: Run) -> Mapping[str, Figure]:
        """The picture book of a run, by title."""
        from vaehub_images.figures import picture_book

        return picture_book(run)
