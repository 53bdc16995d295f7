"""Random numbers that depend on nothing but their key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(*key: int | str) -> int:
    """A 63-bit seed from a key: equal keys, equal noise.

    Arguments:
        key: numbers and words such as (seed, epoch, step, rank).

    >>> derive_seed("order", 0) == derive_seed("order", 0), derive_seed("order", 0) == derive_seed("order", 1)
    (True, False)
    """
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "big") >> 1


def reseed(*key: int | str) -> None:
    """Seed torch's global generators by `key`. torch.manual_seed would format three stack traces a call where there is no GPU."""
    seed = derive_seed(*key)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextmanager
def seeded(*key: int | str) -> Iterator[None]:
    """Torch's global generators seeded inside the block and left as they were after it.

    Arguments:
        key: numbers and words; equal keys give equal noise.

    >>> with seeded("noise", 3):
    ...     first = torch.rand(1)
    >>> with seeded("noise", 3):
    ...     print(torch.rand(1) == first)
    tensor([True])
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        reseed(*key)
        yield
