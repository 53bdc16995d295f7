"""Every test starts from the same random numbers, and a slow machine makes no command say more than a fast one."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from vaehub.jobs import displays


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed the global generators; hypothesis does the same by its profile `ci` wherever CI is set."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands inside a test do not tell on standard error that they take long."""
    monkeypatch.setattr(displays, "FIRST", 1e6)
