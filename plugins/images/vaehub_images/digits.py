"""The small digits of scikit-learn: a data set for trying things out in seconds."""

from __future__ import annotations

import torch

from vaehub_images.domain import Binarise, ImageDomain, ImageSplits, Levels

TEST, VALIDATION = 300, 200


class Digits(ImageDomain):
    """1,797 handwritten digits, 8 x 8, of scikit-learn: 1,297 for training, 200 for validation, 300 for the test.

    "Optical Recognition of Handwritten Digits" (Alpaydin & Kaynak, 1998), doi:10.24432/C50P49.

    Arguments:
        binarise: grey leaves the values as they are; dynamic draws x ~ Bernoulli(grey value) anew for every training batch.
        levels: Integers 0 … levels - 1 for likelihoods over levels; 0: real numbers from 0 to 1.
        labels: Make the class, one-hot, the condition c of p(x|z,c).

    Raises:
        UsageError: levels with binarised pixels.

    Example:
        >>> domain = Digits(levels=16)
        >>> batch = domain.data("val")[torch.arange(200)]
        >>> batch.x.shape, batch.x.max().item()
        (torch.Size([200, 1, 8, 8]), 15)
    """

    def __init__(self, *, binarise: Binarise = "grey", levels: Levels = 0, labels: bool = False) -> None:
        super().__init__(binarise=binarise, levels=levels, labels=labels)

    def load(self) -> ImageSplits:
        """Read the images and split them by a fixed permutation; grey values 0 … 16 become bytes."""
        from sklearn.datasets import load_digits  # its import takes as long as torch's, and a trained model needs no rows

        images, labels = load_digits().images, torch.from_numpy(load_digits().target).long()
        pixels = torch.from_numpy(images * (255 / 16)).round().to(torch.uint8).unsqueeze(1)
        order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
        parts = order.split([len(order) - VALIDATION - TEST, VALIDATION, TEST])
        rows = dict(zip(("train", "val", "test"), parts, strict=True))
        return ImageSplits({split: (pixels[index], labels[index]) for split, index in rows.items()}, tuple("0123456789"))
