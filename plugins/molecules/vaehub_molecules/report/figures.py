"""Figures of molecules for the page that every run has."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.image import imread

from vaehub import TrainedModel
from vaehub_molecules.chem.drawing import grid
from vaehub_molecules.report.gather import drawn, rows_of, unseen
from vaehub_molecules.use.codec import Codec
from vaehub_molecules.use.reconstruct import reconstruct

SAMPLES, PAIRS = 15, 8


def figures(run: TrainedModel) -> Mapping[str, Figure]:
    """New molecules, and unseen ones beside what comes back of them."""
    codec = Codec(run)
    test = unseen(codec)
    out = {"New molecules": drawing([smiles for smiles in drawn(codec, test)[1] if smiles][:SAMPLES], (), 5)}
    if test:
        frame = reconstruct(codec, test[:PAIRS])
        both = [smiles for row in rows_of(frame) for smiles in (row.smiles, row.returned)]
        words = [word for row in rows_of(frame) for word in ("given", "exact" if row.exact else f"Tanimoto {row.similarity:.2f}")]
        out["Unseen molecules and what comes back"] = drawing(both, words, 4)
    return out


def drawing(smiles: Sequence[str], legends: Sequence[str], columns: int) -> Figure:
    """A grid of molecules as a figure."""
    pixels = imread(io.BytesIO(grid(smiles, legends, columns)), format="png")
    figure = Figure(figsize=(pixels.shape[1] / 130, pixels.shape[0] / 130), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(pixels)
    axes.set_axis_off()
    return figure
