"""The list of faults: which checks each broken part must fail."""

from __future__ import annotations

import re

from vaehub.host.discovery import KINDS

FAULTS: dict[str, set[str]] = {}  # component -> checks that must fail
TARGETS: dict[str, str] = {}


def fails(*checks: str, name: str | None = None):
    """Registers a class as a component that must fail these checks."""

    def register(cls):
        kind = next(base.__name__.lower() for base in cls.__mro__ if base.__name__.lower() in KINDS)
        key = f"{kind}/{name or re.sub(r'(?<!^)(?=[A-Z])', '_', cls.__name__).lower()}"
        FAULTS[key], TARGETS[key] = set(checks), f"{cls.__module__}:{cls.__name__}"
        return cls

    return register
