"""MNIST, shipped with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field

from vaehub import UsageError, files
from vaehub_images.domain import ImageDomain, ImageSplits, Levels


def with_validation(
    pixels: torch.Tensor, labels: torch.Tensor | None, rows: int
) -> dict[str, tuple[torch.Tensor, torch.Tensor | None]]:
    """The last `rows` of the official training images become "val"."""
    first, last = (slice(None, -rows), slice(-rows, None))
    return {
        "train": (pixels[first], None if labels is None else labels[first]),
        "val": (pixels[last], None if labels is None else labels[last]),
    }


class MNIST(ImageDomain):
    """Handwritten digits, 28 x 28: 60,000 training images, the last `validation` of them held out, and 10,000 for the test.

    "Gradient-based learning applied to document recognition" (LeCun et al., 1998), doi:10.1109/5.726791. `binarise: static` reads
    the binary images of "The Neural Autoregressive Distribution Estimator" (Larochelle & Murray, 2011) from `path`: an .npz of packed
    bits `train`, `valid`, `test`, or a folder of binarized_mnist_{train,valid,test}.amat text files. They have no labels.

    Arguments:
        binarise: grey leaves the values as they are; dynamic draws x ~ Bernoulli(grey value) anew for every training batch;
            static reads fixed binary images from `path`.
        levels: Integers 0 … levels - 1 for likelihoods over levels; 0: real numbers from 0 to 1.
        labels: Make the class, one-hot, the condition c of p(x|z,c).
        validation: Images held out from the end of the training images.
        path: The binary images, for `binarise: static`: an .npz file or a folder of .amat files.

    Raises:
        UsageError: a path without `binarise: static` or the reverse, levels with binarised pixels; files that are not what they should be.

    Example:
        >>> domain = MNIST(labels=True, validation=5_000)
        >>> len(domain.data("train")), len(domain.data("val")), len(domain.data("test"))
        (55000, 5000, 10000)
        >>> domain.codec.spec.shape, domain.codec.spec.cond
        ((1, 28, 28), 10)
    """

    def __init__(
        self,
        *,
        binarise: Literal["grey", "dynamic", "static"] = "grey",
        levels: Levels = 0,
        labels: bool = False,
        validation: Annotated[int, Field(ge=1, le=59_999)] = 10_000,
        path: str | None = None,
    ) -> None:
        super().__init__(binarise=binarise, levels=levels, labels=labels)
        if (binarise == "static") != (path is not None):
            raise UsageError("domain.path: the file of static binary images; give it with binarise=static, and only then")
        self.validation, self.path = validation, path

    def load(self) -> ImageSplits:
        """Read the images."""
        return self._shipped() if self.path is None else ImageSplits(static_binary(Path(self.path)))

    def _shipped(self) -> ImageSplits:
        with (
            resources.as_file(resources.files("vaehub_images") / "data" / "mnist.npz") as path,
            np.load(path, allow_pickle=False) as arrays,
        ):
            x = {split: torch.from_numpy(arrays[f"{split}_x"]).unsqueeze(1) for split in ("train", "test")}
            y = {split: torch.from_numpy(arrays[f"{split}_y"]).long() for split in ("train", "test")}
        splits = with_validation(x["train"], y["train"], self.validation)
        return ImageSplits({**splits, "test": (x["test"], y["test"])}, tuple("0123456789"))


def static_binary(path: Path) -> dict[str, tuple[torch.Tensor, None]]:
    """The three splits of the static binary images as bytes 0 and 255."""
    read = read_amat if path.is_dir() else read_packed
    return {
        split: (torch.from_numpy(read(path, name) * np.uint8(255)).view(-1, 1, 28, 28), None)
        for split, name in {"train": "train", "val": "valid", "test": "test"}.items()
    }


def read_packed(path: Path, name: str) -> np.ndarray:
    """One split (N, 784) from an .npz of bits packed along rows."""
    with files.opened_npz(path) as arrays:
        if name not in arrays or arrays[name].dtype != np.uint8 or arrays[name].shape[1:] != (98,):
            raise UsageError(
                f"{path}: needs `{name}`, bytes of shape (N, 98), as numpy.packbits(images, axis=1) makes of 784 pixels"
            )
        return np.unpackbits(arrays[name], axis=1)


def read_amat(folder: Path, name: str) -> np.ndarray:
    """One split (N, 784) from a text file of 0 and 1, a row an image."""
    path = folder / f"binarized_mnist_{name}.amat"
    try:
        content = files.read_bytes(path)
    except UsageError as error:
        raise UsageError(f"{error}; domain.path must hold binarized_mnist_{{train,valid,test}}.amat") from error
    values = np.frombuffer(content.translate(None, b" \t\r\n"), np.uint8) - np.uint8(ord("0"))
    if not values.size or values.size % 784 or values.max() > 1:
        raise UsageError(f"{path}: expected rows of 784 numbers 0 or 1")
    return values.reshape(-1, 784)
