"""The molecules on the way from one to another through latent space.

Letters of shapes: N points, L latent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaehub import UsageError
from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

POINTS_PER_STEP = 8  # points that are decoded for each molecule wanted: neighbouring points often decode to the same


def interpolate(space: LatentSpace, a: str, b: str, steps: int = 10) -> pd.DataFrame:
    """Different molecules in order on the great circle from one to another; a model with conditions gets those of the first.

    Arguments:
        space: of a trained model.
        a: the first molecule, canonical.
        b: the last.
        steps: molecules at most, both ends included.

    Returns:
        a frame of at (0 for the first, 1 for the last), smiles, to_first and to_last (count Tanimoto similarity to the ends).

    Raises:
        UsageError: for fewer than 2 steps, or a molecule that the model cannot read.

    >>> interpolate(space, "CCO", "CCN", steps=2).smiles.tolist()
    ['CCO', 'CCN']
    """
    if steps < 2:
        raise UsageError(f"steps: expected at least 2, got {steps}")
    at = np.linspace(0, 1, POINTS_PER_STEP * steps)
    ends = space.encode([a, b])
    cond = space.rows([a]).cond
    between = space.molecules(
        great_circle(ends[0], ends[1], torch.from_numpy(at).float()), cond=None if cond is None else cond.expand(len(at), -1)
    )
    found = dict.fromkeys((a, b), 0.0)
    found |= {smiles: float(place) for place, smiles in reversed(list(zip(at, between, strict=True))) if smiles}
    found |= {a: 0.0, b: 1.0}
    path = sorted(found, key=found.__getitem__)
    path = [path[i] for i in np.unique(np.linspace(0, len(path) - 1, min(steps, len(path))).round().astype(int))]
    similarities = tanimoto(fingerprints(path), fingerprints([a, b]))
    return pd.DataFrame(
        {"at": [found[s] for s in path], "smiles": path, "to_first": similarities[:, 0], "to_last": similarities[:, 1]}
    )


def great_circle(a: Tensor, b: Tensor, at: Tensor) -> Tensor:
    """Points (N, L) on the great circle from a (L,) to b (L,), their lengths between those of both.

    sin((1 - t) w) / sin w a + sin(t w) / sin w b of directions, w the angle between them: on a straight line the middle is nearer to the
    origin than codes are. "Sampling Generative Networks" (White, 2016), arXiv:1609.04468. A straight line where there is no circle.
    """
    lengths, at = torch.stack([a.norm(), b.norm()]), at[:, None]
    straight = (1 - at) * a + at * b
    cosine = float((a @ b / lengths.prod().clamp(min=1e-12)).clamp(-1, 1))
    angle = float(np.arccos(cosine))
    if np.sin(angle) < 1e-4 or not bool(lengths.all()):
        return straight
    path = (torch.sin((1 - at) * angle) * a / lengths[0] + torch.sin(at * angle) * b / lengths[1]) / np.sin(angle)
    out: Tensor = path * ((1 - at) * lengths[0] + at * lengths[1])
    return out
