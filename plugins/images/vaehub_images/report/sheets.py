"""Sheets of images, with names of rows and columns at the edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from vaehub import report
from vaehub_images.files import tiled

GAP = 1  # pixels between images
LETTER_WIDTH, HEADER_HEIGHT = 0.075, 0.2  # inches: the width of a letter, the height of the line of heads


@final
@dataclass(frozen=True, eq=False)
class Sheet:
    """Images (N, C, H, W) as bytes in rows of `columns`; the paper between them lets the page show through."""

    images: Tensor
    columns: int
    row_names: Sequence[str] = ()
    column_names: Sequence[str] = ()

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The whole sheet (H, W, RGBA)."""
        colours = tiled(self.images, self.columns, GAP, 0)
        covered = tiled(torch.full_like(self.images[:, :1], 255), self.columns, GAP, 0)
        out: NDArray[np.uint8] = torch.cat([colours.expand(3, -1, -1), covered]).permute(1, 2, 0).numpy(force=True)
        return out

    def draw(self, canvas: report.Canvas) -> Figure:
        """The sheet as wide as the canvas; on a phone only as many heads as have room."""
        high, wide = self.pixels.shape[:2]
        left = LETTER_WIDTH * max(map(len, self.row_names), default=0) + (0.06 if self.row_names else 0.0)
        top = HEADER_HEIGHT if self.column_names else 0.02
        height = (canvas.width - left) * high / wide + top
        figure = canvas.figure(height, layout=None)
        axes = figure.add_axes((left / canvas.width, 0, 1 - left / canvas.width, 1 - top / height))
        axes.imshow(self.pixels, interpolation="none", aspect="auto")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, pad=2, top=False, bottom=False, labeltop=True, labelbottom=False, labelcolor="#1c2530")
        room = LETTER_WIDTH * max(map(len, self.column_names), default=0) + 0.06
        every = math.ceil(room * self.columns / (canvas.width - left))
        axes.set_xticks(centres(self.columns, wide)[: len(self.column_names)][::every], list(self.column_names)[::every])
        axes.set_yticks(centres(-(-len(self.images) // self.columns), high)[: len(self.row_names)], list(self.row_names))
        return figure


def centres(count: int, pixels: int) -> Any:
    """The middle of each of `count` images that share so many pixels."""
    size = (pixels + GAP) / count
    return np.arange(count) * size + (size - GAP) / 2 - 0.5
