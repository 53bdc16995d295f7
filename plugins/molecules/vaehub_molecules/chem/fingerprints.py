"""Circular fingerprints of many molecules, and how alike they are.

Letters of shapes: N, M molecules, D columns of a fingerprint, K neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import MolFromSmiles
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from scipy.sparse import csr_array

from vaehub_molecules.chem.rdkit_log import silence_rdkit

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]

COLUMNS = 256  # molecules on the right of a product at once
BLOCK = 4_096  # molecules on either side of a matrix of similarities that is held at once


def fingerprints(smiles: Sequence[str], radius: int = 2, size: int = 2048, counts: bool = True) -> Bytes:
    """How often every circular environment occurs, at most 255 times; 0 or 1 where not `counts`.

    "Extended-Connectivity Fingerprints" (Rogers & Hahn, 2010), doi:10.1021/ci100050t.

    Arguments:
        smiles: N molecules.
        radius: bonds around an atom; 2 is ECFP4.
        size: D, the columns that environments are folded to.
        counts: count the environments, or say only which occur.

    Returns:
        (N, D) bytes.

    Raises:
        ValueError: where RDKit cannot read a molecule.

    >>> fingerprints(["CCO", "CCN"]).shape
    (2, 2048)
    """
    generator = GetMorganGenerator(radius=radius, fpSize=size)
    write = generator.GetCountFingerprintAsNumPy if counts else generator.GetFingerprintAsNumPy
    out = np.zeros((len(smiles), size), dtype=np.uint8)
    for row, text in zip(out, smiles, strict=True):
        row[:] = np.minimum(write(parse_molecule(text)), 255)
    return out


def parse_molecule(smiles: str) -> Any:
    """The molecule of a SMILES. Raises ValueError where it is none."""
    silence_rdkit()
    mol = MolFromSmiles(smiles)
    if mol is None:
        raise ValueError(f"RDKit cannot read {smiles!r}")
    return mol


def tanimoto(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """Tanimoto similarity Σ min(a, b) / Σ max(a, b) of counts; of bits the share that both have of those that either has.

    Two fingerprints without any count are alike: 1. Since min(i, j) = Σ_t [i >= t][j >= t], the numerator is one product of binary
    matrices. "Graph kernels for chemical informatics" (Ralaivola et al., 2005), doi:10.1016/j.neunet.2005.07.009.

    Arguments:
        a: (N, D) counts or bits.
        b: (M, D) counts or bits.

    Returns:
        (N, M) similarities from 0 to 1.

    >>> tanimoto(fingerprints(["CCO"]), fingerprints(["CCO", "CCN"])).round(2).tolist()
    [[1.0, 0.33000001311302185]]
    """
    minima = sum_of_minima(a, b)
    maxima = a.sum(1, dtype=np.float32)[:, None] + b.sum(1, dtype=np.float32) - minima
    similarity: Floats = np.divide(minima, maxima, out=np.ones_like(minima), where=maxima > 0)
    return similarity


def sum_of_minima(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """Σ min(a, b) (N, M): products of sparse flags of a and dense ones of b, of which COLUMNS rows are held at once."""
    levels = int(max(a.max(initial=0), b.max(initial=0), 1))
    left, right = flags(a, levels), flags(b, levels)
    minima = np.empty((len(a), len(b)), dtype=np.float32)
    for start in range(0, len(b), COLUMNS):
        part = right[start : start + COLUMNS]
        filled = np.unique(part.indices)
        minima[:, start : start + COLUMNS] = left[:, filled] @ part[:, filled].toarray().T
    return minima


def flags(counts: NDArray[Any], levels: int) -> Any:
    """[count >= t] for t = 1 … `levels` of every column, as a sparse matrix of one number for each count that is there."""
    places = np.flatnonzero(counts.ravel() != 0)  # of flags in one row: three times as fast as nonzero
    rows, columns = np.divmod(places, counts.shape[1])
    times = counts.ravel()[places].astype(np.int64)
    ends = times.cumsum()
    steps = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - times, times)  # 0 … count - 1 for each
    filled = np.repeat(columns, times) + steps * counts.shape[1]
    starts = np.append(0, np.bincount(rows, times, len(counts)).cumsum()).astype(np.int64)
    return csr_array((np.ones(len(filled), dtype=np.float32), filled, starts), (len(counts), levels * counts.shape[1]))


def nearest(queries: NDArray[Any], reference: NDArray[Any], k: int = 1) -> tuple[Integers, Floats]:
    """The most similar molecules of a reference, best first.

    Arguments:
        queries: (N, D) fingerprints.
        reference: (M, D) fingerprints.
        k: K, how many of each.

    Returns:
        rows of the reference and Tanimoto similarities, (N, K) each.

    Raises:
        ValueError: unless 1 <= k <= M.

    >>> rows, alike = nearest(fingerprints(["CCCO"]), fingerprints(["CCO", "CCN"]))
    >>> rows.tolist(), alike.tolist()
    ([[0]], [[0.5]])
    """
    if not 1 <= k <= len(reference):
        raise ValueError(f"k={k} of {len(reference)} molecules")
    rows = np.zeros((len(queries), k), dtype=np.int64)
    similarity = np.zeros((len(queries), k), dtype=np.float32)
    for part in block_slices(len(queries)):
        rows[part], similarity[part] = nearest_in_blocks(queries[part], reference, k)
    return rows, similarity


def nearest_in_blocks(queries: NDArray[Any], reference: NDArray[Any], k: int) -> tuple[Integers, Floats]:
    """`nearest` for one block of queries: the best so far beside those of every block of the reference."""
    rows, similarity = np.empty((len(queries), 0), dtype=np.int64), np.empty((len(queries), 0), dtype=np.float32)
    for part in block_slices(len(reference)):
        block_similarity = tanimoto(queries, reference[part])
        block_rows = np.broadcast_to(np.arange(part.start, part.stop), block_similarity.shape)
        rows, similarity = top_k(np.hstack([rows, block_rows]), np.hstack([similarity, block_similarity]), k)
    return rows, similarity


def top_k(rows: Integers, similarity: Floats, k: int) -> tuple[Integers, Floats]:
    """The k most alike of each line, best first, of equals the earlier row."""
    bits = similarity.view(np.int32).astype(np.int64)  # those of positive floats are in their order
    order = rows - (bits << 32)  # no two are equal
    kept = np.argpartition(order, min(k, rows.shape[1]) - 1, axis=1)[:, :k]
    kept = np.take_along_axis(kept, np.argsort(np.take_along_axis(order, kept, 1), axis=1), 1)
    return np.take_along_axis(rows, kept, 1), np.take_along_axis(similarity, kept, 1)


def block_slices(rows: int) -> Iterator[slice]:
    """Rows in order, BLOCK at a time."""
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))
