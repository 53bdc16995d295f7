"""How alike molecules are to one another and to others. Letters of shapes: N, M molecules, W bytes of packed bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaehub_molecules.chem.fingerprints import Floats, block_slices, tanimoto

Packed: TypeAlias = NDArray[np.uint8]


def nearest_similarity(prints: Packed, reference: Packed) -> float:
    """SNN: the mean over molecules (N, W) of the Tanimoto similarity to the most similar one of the reference (M, W)."""
    best = [np.max([block.max(1) for block in row], axis=0) for row in similarity_blocks(prints, reference)]
    return float(np.concatenate(best).mean())


def internal_diversity(prints: Packed) -> tuple[float, float]:
    """1 - mean_i mean_j T_ij and 1 - mean_i (mean_j T_ij²)^½ over all pairs of molecules (N, W), each with itself among them.

    "Optimizing distributions over molecular space" (Benhenda, 2017), arXiv:1708.08227.
    """
    sums = [sum(sums_of_powers(block) for block in row) for row in similarity_blocks(prints, prints)]
    first, second = np.concatenate(sums, axis=1) / len(prints)
    return float(1 - first.mean()), float(1 - np.sqrt(second).mean())


def sums_of_powers(block: Floats) -> NDArray[np.float64]:
    """Sums of T and T² over the columns of a block: (2, rows)."""
    return np.stack([block.sum(1, dtype=float), np.square(block).sum(1, dtype=float)])


def similarity_blocks(prints: Packed, reference: Packed) -> Iterator[Iterator[Floats]]:
    """Tanimoto similarities (N, M) in blocks: row by row, each from left to right."""
    for rows in block_slices(len(prints)):
        left = np.unpackbits(prints[rows], axis=1)
        yield (tanimoto(left, np.unpackbits(reference[part], axis=1)) for part in block_slices(len(reference)))


def cosine(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Σ a_k b_k / (|a| |b|) of counts; NaN where either has none."""
    if not a or not b:
        return float("nan")
    shared = sum(count * b.get(key, 0) for key, count in a.items())
    return float(shared / np.sqrt(float(squares(a)) * float(squares(b))))


def squares(counts: Mapping[str, int]) -> int:
    """Σ count²."""
    return sum(count * count for count in counts.values())
