"""Every test starts from the same random numbers, so that a failure is seen again."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed the global generators; hypothesis does the same by its profile `ci` wherever CI is set."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
