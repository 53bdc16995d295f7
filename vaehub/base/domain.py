"""A kind of data: where its rows come from while training (Domain), and what a saved model knows of them (Codec)."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaehub.base.parts import Likelihood
from vaehub.base.rows import Data, Json, Spec
from vaehub.convert import as_tensor
from vaehub.errors import UsageError


class Codec(ABC):
    """Between a user's values and rows x, as learnt from the training data; frozen, and all that a loaded model has of its data.

    A subclass gives `read` and `write`, and `to_json` and `from_json` where it has learnt more than the spec.

    >>> from vaehub.data.rows import TensorData
    >>> class Numbers(Codec):
    ...     def read(self, path):
    ...         return TensorData(torch.from_numpy(np.load(path)))
    ...
    ...     def write(self, x, path):
    ...         np.save(path, x)
    >>> codec = Numbers.from_json(Spec((2,), cond=1), {})
    >>> codec.convert(np.zeros((3, 2))).shape, codec.condition([7]).tolist()
    (torch.Size([3, 2]), [7.0])
    """

    classes: Sequence[str] = ()  # names of the labels, where there are any
    suffix: ClassVar[str] = ".npy"  # of what `vaehub sample` writes where the user names no file

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @abstractmethod
    def read(self, path: Path) -> Data:
        """Rows from a user's file, in the form the model was trained on.

        Arguments:
            path: of the file.

        Raises:
            UsageError: it holds no such rows; the message names file and row.
        """

    @abstractmethod
    def write(self, x: Tensor, path: Path) -> None:
        """Write rows to a file in a format of the domain, chosen by its suffix.

        Arguments:
            x: rows (B, *shape) in the units of the data, as `present` gives them.
            path: of the file.
        """

    def to_json(self) -> Json:
        """What was learnt besides the spec (vocabulary, scaler, item ids), as plain JSON; by default nothing."""
        return {}

    @classmethod
    def from_json(cls, spec: Spec, state: Json) -> Self:
        """The codec that `to_json` described. Whatever it raises is reported as a damaged model file.

        Arguments:
            spec: of the data.
            state: what `to_json` gave.
        """
        return cls(spec)

    def convert(self, given: object) -> Tensor | Data:
        """Rows from memory by the conversion that `read` applies to a file, in the form the model was trained on; by default as they are.

        Arguments:
            given: what the user handed to a method of `Run`, such as an array or a table; never `Data`.

        Raises:
            UsageError: `given` is nothing that the domain can read.
        """
        if not isinstance(given, Tensor | np.ndarray):
            raise UsageError(
                f"x: expected an array or a tensor of rows, got {type(given).__name__}; read a file with run.codec.read(path)"
            )
        return as_tensor(given)

    def present(self, x: Tensor) -> NDArray[Any]:
        """Rows of the model as a user sees them: undoes what `convert` does to their units; by default the same numbers.

        Arguments:
            x: rows (N, *shape).
        """
        return x.cpu().numpy()

    def condition(self, values: Sequence[str | int | float]) -> Tensor:
        """cond (C,) from what a user gives at `--cond`, by default C numbers.

        Arguments:
            values: labels or numbers.
        """
        return torch.tensor([float(v) for v in values])

    def scale_condition(self, rows: Tensor) -> Tensor:
        """cond (N, C) from the numbers (N, C) that a user gives, a row for each row of x; by default the same numbers."""
        return rows

    def preview(self, x: Tensor) -> str:
        """What to say of rows that were drawn from the prior, in one line; by default nothing.

        Arguments:
            x: rows (B, *shape).
        """
        return ""


C_co = TypeVar("C_co", bound=Codec, covariant=True)


class Domain(ABC, Generic[C_co]):
    """Where the rows come from, and their splits: options and files, needed for training only. The constructor reads no file.

    A subclass sets `codec_type` and gives `learn` and `data`; keyword-only arguments of its constructor are the user's options.

    >>> from vaehub.data.in_memory import InMemory
    >>> issubclass(InMemory, Domain)
    True
    """

    known_failures: ClassVar[Mapping[str, str]] = {}  # checks of `vaehub check` that the domain is meant to fail, with the reason
    codec_type: ClassVar[type[Codec]]  # what `learn` gives, for models that are loaded
    trained_on: Mapping[str, str] | None = None  # `split_digests` of when the loaded model was trained; None: no model was loaded
    _unchanged = False  # `require_unchanged` has compared them

    @abstractmethod
    def learn(self) -> C_co:
        """The codec, learnt from the training rows."""

    @cached_property
    def codec(self) -> C_co:
        """The codec in force: that of the model that was loaded, else one learnt from the training rows at first use."""
        return self.learn()

    @abstractmethod
    def data(self, split: str) -> Data:
        """The rows of a split: disjoint from those of the others, the same at every call.

        Arguments:
            split: "train", "val" or "test".
        """

    def scale_for(self, likelihood: Likelihood) -> None:
        """Called once before training and before `data`: a domain may replace its `codec` by one in units that suit p(x|z).

        Arguments:
            likelihood: the family of the run.
        """

    def record(self, folder: Path) -> None:
        """Called once when a run's folder is ready: write there what the user should see of the data, such as rows left out and why.

        Arguments:
            folder: of the run.
        """

    def restore(self, folder: Path) -> None:
        """Called when a run is loaded or goes on, before any row is read: what `record` wrote may be noted; by default nothing is.

        Arguments:
            folder: of the run.
        """

    def split_digests(self) -> Mapping[str, str]:
        """What is in every split, as a digest by the split's name, see `vaehub.files.digest_of`; by default nothing, so that nothing is compared.

        A domain gives it whose splits move when its file grows. A model's file keeps it, and a loaded model is not judged by other rows.
        """
        return {}

    def note_splits(self) -> None:
        """The splits as they are now are those that a model learns from."""
        self.trained_on, self._unchanged = self.split_digests(), True

    def require_unchanged(self) -> None:
        """Compare the splits with those that the loaded model was trained on; warn where its file does not tell.

        Raises:
            UsageError: they are others, so rows that it has learnt from may be among those that it would be judged by.
        """
        if self.trained_on is None or self._unchanged:
            return
        now = self.split_digests()
        changed = [split for split in now if self.trained_on and now[split] != self.trained_on.get(split)]
        if changed:
            raise UsageError(
                f"the data have changed since the model was trained (the rows of {' and '.join(changed)} are others), so it may have learnt "
                "what it would be judged by; give the data back as they were, or train again"
            )
        if now and not self.trained_on:
            warnings.warn(
                "this model was saved without a record of its data: whether they are still split as in training cannot be checked",
                UserWarning,
                stacklevel=3,
            )
        self._unchanged = True

    @staticmethod
    def example(folder: Path) -> Mapping[str, object]:
        """Options under which the domain has a few rows at hand, for `vaehub check`.

        Arguments:
            folder: an empty one, into which it may write files.
        """
        return {}
