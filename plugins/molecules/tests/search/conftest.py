"""A stand-in for a trained model: fast, deterministic, and wrong in the ways that a model is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical
from vaehub_molecules.chem.fingerprints import fingerprints
from vaehub_molecules.chem.policy import Policy

LATENT = 8
HEADS = ["C", "CC", "CCC", "CO", "OCC", "NC", "N", "O", "F", "Cl", "Br", "CS", "OC", "FC(F)(F)", "N#C", "CC(=O)N", "CNC(=O)"]
CORES = ["c1ccc({})cc1", "c1ccnc({})c1", "C1CCN({})CC1", "C1CCC({})CC1", "c1cc({})co1", "c1csc({})c1"]
TAILS = ["C", "CC", "O", "N", "F", "OC", "C(=O)O", "C(=O)N", "C#N", "CO"]


def molecules() -> list[str]:
    """About a thousand small molecules."""
    texts = (head + core.format(tail) for head, core, tail in itertools.product(HEADS, CORES, TAILS))
    return list(dict.fromkeys(map(canonical, ["Cc1ccccc1", *texts])))


class StandIn:
    """Codes are the size and random projections of fingerprints; a code spells the molecule next to it, in one of ten cases nonsense."""

    policy = Policy()
    cond = None

    def __init__(self, smiles: Sequence[str], centre: Tensor | None = None) -> None:
        self.smiles = list(smiles)
        weights = torch.from_numpy(np.random.default_rng(0).standard_normal((2048, LATENT)) / 6).float()
        raw = torch.from_numpy(fingerprints(self.smiles).astype(np.float32)) @ weights
        self.heavy = torch.tensor([[float(sum(c.isalpha() for c in s))] for s in self.smiles])
        raw[:, :1] = self.heavy
        self.codes = (raw - raw.mean(0)) / raw.std(0)
        self.places = {s: i for i, s in enumerate(self.smiles)}
        self.centre = torch.zeros(LATENT) if centre is None else centre
        config = SimpleNamespace(to_dict=dict)
        self.run = SimpleNamespace(vae=torch.nn.Linear(1, 1), device="cpu", config=config)
        with torch.no_grad():
            self.run.vae.weight.fill_(1.0), self.run.vae.bias.fill_(0.0)
        self.property_names: tuple[str, ...] = ("length",)

    latent = LATENT

    @property
    def domain(self) -> None:
        raise UsageError("the training molecules are not at hand")

    def can_read(self, smiles: str) -> bool:
        return smiles in self.places

    def encode(self, smiles: Sequence[str]) -> Tensor:
        for lacking in (text for text in smiles if not self.can_read(text)):
            raise UsageError(f"the vocabulary lacks a symbol of {lacking}")
        return self.codes[[self.places[s] for s in smiles]]

    def symbol_counts(self, smiles):
        return torch.nn.functional.one_hot(torch.tensor([self.places[s] for s in smiles]), len(self.smiles)).float()

    def prior(self, n: int, seed: int, rereads: int | None = None) -> Tensor:
        return torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed)) + self.centre

    def molecules(self, z: Tensor, temperature: float | Tensor = 0.0, seed: int = 0) -> list[str]:
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(seed))
        near = torch.cdist(z + 0.3 * torch.as_tensor(temperature).reshape(-1, 1) * noise, self.codes).argmin(1).tolist()
        return ["" if abs(noise[i, 0]) > 1.65 else self.smiles[place] for i, place in enumerate(near)]

    def predict(self, z: Tensor) -> Tensor:
        return self.predict_relaxed(self.relaxed(z, 1.0, False, None))

    def relaxed(self, z: Tensor, tau: float, hard: bool, noise: Tensor | None) -> Tensor:
        logits = -torch.cdist(z, self.codes).square()
        return torch.softmax((logits + (0 if noise is None else 0.1 * noise.squeeze(1))) / tau, 1)[:, None]

    def predict_relaxed(self, soft: Tensor) -> Tensor:
        return soft.squeeze(1) @ self.heavy

    def tuned(self, smiles, weights=None, steps=20, rate=3e-4, seed=0) -> StandIn:
        """Its prior moves to the molecules."""
        other = StandIn.__new__(StandIn)
        other.__dict__.update(self.__dict__, centre=self.encode(smiles).mean(0))
        return other


@pytest.fixture(scope="session")
def space() -> StandIn:
    return StandIn(molecules())


@pytest.fixture(autouse=True, scope="module")
def _no_page() -> Iterator[None]:
    """The page draws molecules and needs a real model; it has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vaehub_molecules.search.report.search_page", lambda *_: SimpleNamespace(write=lambda path: path))
        patch.setattr("vaehub_molecules.search.provenance.provenance_of", lambda *_: {"settings": {}, "date": ""})
        yield
