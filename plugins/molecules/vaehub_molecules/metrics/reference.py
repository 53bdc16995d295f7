"""What samples are measured against: a test set, or the official statistics of MOSES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vaehub import UsageError
from vaehub_molecules.metrics.fcd import Moments, moments
from vaehub_molecules.metrics.features import PROPERTY_COLUMNS, FeatureSet

OFFICIAL = {
    "ded25073225a895d4ed17bf1d4223d27560e87ff4cb85786346ca1cc8efa03d3",  # test_stats.npz of molsets 0.3.1
    "7b7aba6c1474634a019bebf16f389d554cb9dd1021dfc8c1d1e54430a9f0e7f8",  # test_scaffolds_stats.npz
}


@final
@dataclass(frozen=True)
class Reference:
    """Statistics of M molecules that samples are compared with.

    Arguments:
        moments: mean and covariance of ChemNet's last hidden layer; None where there is none, and FCD is NaN.
        prints: (M, 128) packed fingerprints.
        fragments: how often each BRICS fragment occurs.
        scaffolds: how often each Murcko scaffold occurs.
        values: M values of each property.
    """

    moments: Moments | None
    prints: NDArray[np.uint8]
    fragments: Mapping[str, int]
    scaffolds: Mapping[str, int]
    values: Mapping[str, NDArray[np.float64]]

    @staticmethod
    def of(smiles: Sequence[str], workers: int | None = None) -> Reference:
        """The statistics of a test set. Raises UsageError where none of it is valid."""
        found = FeatureSet.of(smiles, workers)
        if not len(found):
            raise UsageError(f"none of the {len(smiles):,} molecules to compare with is valid; give a test set of SMILES")
        return Reference(moments(found.smiles), found.prints, found.fragments, found.scaffolds, found.values)

    @staticmethod
    def official(path: Path) -> Reference:
        """One of the two statistics files of MOSES. Raises UsageError for any other file."""
        if not path.is_file():
            raise UsageError(f"{path}: no such file; give test_stats.npz or test_scaffolds_stats.npz of molsets 0.3.1")
        if sha256(path.read_bytes()).hexdigest() not in OFFICIAL:
            raise UsageError(
                f"{path}: not a statistics file of molsets 0.3.1 (its checksum differs); give the test molecules instead"
            )
        # pickled inside, hence the checksum: only two files whose content is known get here
        stats: Mapping[str, Any] = np.load(path, allow_pickle=True)["stats"].item()
        return Reference(
            Moments(stats["FCD"]["mu"], stats["FCD"]["sigma"]),
            np.packbits(stats["SNN"]["fps"], axis=1),
            stats["Frag"]["frag"],
            stats["Scaf"]["scaf"],
            {name: np.asarray(stats[name]["values"], dtype=float) for name in PROPERTY_COLUMNS},
        )
