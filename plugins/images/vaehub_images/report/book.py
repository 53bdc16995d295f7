"""The picture book of a run: what its latent space and its distributions look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub import Data, report, seeded
from vaehub_images.metrics import by_class, first_rows
from vaehub_images.pixels import to_bytes
from vaehub_images.report.sheets import Sheet

if TYPE_CHECKING:
    from vaehub import TrainedModel

CODES, GRID, STRIPS, STEPS, COLUMNS, DIMENSIONS, CLASSES = 5_000, 20, 6, 11, 12, 10, 20
EDGE = 0.02  # share of the mass left out at either end of a range of codes
Array = NDArray[Any]


def picture_book(run: TrainedModel) -> Sequence[report.Section]:
    """What the model makes of images, what it draws, and what its codes mean."""
    book = PictureBook(run)
    drawn = book.samples_by_class() if run.spec.cond else book.samples()
    return (
        report.Section("Images", [report.Beside([book.reconstructions(), drawn])]),
        report.Section(
            "What the codes mean",
            [report.Beside([book.manifold(), report.Column([book.interpolations(), book.traversals()])])],
        ),
    )


def sheet(
    title: str, caption: str, images: Tensor, columns: int, rows: Sequence[str] = (), column_names: Sequence[str] = ()
) -> report.Figure:
    """A sheet of images (N, C, H, W) as bytes for half of a screen's width."""
    return report.Figure(title, Sheet(images, columns, rows, column_names).draw, caption, caption, half=True)


@dataclass(frozen=True)
class Plane:
    """The plane of codes that is drawn: centre (L,), two directions (2, L), the share of the codes' variance along each."""

    centre: Array
    directions: Array
    shares: Array

    def points(self, codes: Array) -> Array:
        """Codes (N, L) as points (N, 2)."""
        return (codes - self.centre) @ self.directions.T

    def codes(self, points: Array) -> Array:
        """Points (N, 2) as codes (N, L)."""
        out: Array = self.centre + points @ self.directions
        return out


def plane_of(codes: Array) -> Plane:
    """All of a two-dimensional latent space, else the first two principal components of the codes."""
    if codes.shape[1] == 2:
        return Plane(np.zeros(2, codes.dtype), np.eye(2, dtype=codes.dtype), np.ones(2))
    centre = codes.mean(0)
    _, scales, directions = np.linalg.svd(codes - centre, full_matrices=False)
    padded = np.zeros((2, codes.shape[1]), codes.dtype)
    padded[: len(directions[:2])] = directions[:2]
    return Plane(centre, padded, (scales**2 / max((scales**2).sum(), 1e-30))[:2])


def quantile_grid(values: Array, count: int) -> Array:
    """`count` quantiles (count, D) of each column of values (N, D), evenly spaced in probability."""
    quantiles = np.asarray(np.quantile(values, np.linspace(EDGE, 1 - EDGE, count), axis=0))
    out: Array = quantiles.astype(values.dtype)
    return out


class PictureBook:
    """The figures of one run, which share its test images and their codes."""

    def __init__(self, run: TrainedModel) -> None:
        self.run = run
        self.data: Data = first_rows(run.data("test"), CODES)
        self.classes = list(run.codec.classes)

    @cached_property
    def codes(self) -> Array:
        """Mean codes (N, L) of test images."""
        return self.run.encode(self.data)

    @cached_property
    def plane(self) -> Plane:
        """The plane of codes that is drawn."""
        return plane_of(self.codes)

    @property
    def labels(self) -> Array | None:
        """Classes (N,) of the test images."""
        return None if self.data.labels is None else self.data.labels.numpy()

    def bytes(self, x: Array | Tensor) -> Tensor:
        """Images in the model's form as bytes."""
        return to_bytes(torch.as_tensor(x), self.run.spec.classes)

    def inputs(self, rows: Array | list[int]) -> Tensor:
        """Test images as bytes."""
        return self.bytes(self.data[torch.as_tensor(rows)].x)

    def condition(self, row: int) -> Tensor | None:
        """The condition (1, C) of a test image."""
        return self.data[torch.tensor([row])].cond

    def manifold(self) -> report.Figure:
        """Images decoded on a grid over the plane."""
        flat = self.codes.shape[1] == 2
        axes = quantile_grid(self._prior_draws() if flat else self.plane.points(self.codes), GRID if flat else COLUMNS)
        points = np.stack(np.meshgrid(axes[:, 0], axes[::-1, 1]), -1).reshape(-1, 2)
        row = 0
        images = self.run.decode(self.plane.codes(points), self.condition(row))
        over = (
            "the prior's quantiles in both latent dimensions"
            if flat
            else "quantiles of the codes on their first two principal components"
        )
        given = (
            f", all given class {self.classes[int(self.labels[row])]}" if self.run.spec.cond and self.labels is not None else ""
        )
        return sheet("Manifold", f"Decoded images on a grid over {over}{given}.", self.bytes(images), len(axes))

    def _prior_draws(self) -> Array:
        cond = self.condition(0)
        with seeded("manifold"), torch.no_grad():
            rows = None if cond is None else cond.expand(CODES, -1).to(self.run.device)
            return self.run.vae.sample(CODES, rows).cpu().numpy()

    def reconstructions(self) -> report.Figure:
        """Test images above what the model makes of them."""
        rows = np.arange(min(6 * COLUMNS, len(self.data)))
        pairs = [self.inputs(rows), self.bytes(self.run.reconstruct(first_rows(self.data, len(rows))))]
        bands = [side[band] for band in np.array_split(rows, -(-len(rows) // COLUMNS)) for side in pairs]
        whole = [band for band in bands if len(band) == min(COLUMNS, len(rows))]
        names = ["input", "output"] * (len(whole) // 2)
        return sheet(
            "Reconstructions",
            "Test images, and below each what its mean code decodes to.",
            torch.cat(whole),
            len(whole[0]),
            names,
        )

    def interpolations(self) -> report.Figure:
        """Straight lines in latent space from one test image to another."""
        strips = [self._strip(a, b) for a, b in self._pairs()]
        column_names = ["input", *[f"{t:.1f}" for t in np.linspace(0, 1, STEPS)], "input"]
        caption = (
            "Between the inputs at both ends: images decoded on the straight line from the code of one to that of the other."
        )
        return sheet("Interpolations", caption, torch.cat(strips), STEPS + 2, column_names=column_names)

    def _strip(self, a: int, b: int) -> Tensor:
        x, cond = self.data[torch.tensor([a, b])].x, self.condition(a)
        between = self.run.interpolate(x[:1], x[1:], STEPS, cond)
        return torch.cat([self.inputs([a]), self.bytes(between), self.inputs([b])])

    def _pairs(self) -> list[tuple[int, int]]:
        """Rows of test images, the first of each class and a later one: of its class if the model is given the class, else of another."""
        labels = self.labels if self.labels is not None else np.arange(len(self.data))
        starts = np.sort(np.unique(labels, return_index=True)[1])
        same = self.run.spec.cond > 0
        pairs = [(int(a), a + 1 + np.flatnonzero((labels[a + 1 :] == labels[a]) == same)) for a in starts]
        return [(a, int(later[0])) for a, later in pairs if len(later)][:STRIPS] or [(0, 0)]

    def samples(self) -> report.Figure:
        """Draws from the prior, decoded."""
        images = self.bytes(self.run.sample(COLUMNS * COLUMNS))
        return sheet("Samples", "Decoded draws from the prior, none chosen by hand.", images, COLUMNS)

    def samples_by_class(self) -> report.Figure:
        """Draws given each class, a row a class."""
        rows = by_class(self.run, COLUMNS)[: CLASSES * COLUMNS]
        images = self.bytes(self.run.sample(len(rows), cond=rows))
        caption = "Decoded draws from the prior, a row for every class that the model was given; none chosen by hand."
        return sheet("Samples by class", caption, images, COLUMNS, self.classes[:CLASSES])

    def traversals(self) -> report.Figure:
        """One latent dimension at a time moved through its range."""
        variances = self.codes.var(0)
        active = variances.argsort()[::-1][:DIMENSIONS]
        grid = np.repeat(self.codes[:1], len(active) * STEPS, 0)
        for place, dimension in enumerate(active):
            grid[place * STEPS : (place + 1) * STEPS, dimension] = quantile_grid(self.codes[:, dimension], STEPS)
        images = self.bytes(self.run.decode(grid, self.condition(0)))
        caption = (
            "The code of the first test image with one dimension at a time moved through the quantiles of all codes; "
            f"the {len(active)} dimensions with the most variance, largest first."
        )
        column_names = [f"{q:.0%}" for q in np.linspace(EDGE, 1 - EDGE, STEPS)]
        return sheet("Latent traversals", caption, images, STEPS, [f"z{d + 1}" for d in active], column_names)
