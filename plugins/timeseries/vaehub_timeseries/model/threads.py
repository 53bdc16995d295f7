"""Linear algebra on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on the calling thread alone.

    Threads that share one short operation wait for each other in a loop. Where another program holds one of the cores, many short operations
    take ten times as long by it; on free cores they are hardly faster.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
