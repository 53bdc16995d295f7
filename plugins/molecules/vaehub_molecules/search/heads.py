"""What an ascent climbs: the model's own property heads, or heads that are fitted to the calls so far.

Letters of shapes: N molecules, L latent, T symbols, V vocabulary, P properties.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from vaehub_molecules.search.buffer import Floats

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

RIDGE = 0.1  # variance of the noise over that of the function


class AscentHeads(ABC):
    """Predictions in units of their own deviation, differentiable."""

    @abstractmethod
    def of_codes(self, z: Tensor) -> Tensor:
        """(N, P) of codes (N, L)."""

    @abstractmethod
    def of_strings(self, soft: Tensor) -> Tensor:
        """(N, P) of soft strings (N, T, V)."""


@final
@dataclass(frozen=True)
class OwnHeads(AscentHeads):
    """Heads that the model was trained with, in units of their deviation over the prior."""

    space: LatentSpace
    columns: Sequence[int]  # of its properties
    scale: Tensor  # (P,)

    @classmethod
    def of(cls, space: LatentSpace, columns: Sequence[int], seed: int) -> OwnHeads:
        """Those of some properties."""
        codes = space.prior(256, seed, rereads=0).to(space.run.device)
        return cls(space, columns, space.predict(codes)[:, columns].std(0).clamp(min=1e-6).detach())

    def of_codes(self, z: Tensor) -> Tensor:
        """(N, P) of codes."""
        return self.space.predict(z)[:, self.columns] / self.scale

    def of_strings(self, soft: Tensor) -> Tensor:
        """(N, P) of soft strings."""
        return self.space.predict_relaxed(soft)[:, self.columns] / self.scale


@final
@dataclass(frozen=True)
class FittedHeads(AscentHeads):
    """Kernel ridge regression of scores: exp(-|z - z'|² / 2 l²) on codes, l their median distance, and linear in how often symbols occur."""

    codes: Tensor  # (N, L) of molecules that were called
    weights: Tensor  # (N,)
    length: Tensor  # l
    usual: Tensor  # (V,) mean count of each symbol
    slopes: Tensor  # (V,)

    @classmethod
    def of(cls, space: LatentSpace, smiles: Sequence[str], scores: Floats) -> FittedHeads:
        """Heads for scores (N,) of molecules (N) that the model can read."""
        device = space.run.device
        y = torch.from_numpy((scores - scores.mean()) / max(float(scores.std()), 1e-9)).float().to(device)
        codes, counts = space.encode(smiles).to(device), space.symbol_counts(smiles).to(device)
        distances = torch.cdist(codes, codes)
        length = distances.median().clamp(min=1e-6)
        usual, scale = counts.mean(0), counts.std(0, correction=0).clamp(min=1e-3)
        features = (counts - usual) / scale / counts.shape[1] ** 0.5
        slopes = features.T @ ridge_weights(features @ features.T, y) / scale / counts.shape[1] ** 0.5
        return cls(codes, ridge_weights(gaussian(distances, length), y), length, usual, slopes)

    def of_codes(self, z: Tensor) -> Tensor:
        """(N, 1) of codes."""
        return (gaussian(torch.cdist(z, self.codes), self.length) @ self.weights)[:, None]

    def of_strings(self, soft: Tensor) -> Tensor:
        """(N, 1) of soft strings."""
        return ((soft.sum(1) - self.usual) @ self.slopes)[:, None]


def gaussian(distances: Tensor, length: Tensor) -> Tensor:
    """exp(-d² / 2 l²)."""
    return (-((distances / length) ** 2) / 2).exp()


def ridge_weights(kernel: Tensor, y: Tensor) -> Tensor:
    """(K + RIDGE I)⁻¹ y."""
    weights: Tensor = torch.linalg.solve(kernel + RIDGE * torch.eye(len(y), device=y.device), y)
    return weights


def head_columns(space: LatentSpace, names: Sequence[str]) -> list[int]:
    """Where the model's own heads predict these objectives; [] where it lacks one."""
    heads = list(space.property_names)
    return [heads.index(name) for name in names] if set(names) <= set(heads) else []
