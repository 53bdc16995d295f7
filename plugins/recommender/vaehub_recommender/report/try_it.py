"""A box on the page that recommends offline: the linear part of a model, packed into it, and a script that adds up its rows.

Letters of shapes: I items, n weights that are kept.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub import report
from vaehub_recommender.parts.linear_part import LinearPart
from vaehub_recommender.report.findings import Floats, Words

if TYPE_CHECKING:
    from vaehub_recommender.recommender import Recommender

MOST_ITEMS = 5_000
MOST_WEIGHTS = 300_000  # of 4 bytes each: at most 1.6 MB of text on the page
LIST, USERS = 10, 50  # places that are shown; known users by whom the box is compared with the model
LONGEST_NAME = 120


@final
@dataclass(frozen=True)
class TryIt:
    """What the box holds.

    Arguments:
        names: (I,) of the items, all different.
        starts: (I + 1,) where the weights of each row begin.
        columns: (n,) of the weights.
        values: (n,) the weights in units of `scale`, -32767 … 32767.
        scale: of the values.
        share: n among all weights that are not 0.
        agreement: of the first places that the model gives known users, the share that the box gives them too.
    """

    names: tuple[str, ...]
    starts: NDArray[np.uint32]
    columns: NDArray[np.uint16]
    values: NDArray[np.int16]
    scale: float
    share: float
    agreement: float

    @property
    def packed(self) -> str:
        """The weights, deflated, in base64."""
        raw = self.starts.astype("<u4").tobytes() + self.values.astype("<i2").tobytes() + self.columns.astype("<u2").tobytes()
        return base64.b64encode(zlib.compress(raw, 9)).decode()

    def scores(self, history: Sequence[int]) -> Floats:
        """What the page computes for a history of positions: (I,)."""
        found = np.zeros(len(self.names))
        for at in history:
            cells = slice(self.starts[at], self.starts[at + 1])
            np.add.at(found, self.columns[cells], self.values[cells])
        return found * self.scale


def try_it(recommender: Recommender, names: Words) -> TryIt | None:
    """The box of a model; None where it has no linear part, or too many items."""
    decoder = recommender.fitted.run.vae.decoder
    if not isinstance(decoder, LinearPart) or not 1 < len(names) <= MOST_ITEMS:
        return None
    box = boxed(decoder.all_linear_weights(), unique(names))
    return TryIt(box.names, box.starts, box.columns, box.values, box.scale, box.share, agreement(recommender, box))


def boxed(weights: Tensor, names: tuple[str, ...]) -> TryIt:
    """The greatest of the weights (I, I) by amount, as many as fit."""
    dense = weights.double().cpu()
    size, nonzero = dense.abs(), int((dense != 0).sum())
    least = torch.topk(size.flatten(), min(MOST_WEIGHTS, max(nonzero, 1))).values[-1]
    scale = max(float(size.max()), 1e-12) / 32767
    kept = (size >= least) & (torch.round(dense / scale) != 0)
    row, column = (at[:MOST_WEIGHTS].numpy() for at in torch.nonzero(kept, as_tuple=True))
    starts = np.searchsorted(row, np.arange(len(names) + 1)).astype(np.uint32)
    values = np.rint(dense[row, column].numpy() / scale).astype(np.int16)
    return TryIt(names, starts, column.astype(np.uint16), values, scale, len(row) / max(nonzero, 1), float("nan"))


def unique(names: Words) -> tuple[str, ...]:
    """Names that are told apart without regard to case: those that are there twice get the number of their place."""
    short = [str(name)[:LONGEST_NAME] for name in names]
    times = Counter(name.lower() for name in short)
    return tuple(name if times[name.lower()] == 1 else f"{name} [{at}]" for at, name in enumerate(short))


def agreement(recommender: Recommender, box: TryIt) -> float:
    """The share of the model's first places that the box has too, over known users."""
    fitted = recommender.fitted
    at = np.flatnonzero(np.diff(fitted.log.matrix.indptr))
    at = at[np.linspace(0, len(at) - 1, min(USERS, len(at))).astype(int)]
    histories = [fitted.log.matrix[[row]].indices for row in at]
    lists = recommender.recommend([fitted.log.items.take(own).tolist() for own in histories], k=LIST)
    shares = []
    for _, rows in lists.groupby("user", sort=False):
        own = histories[int(rows["user"].iloc[0])]
        scores = box.scores(own.tolist())
        scores[own] = -np.inf
        first = np.argsort(-scores, kind="stable")[: len(rows)]
        shares.append(len(np.intersect1d(first, fitted.items.positions(rows["item"]))) / len(rows))
    return float(np.mean(shares)) if shares else float("nan")


def widget(box: TryIt, whole: bool) -> report.Widget:
    """The box as a part of the page; `whole`: the model is nothing but its linear part."""
    here = files(__package__)
    part = "the model" if whole else "the linear part of the model alone, without its network,"
    held = "all weights" if box.share > 0.999 else f"the {box.share:.0%} of the weights that are greatest"
    note = (
        f"Type what somebody has; the page itself, offline, adds up {part} for it, from {held} ({len(box.packed) / 1e6:.2f} MB). For known users, "
        f"{box.agreement:.0%} of the first {LIST} places are those of the whole model."
    )
    data = {"names": list(box.names), "weights": box.packed, "scale": box.scale, "k": LIST}
    markup, script = (here.joinpath(f"try_it.{kind}").read_text(encoding="utf-8") for kind in ("html", "js"))
    return report.Widget("Recommend for a history", markup, script, data, note)
