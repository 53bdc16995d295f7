"""Molecules that ship with the package."""

from __future__ import annotations

from pathlib import Path


def sample_path() -> Path:
    """10,000 drug-like molecules, one SMILES string a line; where they come from is in ATTRIBUTION.md beside them."""
    return Path(__file__).with_name("sample.smi.gz")


def salts_path() -> Path:
    """Acids, bases and solvents that drugs are sold and crystallised with, uncharged and without stereo: SMILES and a name a line."""
    return Path(__file__).with_name("salts.smi")
