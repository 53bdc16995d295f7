"""The domain `arrays`: rows of numbers, whatever they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.distributions import constraints

from vaehub.arrays.codec import ArrayCodec
from vaehub.arrays.layout import Layout
from vaehub.arrays.table import Names, Table, read
from vaehub.base import Domain, Likelihood, Spec
from vaehub.data.rows import TensorData
from vaehub.errors import UsageError
from vaehub.files import digest_of
from vaehub.sparse import take

SPLITS = ("train", "val", "test")
Share = Annotated[float, Field(ge=0, lt=1)]


@final
class Arrays(Domain[ArrayCodec]):
    """Rows of numbers from memory (`vaehub.train(…, data=X)`) or a file: .npy, .npz, .csv, .parquet.

    A missing value (NaN, an empty cell, a False in the mask) is left out of the bound, and enters the encoder as 0, the mean where the
    rows are standardised; `encoder.mask=true` tells the encoder which those are.

    Arguments:
        path: the file. An .npz holds x and, where there are any, labels, cond, mask and split ("train", "val" or "test" a row).
        columns: of a table, those that are x; all but `labels` and `cond` where none is named.
        labels: of a table, the column with a class for every row, for balanced batches and figures.
        cond: of a table, the columns that are the condition c of a conditional model; standardised where the rows are.
        standardise: show the model (x - mean) / sd of the training rows, an element at a time; where it is left out, this is done for
            likelihoods of any real number (normal, laplace, student_t, …) and dense rows. Rows come back in their own units, the bound
            and the likelihood are of the standardised numbers.
        levels: of a discrete x, which then holds 0 … levels - 1.
        validation: share of the rows for validation, chosen at random, where the data name no split.
        test: share of the rows for the test, likewise.
        seed: of that choice.

    Raises:
        UsageError: no rows are left to train on.

    >>> domain = Arrays(standardise=True)
    >>> domain.hold([[float(i), -2.0 * i] for i in range(10)])
    >>> len(domain.data("train")), domain.codec.spec.shape
    (8, (2,))
    """

    codec_type = ArrayCodec

    def __init__(
        self,
        *,
        path: str | None = None,
        columns: Sequence[str] = (),
        labels: str | None = None,
        cond: Sequence[str] = (),
        standardise: bool | None = None,
        levels: Annotated[int, Field(ge=0, le=65536)] = 0,
        validation: Annotated[float, Field(gt=0, lt=1)] = 0.1,
        test: Share = 0.1,
        seed: Annotated[int, Field(ge=0)] = 0,
    ) -> None:
        if validation + test >= 1:
            raise UsageError(f"domain: validation={validation} and test={test} leave no rows to train on; lower them")
        self.given: object = path
        self.names, self.standardise, self.levels = Names(columns, cond, labels), standardise, levels
        self.shares, self.seed = (validation, test), seed

    def hold(self, given: object) -> None:
        """Take rows from memory in place of a file: an array, tensor, DataFrame, sparse matrix, or a mapping like an .npz file."""
        self.given = given

    def forget(self) -> None:
        """Let go of the rows once a model is trained; the codec stays."""
        self.codec  # noqa: B018  (learnt while the rows are there)
        self.given = None
        for name in ("table", "parts", "rows"):
            self.__dict__.pop(name, None)

    @cached_property
    def table(self) -> Table:
        """All rows; reads the file."""
        if self.given is None:
            raise UsageError("domain.path: which rows? domain.path=my.csv (.npy, .npz, .parquet), or train(…, data=X) in Python")
        return read(self.given, self.names)

    @cached_property
    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Row numbers of every split."""
        table = self.table
        found = by_name(table.split) if table.split is not None else at_random(len(table), self.shares, self.seed)
        if not len(found["train"]):
            raise UsageError(f"domain: the train split is empty, there are {len(table)} rows in all; give more")
        return found

    def learn(self) -> ArrayCodec:
        """Names, number format and, where the rows are standardised, the scale of the training rows."""
        table = self.table
        layout = Layout.of(table, self.names, self.parts["train"], bool(self.standardise))
        cond = 0 if table.cond is None else table.cond.shape[1]
        return ArrayCodec(Spec(tuple(table.x.shape[1:]), cond, self.levels), layout)

    def scale_for(self, likelihood: Likelihood) -> None:
        """Standardise where p(x|z) takes any real number, unless the user has decided."""
        if self.standardise is None and not isinstance(self.table.x, Tensor) and likelihood.support is constraints.real:
            self.standardise = True
            self.codec = self.learn()

    @cached_property
    def rows(self) -> TensorData:
        """All rows as the model takes them."""
        return self.codec.layout.data(self.table)

    def split_digests(self) -> dict[str, str]:
        """Of the rows x of every split, as the file has them; rows from memory are not read again."""
        if not isinstance(self.given, str | PathLike):
            return {}
        return {split: digest_of(self.rows_as_given(at)) for split, at in self.parts.items()}

    def rows_as_given(self, at: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Some rows of x (N, *shape): one array, or those of a CSR matrix."""
        x = self.table.x
        if not isinstance(x, Tensor):
            return [x[at]]
        some = take(x, torch.from_numpy(at))
        return [part.numpy() for part in (some.crow_indices(), some.col_indices(), some.values())]

    def data(self, split: str) -> TensorData:
        """The rows of "train", "val" or "test"."""
        return self.rows.take(torch.from_numpy(self.parts[split]))

    @staticmethod
    def example(folder: Path) -> dict[str, Any]:
        """Options to try the domain with, for `vaehub check`: a small table of numbers with a gap."""
        x = np.random.default_rng(0).normal(size=(60, 3)) @ np.ones((3, 3)) + [0, 1, 2]
        x[3, 1] = np.nan
        np.savez(folder / "rows.npz", x=x, labels=np.arange(60) % 3)
        return {"path": str(folder / "rows.npz")}


def by_name(split: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Row numbers by the word of every row. Raises UsageError for a word that is no split."""
    words = split.astype(str)
    for word in np.unique(words):
        if word not in SPLITS:
            raise UsageError(f"split: '{word}' is none of {', '.join(SPLITS)}")
    return {name: np.flatnonzero(words == name) for name in SPLITS}


def at_random(rows: int, shares: tuple[float, float], seed: int) -> dict[str, NDArray[np.int64]]:
    """Row numbers of every split, in order: at least one of each that has a share, as far as there are rows."""
    order = np.random.default_rng(seed).permutation(rows)
    val = min(max(1, round(shares[0] * rows)), rows - 1)
    test = min(max(1, round(shares[1] * rows)), rows - 1 - val) if shares[1] else 0
    if val < 1:
        raise UsageError(f"domain: {rows} rows are too few to train on; at least 2 are needed, one of them to compare epochs by")
    return {"val": np.sort(order[:val]), "test": np.sort(order[val : val + test]), "train": np.sort(order[val + test :])}
