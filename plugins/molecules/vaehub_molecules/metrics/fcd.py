"""The Fréchet distance between sets of molecules, as a network that predicts bioactivities sees them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

BATCH = 256
LENGTH = 350  # symbols, as ChemNet was trained


class Moments(NamedTuple):
    """Mean (F,) and covariance (F, F) of the activations of molecules."""

    mean: NDArray[Any]
    covariance: NDArray[Any]


def moments(smiles: Sequence[str]) -> Moments | None:
    """Moments of the last hidden layer of ChemNet over canonical SMILES; None for fewer than two, or where fcd_torch is not installed."""
    if find_spec("fcd_torch") is None:
        warnings.warn("FCD is left out: it needs fcd_torch; pip install 'vaehub-molecules[metrics]'", UserWarning, stacklevel=2)
        return None
    if len(smiles) < 2:
        return None
    seen = activations(smiles)
    return Moments(seen.mean(0), np.cov(seen.T))


def activations(smiles: Sequence[str]) -> NDArray[Any]:
    """The last hidden layer of ChemNet (N, F); each distinct molecule is run once."""
    distinct, where = np.unique(np.array(smiles), return_inverse=True)
    with torch.inference_mode():
        rows = [chemnet()(one_hot(distinct[start : start + BATCH])) for start in range(0, len(distinct), BATCH)]
    return np.asarray(torch.cat(rows).numpy()[where])


def one_hot(smiles: Iterable[str]) -> torch.Tensor:
    """One-hot symbols (B, symbols, LENGTH), scaled as fcd_torch scales them."""
    from fcd_torch.utils import get_one_hot  # type: ignore[import-untyped]

    symbols = np.stack([get_one_hot(str(text), LENGTH) for text in smiles])
    return torch.from_numpy(symbols / symbols.shape[2]).float().transpose(1, 2)


@cache
def chemnet() -> torch.nn.Module:
    """The network, once per process."""
    from fcd_torch import FCD  # type: ignore[import-untyped]

    network: torch.nn.Module = FCD(device="cpu").model
    return network


def frechet(a: Moments | None, b: Moments | None) -> float:
    """|μ_a - μ_b|² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½); NaN where either has no moments.

    "Fréchet ChemNet Distance" (Preuer et al., 2018), doi:10.1021/acs.jcim.8b00234. The trace of the root is the sum of the square roots
    of the eigenvalues of Σ_a^½ Σ_b Σ_a^½, which is symmetric.

    >>> frechet(Moments(np.array([1.0, 0.0]), np.eye(2)), Moments(np.zeros(2), 4 * np.eye(2)))
    3.0
    """
    if a is None or b is None:
        return float("nan")
    root = square_root(a.covariance)
    shared = np.sqrt(np.linalg.eigvalsh(root @ b.covariance @ root).clip(min=0)).sum()
    apart = np.square(a.mean.astype(float) - b.mean).sum()
    return float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared)


def square_root(matrix: NDArray[Any]) -> NDArray[Any]:
    """The symmetric root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)
