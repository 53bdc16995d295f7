"""Several processes that train one model: Lightning starts the others with the same command."""

from __future__ import annotations

import torch
from pytorch_lightning.utilities import rank_zero_only


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return getattr(rank_zero_only, "rank", 0) == 0


def wait_for_all() -> None:
    """Go on when all processes are here."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
