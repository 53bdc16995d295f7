"""What the pages are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from vaehub_molecules.report.cards import Card
from vaehub_molecules.report.look import Picture


@final
@dataclass(frozen=True)
class Measure:
    """A row of the table of figures."""

    name: str
    value: str
    meaning: str = ""


@final
@dataclass(frozen=True)
class Neighbourhood:
    """A molecule with those most like it, by code and by fingerprint."""

    card: Card
    by: Mapping[str, Sequence[Card]]


@final
@dataclass(frozen=True)
class RunFindings:
    """All that the page of a run shows."""

    title: str
    about: str
    healthy: bool
    verdict: str
    tiles: Sequence[Measure]
    measures: Mapping[str, Sequence[Measure]]  # by kind
    samples: Sequence[Card]
    counts: str
    pairs: Sequence[tuple[Card, Card]]
    neighbours: Sequence[Neighbourhood]
    way: Sequence[Card]
    histograms: Sequence[Picture]
    maps: Sequence[Picture]
    made: Mapping[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class SearchFindings:
    """All that the page of a search shows."""

    title: str
    about: str
    tiles: Sequence[Measure]
    leads: Sequence[Card]
    best: Sequence[Card]
    nearest: Sequence[Card]  # the training molecule most like each of the best
    pictures: Sequence[Picture]
    counts: Sequence[Measure]
    made: Mapping[str, str] = field(default_factory=dict)
