"""A molecule's frame as a condition of a fixed width."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles
from torch import Tensor

from vaehub_molecules.chem.fingerprints import fingerprints
from vaehub_molecules.chem.parallel import parallel_map

BITS = 256


def scaffold(smiles: str) -> str:
    """Rings and what links them, "" where a molecule has no ring.

    "The Properties of Known Drugs. 1. Molecular Frameworks" (Bemis & Murcko, 1996), doi:10.1021/jm9602928.

    >>> scaffold("CCc1ccccc1")
    'c1ccccc1'
    """
    found: str = MurckoScaffoldSmiles(smiles=smiles)  # type: ignore[no-untyped-call]
    return found


def scaffold_bits(smiles: Sequence[str]) -> Tensor:
    """Fingerprints (N, BITS) of the scaffolds of molecules, zeros where there is none."""
    return torch.from_numpy(fingerprints(parallel_map(scaffold, smiles), size=BITS, counts=False)).float()
