"""A domain of rows that are in memory already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, final

from vaehub.base import Codec, Data, Domain
from vaehub.errors import UsageError

C = TypeVar("C", bound=Codec)


@final
class InMemory(Domain[C]):
    """Rows that the caller has split and brought into the form of a codec already.

    Arguments:
        codec: what a model of these rows is to know of them.
        splits: rows of "train" and "val", and of "test" where they are to be evaluated.

    >>> import torch
    >>> from vaehub.arrays.domain import Arrays
    >>> from vaehub.data.rows import TensorData
    >>> arrays = Arrays()
    >>> arrays.hold(torch.zeros(12, 4))
    >>> domain = InMemory(arrays.codec, {"train": TensorData(torch.zeros(9, 4)), "val": TensorData(torch.zeros(3, 4))})
    >>> len(domain.data("val")), domain.codec.spec.shape
    (3, (4,))
    """

    codec_type = Codec

    def __init__(self, codec: C, splits: Mapping[str, Data]) -> None:
        self.given, self.splits = codec, splits

    def learn(self) -> C:
        """The codec that was given."""
        return self.given

    def data(self, split: str) -> Data:
        """The rows that were given.

        Arguments:
            split: "train", "val" or "test".

        Raises:
            UsageError: no rows were given for this split.
        """
        if split not in self.splits:
            raise UsageError(f"split={split!r}: these rows are in memory; there are {', '.join(self.splits)}")
        return self.splits[split]
