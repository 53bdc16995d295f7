"""The latent map: points by kind, or by how much there is of them, with names where there is room."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from vaehub import report
from vaehub_recommender.report.findings import Map

LABELS = 30  # names of the most popular items that are tried
AXES = ("first principal component of the codes", "second")


def map_figure(shown: Map, amount: str, canvas: report.Canvas) -> Figure:
    """Points by kind where it is known, else by `amount`."""
    size = None if shown.names is None else 5 + 40 * shown.amount / shown.amount.max()
    if shown.kinds is None:
        values = shown.amount.clip(1)
        return report.cloud(
            report.Cloud(shown.points, AXES, values=values, value=amount, logarithmic=True, sizes=size, words=words(shown)),
            canvas,
        )
    place = {kind: at for at, kind in enumerate(shown.order)}
    kinds = np.array([place.get(kind, -1) for kind in shown.kinds])
    return report.cloud(report.Cloud(shown.points, AXES, kinds, shown.order, sizes=size, words=words(shown)), canvas)


def words(shown: Map) -> list[tuple[float, float, str]]:
    """The names of the most popular points."""
    if shown.names is None:
        return []
    first = np.argsort(-shown.amount, kind="stable")[:LABELS]
    return [(*shown.points[at].tolist(), str(shown.names[at])) for at in first]
