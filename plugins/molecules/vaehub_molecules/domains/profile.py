"""How training molecules are built, small enough to travel in the model's file: what drawn molecules are judged by beside validity.

Where a grammar makes every drawn string valid, validity says nothing of the model, and novelty and uniqueness hardly more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat
from scipy.stats import wasserstein_distance

from vaehub import Json, files
from vaehub_molecules.chem.parallel import parallel_map
from vaehub_molecules.chem.properties import property_table
from vaehub_molecules.chem.ring_systems import ring_systems_of
from vaehub_molecules.domains.hashed_set import HashedSet
from vaehub_molecules.domains.likeness import COMPARED, Likeness
from vaehub_molecules.domains.splitting import hash_order

RING_SAMPLE, PROPERTY_SAMPLE = 100_000, 2_000  # training molecules, drawn by their hash, that are looked at: seconds
QUANTILES = 200
Share = Annotated[float, Field(ge=0, le=1)]


@final
class TrainingProfile:
    """Ring systems of training molecules, and how their weight, logP, QED and SA are distributed.

    Arguments:
        ring_systems: those that occur.
        unseen_share: share of unseen molecules of the same kind of which all ring systems are known.
        quantiles: of each property, in ascending order and at equal distances of probability.

    >>> profile = TrainingProfile.of(["CCO", "Cc1ccccc1", "Nc1ccccc1", "C1CC1"])
    >>> profile.unseen_share, profile.likeness(["Oc1ccccc1", "C1CCC1"]).known_rings
    (0.75, 0.5)
    """

    def __init__(self, ring_systems: HashedSet, unseen_share: float, quantiles: Mapping[str, NDArray[np.float64]]) -> None:
        self.ring_systems, self.unseen_share, self.quantiles = ring_systems, unseen_share, quantiles

    @staticmethod
    def of(smiles: Sequence[str]) -> TrainingProfile:
        """The profile of canonical molecules; of many, of a sample.

        `unseen_share` is 1 - the share of molecules with a ring system that no other one has: what each would be if it alone had been left
        out. "The population frequencies of species and the estimation of population parameters" (Good, 1953), doi:10.1093/biomet/40.3-4.237.
        """
        by_hash = [smiles[i] for i in hash_order(smiles, 0)[:RING_SAMPLE]]
        systems = parallel_map(ring_systems_of, by_hash)
        counts = Counter(system for each in systems for system in each)
        alone = sum(any(counts[system] == 1 for system in each) for each in systems)
        values = property_table(by_hash[:PROPERTY_SAMPLE], tuple(COMPARED)).dropna()
        at = (np.arange(QUANTILES) + 0.5) / QUANTILES
        quantiles = {name: np.quantile(values[name].to_numpy(float), at) if len(values) else np.zeros(1) for name in COMPARED}
        return TrainingProfile(HashedSet.of(counts), 1 - alone / max(len(systems), 1), quantiles)

    def likeness(self, smiles: Sequence[str]) -> Likeness:
        """How like the training molecules canonical molecules are; each counts as often as it occurs."""
        systems = parallel_map(ring_systems_of, smiles)
        different = sorted(frozenset().union(*systems))
        unknown = {system for system, known in zip(different, self.ring_systems.holds(different), strict=True) if not known}
        frequent = Counter(sorted(system for each in systems for system in each & unknown)).most_common()
        values = property_table(smiles, tuple(COMPARED)).dropna()
        return Likeness(
            count=len(smiles),
            known_rings=sum(not each & unknown for each in systems) / max(len(systems), 1),
            unseen_share=self.unseen_share,
            distances={name: self.distance(name, values[name].to_numpy(float)) for name in COMPARED},
            unknown=tuple(system for system, _ in frequent),
        )

    def distance(self, name: str, values: NDArray[np.float64]) -> float:
        """W1 of values of a property and those of training molecules, in standard deviations of the latter; no values count as one of 0."""
        trained = self.quantiles[name]
        return float(wasserstein_distance(values if len(values) else [0.0], trained) / (trained.std() or 1.0))

    def state(self) -> Json:
        """Small JSON."""
        return {
            "ring_systems": self.ring_systems.to_text(),
            "unseen_share": self.unseen_share,
            "quantiles": {name: [float(f"{value:.6g}") for value in each] for name, each in self.quantiles.items()},
        }

    @staticmethod
    def restore(state: Json) -> TrainingProfile:
        """What `state` gave. Raises ValueError or KeyError where it is damaged."""
        quantiles = {name: np.array(files.validated_json(list[FiniteFloat], state["quantiles"][name])) for name in COMPARED}
        if not all(len(each) and bool((np.diff(each) >= 0).all()) for each in quantiles.values()):
            raise ValueError("quantiles of properties are missing or do not ascend")
        return TrainingProfile(
            HashedSet.from_text(files.validated_json(str, state["ring_systems"])),
            files.validated_json(Share, state["unseen_share"]),
            quantiles,
        )
