"""How alike molecules are to one another and to others. Letters of shapes: N, M molecules, W bytes of packed bits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaehub_molecules.chem.fingerprints import Floats, block_slices, tanimoto

Packed: TypeAlias = NDArray[np.uint8]


def nearest_similarity(prints: Packed, reference: Packed) -> float:
    """SNN: the mean over molecules of the Tanimoto similarity to the most similar one of the reference.

    Arguments:
        prints: (N, W) packed bits of molecules.
        reference: (M, W) packed bits of those that they are compared with.

    >>> both = np.packbits([[1, 1, 0], [0, 1, 1]], axis=1)
    >>> nearest_similarity(both[:1], both), round(nearest_similarity(both[:1], both[1:]), 3)
    (1.0, 0.333)
    """
    best = [np.max([block.max(1) for block in row], axis=0) for row in similarity_blocks(prints, reference)]
    return float(np.concatenate(best).mean())


def internal_diversity(prints: Packed) -> tuple[float, float]:
    """1 - mean_i mean_j T_ij and 1 - mean_i (mean_j T_ij²)^½ over all pairs of molecules, each with itself among them.

    "Optimizing distributions over molecular space" (Benhenda, 2017), arXiv:1708.08227.

    Arguments:
        prints: (N, W) packed bits of molecules.

    >>> internal_diversity(np.packbits([[1, 1, 0], [0, 0, 1]], axis=1))[0]
    0.5
    """
    first, second = [], []  # sums over j of T_ij and of T_ij²
    for row in similarity_blocks(prints, prints):
        sums = [(block.sum(1, dtype=float), np.square(block).sum(1, dtype=float)) for block in row]
        first.append(np.sum([sum_t for sum_t, _ in sums], axis=0))
        second.append(np.sum([sum_t2 for _, sum_t2 in sums], axis=0))
    n = len(prints)
    return float(1 - (np.concatenate(first) / n).mean()), float(1 - np.sqrt(np.concatenate(second) / n).mean())


def similarity_blocks(prints: Packed, reference: Packed) -> Iterator[Iterator[Floats]]:
    """Tanimoto similarities (N, M) in blocks: row by row, each from left to right."""
    for rows in block_slices(len(prints)):
        left = np.unpackbits(prints[rows], axis=1)
        yield (tanimoto(left, np.unpackbits(reference[part], axis=1)) for part in block_slices(len(reference)))


def cosine(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Σ a_k b_k / (|a| |b|) of counts; NaN where either has none.

    >>> cosine({"a": 3, "b": 4}, {"b": 2})
    0.8
    """
    if not a or not b:
        return float("nan")
    shared = sum(count * b.get(key, 0) for key, count in a.items())
    return shared / (math.hypot(*a.values()) * math.hypot(*b.values()))
