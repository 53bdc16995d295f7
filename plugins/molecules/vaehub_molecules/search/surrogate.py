"""A Gaussian process on fingerprints: what a few thousand calls say of a molecule that was not called.

Letters of shapes: N molecules that were called, M candidates, D columns of a fingerprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from vaehub_molecules.chem.fingerprints import tanimoto
from vaehub_molecules.search.buffer import Floats

NOISES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)  # variance of the noise over that of the function
SUBSET = 500  # points by which the noise is chosen
Counts = NDArray[np.uint8]
Singles = NDArray[np.float32]


@final
@dataclass(frozen=True)
class Surrogate:
    """f ~ GP(m, s² k) with Tanimoto kernel k, y = f + noise; m is the mean of y, s² and the noise maximise the marginal likelihood.

    "Gaussian Process Molecule Property Prediction with FlowMO" (Moss & Griffiths, 2020), arXiv:2010.01118.
    """

    rows: Counts  # (N, D)
    weights: Singles  # (N,) (K + noise I)^-1 (y - m)
    lower: Singles  # (N, N) Cholesky factor of K + noise I
    mean: float
    scale: float  # s
    noise: float

    def predict(self, candidates: Counts) -> tuple[Floats, Floats]:
        """Posterior mean and standard deviation of f, (M,) each, in the units of y."""
        kernel = tanimoto(candidates, self.rows)
        mean = self.mean + (kernel @ self.weights).astype(np.float64)
        half = solve_triangular(self.lower, kernel.T, lower=True, check_finite=False)
        explained = np.einsum("nm,nm->m", half, half)
        return mean, self.scale * np.sqrt(np.maximum(1.0 - explained, 1e-9)).astype(np.float64)


def fit(rows: Counts, y: Floats) -> Surrogate:
    """The process of molecules that were called.

    Arguments:
        rows: (N, D) count fingerprints.
        y: (N,) values.

    >>> from vaehub_molecules.chem.fingerprints import fingerprints
    >>> surrogate = fit(fingerprints(["CCO", "CCN", "CCC", "CCCl"]), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> mean, deviation = surrogate.predict(fingerprints(["CCO"]))
    >>> mean.round(1).tolist(), deviation.round(1).tolist()
    ([1.9], [0.6])
    """
    kernel = tanimoto(rows, rows).astype(np.float64)
    centred = y - y.mean()
    noise = best_noise(kernel, centred)
    lower, weights, _ = solve(kernel, centred, noise)
    scale = float(np.sqrt(max(centred @ weights / len(y), 1e-12)))
    return Surrogate(rows, weights.astype(np.float32), lower.astype(np.float32), float(y.mean()), scale, noise)


def best_noise(kernel: Floats, y: Floats) -> float:
    """The noise of the grid with most evidence, on evenly spaced points: -n/2 log(yᵀ(K + noise I)⁻¹y) - 1/2 log|K + noise I|."""
    some = np.unique(np.linspace(0, len(y) - 1, min(len(y), SUBSET)).astype(int))
    kernel, y = kernel[np.ix_(some, some)], y[some]
    return max(NOISES, key=lambda noise: evidence(kernel, y, noise))


def evidence(kernel: Floats, y: Floats, noise: float) -> float:
    """Log marginal likelihood with the scale at its maximum, up to a constant."""
    _, weights, logdet = solve(kernel, y, noise)
    return float(-len(y) / 2 * np.log(max(float(y @ weights), 1e-300)) - logdet / 2)


def solve(kernel: Floats, y: Floats, noise: float) -> tuple[Floats, Floats, float]:
    """(Cholesky factor, (K + noise I)⁻¹ y, log|K + noise I|)."""
    factor: Any = cho_factor(kernel + noise * np.eye(len(y)), lower=True, check_finite=False)
    lower = np.tril(factor[0])
    return lower, cho_solve(factor, y, check_finite=False), float(2 * np.log(np.diag(lower)).sum())
