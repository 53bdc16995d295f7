"""The figures of the page's tables, as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import pandas as pd

from vaehub_recommender.judge import Judged
from vaehub_recommender.judge.text import of_cell, of_difference
from vaehub_recommender.report.verdict import is_quality, main_metric, meaning, side, spelled

LOOKS = {1: "win", 0: "", -1: "loss"}


@final
@dataclass(frozen=True)
class Measure:
    """A row: every model's mean ± standard error, and how far the first is from the others."""

    name: str
    meaning: str
    means: tuple[str, ...]
    differences: tuple[tuple[str, str], ...]  # with how they look


@final
@dataclass(frozen=True)
class Segment:
    """A row of the main measure in one segment."""

    name: str
    users: int
    means: tuple[str, ...]


def measures(judged: Judged) -> list[Measure]:
    """A row for every measure."""
    table, gaps = judged.table(), judged.differences()
    return [measure(str(name), table, gaps[gaps["metric"] == name]) for name in table.columns.get_level_values(0).unique()]


def measure(name: str, table: pd.DataFrame, gaps: pd.DataFrame) -> Measure:
    """A row; differences are good or bad only where more is better."""
    rows: list[Any] = gaps.to_dict("records")
    looks = [LOOKS[side(row)] if is_quality(name) else "" for row in rows]
    texts = [of_difference(row) for row in rows]
    means = tuple(of_cell(table.loc[model, name]) for model in table.index)
    return Measure(spelled(name), meaning(name), means, tuple(zip(texts, looks, strict=True)))


def segments(judged: Judged) -> dict[str, list[Segment]]:
    """The main measure of every segment, by what the segments are of."""
    table = judged.segments()
    table = table[table["metric"] == main_metric(judged)]
    return {
        str(by): [segment(str(name), rows) for name, rows in part.groupby("segment", sort=False)]
        for by, part in table.groupby("by")
    }


def segment(name: str, rows: pd.DataFrame) -> Segment:
    """A row, a model after the other."""
    return Segment(name, int(rows["users"].iloc[0]), tuple(of_cell(cell) for _, cell in rows[["mean", "se"]].iterrows()))
