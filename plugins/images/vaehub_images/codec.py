"""What a saved model knows of its images: their size and form, the files, the names of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias, final

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from vaehub import Codec, Json, Spec, UsageError, files
from vaehub_images.files import read_images, write_images
from vaehub_images.pixels import Form, Pixels, drawn_once, fixed_bernoulli, quantise, to_bytes, unit
from vaehub_images.rows import rows_from

Depth: TypeAlias = Annotated[int, Field(ge=8, le=16)]


@final
class ImageCodec(Codec):
    """Images of one size, from and to files.

    Arguments:
        spec: (C, H, W); the classes as condition where the model has labels; the levels of a discrete x.
        classes: their names, where the images have any.
        binarised: x is 0 or 1, drawn once with the grey value as probability.
        depth: bits of the 16-bit pictures that the model was trained on, None where there were none.

    Example:
        >>> import numpy as np
        >>> codec = ImageCodec(Spec((1, 2, 2), cond=2), classes=["cat", "dog"])
        >>> codec.condition(["dog"]).tolist()
        [0.0, 1.0]
        >>> codec.convert(np.full((3, 2, 2), 255, np.uint8))[torch.arange(3)].x.shape
        torch.Size([3, 1, 2, 2])
    """

    suffix = ".png"

    def __init__(self, spec: Spec, classes: Sequence[str] = (), binarised: bool = False, depth: int | None = None) -> None:
        super().__init__(spec)
        self.classes, self.binarised, self.depth = tuple(classes), binarised, depth

    @property
    def form(self) -> Form:
        """How batches are handed out where nothing is drawn: in [0, 1], or in levels."""
        return quantise(self.spec.classes) if self.spec.classes else unit

    def fixed(self, pixels: Tensor, labels: Tensor | None, *key: str) -> Pixels:
        """Stored rows (N, C, H, W), binarised once where the model is of binary images."""
        return Pixels(drawn_once(pixels, *key) if self.binarised else pixels, labels, self.form, self.spec.cond)

    def read(self, path: Path) -> Pixels:
        """Images from pictures, .npy, .npz, IDX, or a folder or zip of pictures whose sub-folders name the classes."""
        images = read_images(path, self.spec.shape, self.spec.classes, self.depth)
        return self._as_read(images.pixels, self._class_numbers(images.names, path))

    def convert(self, given: object) -> Pixels:
        """Images from an array or a tensor, as `read` takes them from a file: see `rows_from`."""
        return self._as_read(rows_from(given, self.spec.shape, self.spec.classes, "x"))

    def _as_read(self, pixels: Tensor, labels: Tensor | None = None) -> Pixels:
        """Rows from elsewhere; where the model knows black and white only, grey ones are flipped alike in all rows."""
        return Pixels(pixels, labels, fixed_bernoulli("read") if self.binarised else self.form, self.spec.cond)

    def _class_numbers(self, names: Sequence[str] | None, path: Path) -> Tensor | None:
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
        write_images(x, path, partial(to_bytes, levels=self.spec.classes))

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """One-hot (C,) of a class, given by its name."""
        if not self.spec.cond:
            raise UsageError("--cond: this model was trained without labels; train one with domain.labels=true")
        if len(values) != 1:
            raise UsageError(f"--cond: give one class, not {len(values)} values")
        return F.one_hot(torch.tensor(self._class(values[0], "--cond")), self.spec.cond).float()

    def to_json(self) -> Json:
        """The names of the classes, whether x is drawn, and the bits of 16-bit pictures."""
        return {"classes": list(self.classes), "binarised": self.binarised, "depth": self.depth}

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> ImageCodec:
        """The codec of a saved model."""
        classes = files.validated_json(list[str], state["classes"])
        depth = None if state["depth"] is None else files.validated_json(Depth, state["depth"])
        if spec.cond not in (0, len(classes)):
            raise ValueError(f"{len(classes)} classes, but a condition of {spec.cond} numbers")
        return cls(spec, classes, files.validated_json(bool, state["binarised"]), depth)
