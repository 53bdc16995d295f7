"""Which molecules a model was trained on, small enough to travel in its file."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.bool_]
MAX_RATIO, FREE_BYTES = 20, 1 << 20  # unpacked to packed: hashes hardly shrink


@final
class HashedSet:
    """A set of strings by 40 bits of their hash: of a million it takes another for one of its own once in a million times.

    Arguments:
        hashes: sorted, each once.

    >>> HashedSet.of(["CCO"]).holds(["CCO", "CN"]).tolist()
    [True, False]
    """

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes

    @staticmethod
    def of(strings: Iterable[str]) -> HashedSet:
        """The set of these strings."""
        return HashedSet(np.unique(hashes_of(strings)))

    def __len__(self) -> int:
        return len(self.hashes)

    def holds(self, strings: Sequence[str]) -> Array:
        """Which of the strings are in the set."""
        held: Array = np.isin(hashes_of(strings), self.hashes)
        return held

    def to_text(self) -> str:
        """About five bytes a string: the gaps between sorted hashes, packed."""
        gaps = np.diff(self.hashes, prepend=np.uint64(0)).astype("<u8").view(np.uint8).reshape(-1, 8)[:, :5]
        return base64.b85encode(zlib.compress(gaps.T.tobytes(), 9)).decode()

    @staticmethod
    def from_text(text: str) -> HashedSet:
        """What `to_text` gave. Raises an error of zlib or ValueError where it is damaged, or unpacks to far more than it packs."""
        packed = base64.b85decode(text)
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, max(FREE_BYTES, MAX_RATIO * len(packed)))
        if not unpacking.eof:
            raise ValueError(f"{len(packed):,} bytes that unpack to more than {len(content):,}, or are cut off")
        gaps = np.frombuffer(content, np.uint8).reshape(5, -1).T
        whole = np.zeros((len(gaps), 8), np.uint8)
        whole[:, :5] = gaps
        return HashedSet(np.cumsum(whole.view("<u8").ravel(), dtype=np.uint64))


def hashes_of(strings: Iterable[str]) -> NDArray[np.uint64]:
    """40 bits of each string's hash."""
    digests = b"".join(blake2b(s.encode(), digest_size=5).digest() + b"\0\0\0" for s in strings)
    return np.frombuffer(digests, "<u8").astype(np.uint64)
