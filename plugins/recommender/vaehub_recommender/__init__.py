"""Recommendation with VAEs: from a table of interactions to ranked lists for known and new users. Names are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaehub_recommender.judge import Judged
    from vaehub_recommender.recommender import Recommender

__all__ = ["Judged", "Recommender"]
_HOMES = {"Judged": "judge", "Recommender": "recommender"}


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vaehub_recommender' has no attribute {name!r}")
    return getattr(import_module(f"vaehub_recommender.{_HOMES[name]}"), name)
