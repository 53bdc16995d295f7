"""What all image domains share: splits of bytes, and the form they are given in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from torch import Tensor

from vaehub import Domain, Spec, UsageError, files
from vaehub_images.codec import ImageCodec
from vaehub_images.pixels import Pixels, bernoulli_draw

Binarise: TypeAlias = Literal["grey", "dynamic"]
Levels: TypeAlias = Literal[0, 2, 4, 8, 16, 32, 64, 128, 256]


@dataclass(frozen=True)
class ImageSplits:
    """Images as they lie in the source: (N, C, H, W) and classes (N,) by split, the names of the classes, the bits of 16-bit pictures."""

    splits: Mapping[str, tuple[Tensor, Tensor | None]]
    classes: Sequence[str] = ()
    depth: int | None = None


class ImageDomain(Domain[ImageCodec]):
    """Images of one size. `binarise: dynamic` draws x ~ Bernoulli(grey value) anew for every training batch and once for evaluation,
    "On the Quantitative Analysis of Deep Belief Networks" (Salakhutdinov & Murray, 2008), doi:10.1145/1390156.1390266;
    `levels: n` gives integers 0 … n - 1 for likelihoods over levels; otherwise x is in [0, 1].
    `labels: true` makes the class, one-hot, the condition c of p(x|z,c).
    """

    codec_type = ImageCodec

    def __init__(self, *, binarise: str = "grey", levels: Levels = 0, labels: bool = False) -> None:
        if binarise != "grey" and levels:
            raise UsageError(f"domain.levels={levels}: binarised pixels are 0 or 1; set levels=0 or binarise=grey")
        self.binarise, self.levels, self.labels = binarise, levels, labels

    @abstractmethod
    def load(self) -> ImageSplits:
        """Read the source."""

    @cached_property
    def images_by_split(self) -> ImageSplits:
        """The source, read once."""
        gallery = self.load()
        if self.labels and not gallery.classes:
            raise UsageError("domain.labels=true: these images have no labels; set labels=false")
        return gallery

    def learn(self) -> ImageCodec:
        """(C, H, W); the classes as condition where `labels`."""
        shape = tuple(self.images_by_split.splits["train"][0].shape[1:])
        spec = Spec(shape, len(self.images_by_split.classes) * self.labels, self.levels)
        return ImageCodec(spec, self.images_by_split.classes, binarised=self.binarise != "grey", depth=self.images_by_split.depth)

    def split_digests(self) -> dict[str, str]:
        """Of the pixels of every split, as they lie in the source."""
        return {split: files.digest_of([pixels.numpy()]) for split, (pixels, _) in self.images_by_split.splits.items()}

    def data(self, split: str) -> Pixels:
        """The images of a split; the same draw of binarised pixels at every call for "val" and "test"."""
        pixels, labels = self.images_by_split.splits[split]
        if self.binarise == "dynamic" and split == "train":
            return Pixels(pixels, labels, bernoulli_draw, self.codec.spec.cond)
        return self.codec.fixed(pixels, labels, split)
