"""Where users and items lie in the space of codes.

Letters of shapes: N points, L latent.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vaehub import report
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.similar import single_item_rows
from vaehub_recommender.parts.item_item import ItemItemDecoder
from vaehub_recommender.report.findings import Floats, Map, Words
from vaehub_recommender.report.item_names import Kinds

USERS, ITEMS = 4000, 2000  # points that are drawn, at most
LEAST_VARIANCE = 1e-10  # codes that vary less than this say nothing


def has_codes(fitted: Fitted) -> bool:
    """Whether the model ranks by codes: a linear part alone does not."""
    decoder = fitted.run.vae.decoder
    return not (isinstance(decoder, ItemItemDecoder) and decoder.is_linear)


def map_of_users(fitted: Fitted, kinds: Kinds | None) -> Map | None:
    """Users, a random few thousand where there are more."""
    at = np.sort(np.random.default_rng(0).permutation(len(fitted.users))[:USERS])
    matrix = fitted.log.matrix[at]
    plane = principal_plane(fitted.ranker.codes(matrix, None if fitted.side is None else fitted.side[torch.from_numpy(at)]))
    tastes = None if kinds is None else kinds.of_users(matrix, fitted.log.matrix)
    return None if plane is None else Map(*plane, np.diff(matrix.indptr).astype(float), tastes, order_of(kinds))


@torch.inference_mode()
def map_of_items(fitted: Fitted, names: Words, kinds: Kinds | None) -> Map | None:
    """The most popular items, each where a user would be who has nothing else."""
    counts = np.bincount(fitted.log.matrix.indices, minlength=len(fitted.items))
    at = np.argsort(-counts, kind="stable")[:ITEMS]
    plane = principal_plane(fitted.ranker.codes(single_item_rows(at, len(fitted.items))))
    words = None if kinds is None else kinds.of_items()[at]
    return None if plane is None else Map(*plane, counts[at].astype(float), words, order_of(kinds), names[at])


def order_of(kinds: Kinds | None) -> tuple[str, ...]:
    """The same for users and items, so that a kind has one colour."""
    return () if kinds is None else kinds.words


def principal_plane(codes: Tensor) -> tuple[Floats, float] | None:
    """Codes (N, L) on their two greatest principal components (N, 2), and the share of variance there; None where they hardly vary."""
    z = codes.double().cpu().numpy()
    if min(z.shape) < 2 or not np.isfinite(z).all() or z.var(0).sum() < LEAST_VARIANCE:
        return None
    points, parts = report.plane(z)
    return points, float(parts.sum())
