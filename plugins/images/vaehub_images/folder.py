"""Any folder or zip of pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from vaehub import UsageError
from vaehub_images.decoding import PictureFormat
from vaehub_images.domain import Binarise, ImageDomain, ImageSplits, Levels
from vaehub_images.files import read_pictures, write_folder

Fraction: TypeAlias = Annotated[float, Field(gt=0, lt=0.5)]
Pixel: TypeAlias = Annotated[int, Field(ge=1, le=4096)]


class ImageFolder(ImageDomain):
    """Pictures (PNG, JPEG, BMP, GIF, WebP, TIFF) in a folder or zip, `path`; the first sub-folder, if all lie in one, names the class.

    `resize` crops the middle of each and scales it, to a square or to [height, width]; without it all must have one size.
    The splits depend on the pictures' content and `seed` alone; copies of a picture never end up in two of them.

    Arguments:
        path: A folder or zip of PNG and JPEG pictures.
        resize: Size that the middle of every picture is scaled to: a number for a square, or [height, width]; without it all must
            have one size.
        colour: Read pictures as grey values or as red, green and blue.
        binarise: grey leaves the values as they are; dynamic draws x ~ Bernoulli(grey value) anew for every training batch.
        levels: Integers 0 … levels - 1 for likelihoods over levels; 0: real numbers from 0 to 1.
        labels: Make the class, one-hot, the condition c of p(x|z,c).
        validation: Share of the pictures for validation.
        test: Share of the pictures for the test.
        seed: Seed of the splits.

    Raises:
        UsageError: names the picture that cannot be read or has another size; too few pictures to split.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_folder(torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8), Path(folder) / "noise")
        ...     domain = ImageFolder(path=folder, resize=4, colour="grey")
        ...     domain.codec.spec.shape, len(domain.data("train")), len(domain.data("val")), len(domain.data("test"))
        ((1, 4, 4), 16, 2, 2)
    """

    def __init__(
        self,
        *,
        path: str,
        resize: Pixel | tuple[Pixel, Pixel] | None = None,
        colour: Literal["grey", "rgb"] = "rgb",
        binarise: Binarise = "grey",
        levels: Levels = 0,
        labels: bool = False,
        validation: Fraction = 0.1,
        test: Fraction = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(binarise=binarise, levels=levels, labels=labels)
        self.path, self.channels, self.seed = Path(path), {"grey": 1, "rgb": 3}[colour], seed
        self.size = (resize, resize) if isinstance(resize, int) else resize
        self.shares = {"val": validation, "test": test}

    @staticmethod
    def example(folder: Path) -> dict[str, object]:
        """Options for a try: a few made-up pictures of two classes."""
        noise = torch.randint(256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        for name, pixels in zip(("one", "other"), noise.chunk(2), strict=True):
            write_folder(pixels, folder / name)
        return {"path": str(folder)}

    def load(self) -> ImageSplits:
        """Read, label and split the pictures."""
        form = PictureFormat(self.channels, self.size, resize=self.size is not None)
        pixels, names, depth = read_pictures(self.path, form, learn=True)
        classes = sorted(set(names or ()))
        labels = torch.tensor([classes.index(name) for name in names]) if names else None
        rows = split_by_content(pixels, self.shares, self.seed)
        if not all(len(index) for index in rows.values()):
            raise UsageError(
                f"{self.path}: {len(pixels)} pictures are too few to split into training, validation and test; add some"
            )
        splits = {split: (pixels[index], None if labels is None else labels[index]) for split, index in rows.items()}
        return ImageSplits(splits, classes, depth)


def split_by_content(pixels: Tensor, shares: dict[str, float], seed: int) -> dict[str, Tensor]:
    """Row numbers by split: distinct images in the order of their hash, cut at the shares, what remains for "train".

    Arguments:
        pixels: (N, C, H, W).
        shares: of each split but "train", of the distinct images.
        seed: key of the hash.

    Example:
        >>> pixels = torch.arange(10, dtype=torch.uint8).repeat(2).view(20, 1, 1, 1)  # each image twice
        >>> rows = split_by_content(pixels, {"test": 0.2}, seed=0)
        >>> sorted((rows["test"] % 10).tolist()) == sorted(2 * (rows["test"] % 10).unique().tolist())  # no copy elsewhere
        True
    """
    digests = [hashlib.blake2b(image.numpy().tobytes(), key=str(seed).encode(), digest_size=16).digest() for image in pixels]
    rank = {digest: place for place, digest in enumerate(sorted(set(digests)))}
    place = torch.tensor([rank[digest] for digest in digests])
    edges = [0]
    for share in shares.values():
        edges.append(edges[-1] + max(1, round(share * len(rank))))
    parts = {name: (place >= low) & (place < high) for name, low, high in zip(shares, edges, edges[1:], strict=False)}
    return {
        "train": (place >= edges[-1]).nonzero().squeeze(1),
        **{name: part.nonzero().squeeze(1) for name, part in parts.items()},
    }
