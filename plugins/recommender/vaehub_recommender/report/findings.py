"""What the page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from vaehub import report
from vaehub_recommender.choose import Choice
from vaehub_recommender.judge import Judged

Floats: TypeAlias = NDArray[np.float64]
Words: TypeAlias = NDArray[Any]


@final
@dataclass(frozen=True)
class Map:
    """Codes in the plane of their two greatest principal components."""

    points: Floats  # (N, 2)
    share: float  # of the codes' variance that the plane has
    amount: Floats  # (N,) items of a user, users of an item
    kinds: Words | None = None  # (N,) what each is, where that is known
    order: tuple[str, ...] = ()  # of the kinds, by which they get their colours
    names: Words | None = None  # (N,) to be written beside some of the points


@final
@dataclass(frozen=True)
class Suggestion:
    """A recommended item with the items of the history that carry its score, and how much of it."""

    item: str
    reasons: tuple[tuple[str, float], ...]


@final
@dataclass(frozen=True)
class Example:
    """A known user: how many items they have, some of these, and what is recommended."""

    user: str
    items: int
    history: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]


@final
@dataclass(frozen=True)
class Findings:
    """All that the page shows."""

    about: str
    judged: Judged
    how: str  # it was judged
    users: Map | None
    items: Map | None
    examples: tuple[Example, ...]
    made: Mapping[str, str] = field(default_factory=dict)  # how the page came to be: model, versions
    choice: Choice | None = None  # what was tried before the model was taken
    box: report.Block | None = None  # recommends offline
    training: Sequence[report.Block] = ()  # curves of the training, where they are at hand
