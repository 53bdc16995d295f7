"""RDKit's log, which is off wherever this package reads what a user wrote."""

from __future__ import annotations

from functools import cache

from rdkit import RDLogger


@cache
def silence_rdkit() -> None:
    """Turn off RDKit's log in this process, once: what it would say is in the reasons and errors. Who turns it on again, hears it."""
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
