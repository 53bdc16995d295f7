"""A short name for what data hold, by which it shows whether they have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def digest_of(values: Iterable[bytes | NDArray[Any]]) -> str:
    """BLAKE2b over bytes and arrays of numbers in their order, with the dtype and shape of every array: 32 hexadecimal digits.

    Arguments:
        values: bytes, and arrays of any shape.

    >>> digest_of([np.zeros(2)]) == digest_of([np.zeros(2)]), digest_of([np.zeros(2)]) == digest_of([np.zeros((2, 1))])
    (True, False)
    """
    out = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, bytes):
            out.update(f"\n{len(value)}\n".encode() + value)
        else:
            out.update(f"\n{value.dtype} {value.shape}\n".encode())
            out.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return out.hexdigest()
