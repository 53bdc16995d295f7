"""Fashion-MNIST, from files at hand or a checked download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from vaehub import UsageError, files
from vaehub_images.arrays import read_idx, write_idx
from vaehub_images.domain import Binarise, ImageDomain, ImageSplits, Levels
from vaehub_images.mnist import with_validation
from vaehub_images.rows import rows_from

CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
MAX_BYTES = 1 << 25  # of one file; the largest has 26 MB
SHA256 = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


class FashionMNIST(ImageDomain):
    """Articles of clothing, 28 x 28: 60,000 training images, the last `validation` of them held out, and 10,000 for the test.

    "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms" (Xiao et al., 2017), arXiv:1708.07747.
    `path` is a folder with its four IDX files, plain or .gz; `download: true` fetches them there and checks their SHA-256.

    Arguments:
        path: A folder with the four IDX files, plain or .gz.
        download: Fetch the files into `path` and check their SHA-256.
        binarise: grey leaves the values as they are; dynamic draws x ~ Bernoulli(grey value) anew for every training batch.
        levels: Integers 0 … levels - 1 for likelihoods over levels; 0: real numbers from 0 to 1.
        labels: Make the class, one-hot, the condition c of p(x|z,c).
        validation: Images held out from the end of the training images.

    Raises:
        UsageError: names the file that is absent or damaged.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     domain = FashionMNIST(**FashionMNIST.example(Path(folder)))  # made-up images in the files of the data set
        ...     len(domain.data("train")), domain.codec.classes[:2]
        (30, ('T-shirt', 'trouser'))
    """

    def __init__(
        self,
        *,
        path: str,
        download: bool = False,
        binarise: Binarise = "grey",
        levels: Levels = 0,
        labels: bool = False,
        validation: Annotated[int, Field(ge=1, le=59_999)] = 10_000,
    ) -> None:
        super().__init__(binarise=binarise, levels=levels, labels=labels)
        self.folder, self.download, self.validation = Path(path), download, validation

    @staticmethod
    def example(folder: Path) -> dict[str, object]:
        """Options for a try: a few made-up images in the files of the data set."""
        noise = np.random.default_rng(0)
        for prefix in ("train", "t10k"):
            write_idx(folder / f"{prefix}-images-idx3-ubyte", noise.integers(0, 256, (40, 28, 28), np.uint8))
            write_idx(folder / f"{prefix}-labels-idx1-ubyte", np.arange(40, dtype=np.uint8) % len(CLASSES))
        return {"path": str(folder), "validation": 10}

    def load(self) -> ImageSplits:
        """Read the four files, fetched first if the user asked for it."""
        train, test = self._part("train"), self._part("t10k")
        return ImageSplits({**with_validation(*train, self.validation), "test": test}, CLASSES)

    def _part(self, prefix: str) -> tuple[Tensor, Tensor]:
        images, labels = self._file(f"{prefix}-images-idx3-ubyte"), self._file(f"{prefix}-labels-idx1-ubyte")
        pixels = rows_from(read_idx(images)[0], (1, 28, 28), 0, str(images))
        classes = torch.from_numpy(read_idx(labels)[0].copy()).long()
        if classes.shape != (len(pixels),) or int(classes.max()) >= len(CLASSES):
            raise UsageError(f"{labels}: expected {len(pixels)} labels 0..9 for the images in {images.name}")
        return pixels, classes

    def _file(self, name: str) -> Path:
        if self.download:
            remedy = "fetch the file yourself and set domain.download=false"
            return files.download(f"{URL}{name}.gz", SHA256[f"{name}.gz"], MAX_BYTES, remedy, self.folder)
        for path in (self.folder / name, self.folder / f"{name}.gz"):
            if path.is_file():
                return path
        raise UsageError(
            f"{self.folder / name}: no such file (nor .gz); set domain.path to a folder that has it, or domain.download=true"
        )
