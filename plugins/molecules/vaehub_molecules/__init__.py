"""Molecules with VAEs: from a file of SMILES to a latent space that can be sampled, walked and searched. Names are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaehub_molecules.oracles import batch
    from vaehub_molecules.search import Constraints, Result, optimize
    from vaehub_molecules.use.latent_space import LatentSpace
    from vaehub_molecules.use.latent_space import LatentSpace as Codec

__all__ = ["Codec", "Constraints", "LatentSpace", "Result", "batch", "optimize"]
_HOMES = {
    "Codec": ("use.latent_space", "LatentSpace"),  # an earlier name of the latent space
    "Constraints": ("search", "Constraints"),
    "LatentSpace": ("use.latent_space", "LatentSpace"),
    "Result": ("search", "Result"),
    "batch": ("oracles", "batch"),
    "optimize": ("search", "optimize"),
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vaehub_molecules' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"vaehub_molecules.{module}"), attribute)
