"""Every call of the objective, counted once a molecule: the rule of the PMO benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Proposal:
    """A canonical molecule that a method wants scored, and where it came from."""

    smiles: str
    by: str
    parent: str = ""  # the molecule that it was made of, where there is one


@final
@dataclass(frozen=True)
class Answer:
    """What the objective said of one molecule: its values, or why there are none."""

    values: tuple[float, ...] = ()
    error: str = ""
    seconds: float = 0.0  # that the call took
    measured: tuple[float, ...] = ()  # what the values were made of, where that is something else


@final
@dataclass(frozen=True)
class Call:
    """One counted call."""

    proposal: Proposal
    answer: Answer
    time: float  # seconds of search until it was answered

    @property
    def smiles(self) -> str:
        """The canonical molecule."""
        return self.proposal.smiles


@final
@dataclass
class Buffer:
    """The calls in order. A molecule is called once; an invalid string never, and it costs nothing."""

    calls: list[Call] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)  # what was proposed and not called, by reason
    _seen: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __contains__(self, smiles: str) -> bool:
        return smiles in self._seen

    def add(self, calls: Sequence[Call]) -> None:
        """Count calls. Raises ValueError where a molecule was called before."""
        for call in calls:
            if call.smiles in self._seen:
                raise ValueError(f"{call.smiles} was called before")
            self._seen.add(call.smiles)
            self.calls.append(call)

    @property
    def errors(self) -> list[Call]:
        """The calls that gave no value."""
        return [call for call in self.calls if call.answer.error]

    def values(self) -> Floats:
        """(N, K) values of K objectives, NaN where a call gave none."""
        width = max((len(call.answer.values) for call in self.calls), default=1) or 1
        rows = [call.answer.values or (np.nan,) * width for call in self.calls]
        return np.array(rows, dtype=np.float64).reshape(len(self.calls), width)


def auc(scores: Sequence[float] | Floats, budget: int, top: int = 10, every: int = 100) -> float:
    """Area under the mean of the `top` best scores against calls, as PMO takes it, in units of the score.

    Trapezoids from (0, 0); where the search stopped early, its last value holds to the end of the budget. "Sample Efficiency Matters"
    (Gao et al., 2022), arXiv:2206.12411, `top_auc` of its code.

    Arguments:
        scores: (N,) in the order of the calls; NaN for a call that failed.
        budget: calls that were allowed.
        top: of how many best scores the mean is taken.
        every: calls between the corners of the curve.

    >>> auc([0.0, 1.0], budget=4, top=1)
    0.75
    """
    values = np.asarray(scores, dtype=np.float64)[:budget]
    if not len(values):
        return 0.0
    ends = [*range(every, len(values), every), len(values)]
    means = np.array([0.0, *(top_mean(values[:end], top) for end in ends)])
    area = float(np.sum(np.diff([0, *ends]) * (means[1:] + means[:-1]) / 2))
    return (area + (budget - len(values)) * float(means[-1])) / budget


def top_mean(values: Floats, top: int) -> float:
    """The mean of the best values, of as many as there are; 0 where there is none."""
    real = values[~np.isnan(values)]
    return float(np.sort(real)[::-1][:top].mean()) if len(real) else 0.0
