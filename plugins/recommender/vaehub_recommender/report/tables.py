"""The tables of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vaehub import report
from vaehub_recommender.choose import Choice, Tried
from vaehub_recommender.judge import Judged
from vaehub_recommender.judge.text import DIGITS, difference_text, mean_text
from vaehub_recommender.report.verdict import interval_sign, is_quality, main_metric, meaning, metric_title

TONES: Mapping[int, report.Tone] = {1: "good", 0: "", -1: "warning"}
MODELS = (
    "@20: of the first 20 places of a list. EASE is a linear model of items by items (Steck, 2019), popularity the same most popular items "
    "for everyone. Differences are taken user by user; coloured where their interval does not hold 0."
)


def measures(judged: Judged) -> report.Table:
    """A row for every measure: every model's mean ± standard error, and how far the first is from the others."""
    table, gaps = judged.table(), judged.differences()
    head = ["", *judged.models, *(f"− {other} (95 %)" for other in judged.models[1:])]
    names = [str(name) for name in table.columns.get_level_values(0).unique()]
    rows = [measure(name, table, gaps[gaps["metric"] == name], len(judged.models) - 1) for name in names]
    return report.Table(head, rows, note="Mean ± standard error over users. Bold: the best.")


def measure(name: str, table: pd.DataFrame, gaps: pd.DataFrame, others: int) -> list[report.Cell | str]:
    """A row; means and differences are good or bad only where more is better."""
    cells = [table.loc[model, name] for model in table.index]
    means = [float(cell["mean"]) for cell in cells]
    first = report.best(means, digits=DIGITS) if is_quality(name) else [False] * len(means)
    shown = [report.Cell(mean_text(cell), best=top) for cell, top in zip(cells, first, strict=True)]
    rows: list[Any] = gaps.to_dict("records")
    apart = [
        report.Cell(narrow(difference_text(row)), tone=TONES[interval_sign(row)] if is_quality(name) else "") for row in rows
    ]
    return [metric_title(name), *shown, *(apart or [report.Cell("")] * others)]


def narrow(interval: str) -> str:
    """An interval without blanks around its dots, so that the table is no wider than the page."""
    return interval.replace(" … ", "…")


def meanings(judged: Judged) -> report.Table:
    """What each measure says, and what else is to be said of the figures."""
    names = [str(name) for name in judged.table().columns.get_level_values(0).unique()]
    rows = [[metric_title(name), meaning(name)] for name in names]
    return report.Table((), rows, "What the measures say", " ".join([MODELS, *judged.notes]), words=True, folded=True)


def segments(judged: Judged, by: str) -> report.Table:
    """The main measure of every model in every segment."""
    table = judged.segments()
    table = table[(table["metric"] == main_metric(judged)) & (table["by"] == by)]
    rows = [segment(str(name), part) for name, part in table.groupby("segment", sort=False)]
    what = "items seen" if by == "history" else "items to be found"
    return report.Table((what, "users", *judged.models), rows, "The same in figures", folded=True)


def segment(name: str, rows: pd.DataFrame) -> list[report.Cell | str]:
    """A row, a model after the other."""
    first = report.best(rows["mean"].tolist(), digits=DIGITS)
    shown = [
        report.Cell(mean_text(cell), best=top) for (_, cell), top in zip(rows[["mean", "se"]].iterrows(), first, strict=True)
    ]
    return [name, f"{int(rows['users'].iloc[0]):,}", *shown]


def tried(choice: Choice | None) -> list[report.Table]:
    """A row for every model among which one was chosen."""
    if choice is None:
        return []
    head = ("", "NDCG@100", "over the best before it", "CPU s", "")
    note = f"Compared on {choice.users:,} validation users, user by user; ± is the standard error. Bold: {choice.chosen}, which was taken."
    return [
        report.Table(head, [attempt(row, row.model == choice.chosen) for row in choice.tried], "What was tried", note, words=True)
    ]


def attempt(row: Tried, chosen: bool) -> list[report.Cell | str]:
    """What a model scored and cost, or why it was not begun."""
    name = f"{row.model} ({row.options})" if row.options else row.model
    if row.ndcg is None:
        return [name, "–", "–", "–", row.note]
    gain = "–" if row.gain is None else f"{row.gain:+.4f} ± {row.gain_se:.4f}"
    return [name, report.Cell(f"{row.ndcg:.4f} ± {row.se:.4f}", best=chosen), gain, f"{row.seconds:.1f}", row.note]
