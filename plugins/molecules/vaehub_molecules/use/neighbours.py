"""The molecules most like others: by their codes, and by their fingerprints.

Letters of shapes: N queries, M molecules to search, K neighbours, L latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_molecules.chem.fingerprints import BLOCK, fingerprints, nearest_in_blocks, top_k

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

Nearest: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows and values (N, K), nearest first


def neighbours(space: LatentSpace, queries: Sequence[str], among: Sequence[str], k: int = 10) -> pd.DataFrame:
    """The nearest molecules to each of others, itself left out: by code, and by fingerprint.

    Arguments:
        space: of a trained model.
        queries: N canonical molecules.
        among: molecules to search; those that the model cannot read are left out.
        k: K, how many of each.

    Returns:
        a frame of query, by, rank, smiles and value: by "code" the Euclidean distance of the means of q(z|x), by "fingerprint" the count
        Tanimoto similarity of ECFP4.

    Raises:
        UsageError: where there is nothing to search, or the model cannot read a query.

    >>> neighbours(space, ["CCO"], ["CCO", "CCN"], k=1)[["by", "smiles"]].to_numpy().tolist()
    [['code', 'CCN'], ['fingerprint', 'CCN']]
    """
    readable = [smiles for smiles in among if space.can_read(smiles)]
    if not readable:
        raise UsageError("neighbours: there is no molecule to search that this model can read; give a file of others")
    most = min(k + 1, len(readable))
    found = {"code": by_code(space, queries, readable, most), "fingerprint": by_fingerprint(queries, readable, most)}
    return pd.concat([neighbour_table(queries, readable, by, nearest, k) for by, nearest in found.items()], ignore_index=True)


def by_code(space: LatentSpace, queries: Sequence[str], among: Sequence[str], k: int) -> Nearest:
    """Rows of `among` with the nearest codes, and their distances."""
    exactly = "donot_use_mm_for_euclid_dist"  # products of matrices round near distances away
    distance, rows = torch.cdist(space.encode(queries), space.encode(among), compute_mode=exactly).sort(stable=True)
    return rows[:, :k].numpy(), distance[:, :k].numpy()


def by_fingerprint(queries: Sequence[str], among: Sequence[str], k: int) -> Nearest:
    """Rows of `among` with the most similar fingerprints, and their similarities; no more than a block of fingerprints is held at once."""
    query_prints = fingerprints(queries)
    rows, similarities = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    for start in range(0, len(among), BLOCK):
        part = among[start : start + BLOCK]
        block_rows, value = nearest_in_blocks(query_prints, fingerprints(part), min(k, len(part)))
        rows, similarities = top_k(np.hstack([rows, block_rows + start]), np.hstack([similarities, value]), k)
    return rows, similarities


def neighbour_table(queries: Sequence[str], among: Sequence[str], by: str, found: Nearest, k: int) -> pd.DataFrame:
    """A line for each neighbour."""
    lines: list[dict[str, Any]] = []
    for query, rows, values in zip(queries, *found, strict=True):
        others = [(among[row], float(value)) for row, value in zip(rows, values, strict=True) if among[row] != query][:k]
        lines += [{"query": query, "by": by, "rank": i, "smiles": s, "value": v} for i, (s, v) in enumerate(others, 1)]
    return pd.DataFrame(lines, columns=["query", "by", "rank", "smiles", "value"])
