"""What comes back of molecules that are encoded and decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace


def reconstruct(space: LatentSpace, smiles: Sequence[str]) -> pd.DataFrame:
    """What comes back of molecules: the likeliest string at the mean of q(z|x).

    Arguments:
        space: of a trained model.
        smiles: canonical molecules.

    Returns:
        a frame of smiles, returned ("" where that is no molecule), exact, and similarity (count Tanimoto of ECFP4, 0 where there is
        no molecule).

    Raises:
        UsageError: that names a molecule the model cannot read.

    >>> list(reconstruct(space, ["CCO"]).columns)
    ['smiles', 'returned', 'exact', 'similarity']
    """
    rows = space.rows(smiles)
    returned = space.molecules(space.encode(smiles), cond=rows.cond)
    pairs = list(zip(smiles, returned, strict=True))
    similarities = [1.0 if a == b else similarity(a, b) if b else 0.0 for a, b in pairs]
    return pd.DataFrame(
        {"smiles": list(smiles), "returned": returned, "exact": [a == b for a, b in pairs], "similarity": np.array(similarities)}
    )


def similarity(a: str, b: str) -> float:
    """Count Tanimoto of two molecules."""
    return float(tanimoto(fingerprints([a]), fingerprints([b]))[0, 0])
