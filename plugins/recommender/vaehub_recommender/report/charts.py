"""The figures: how good by segment, and what is shown to users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from vaehub import report
from vaehub_recommender.judge import Judged
from vaehub_recommender.judge.items import LIST
from vaehub_recommender.report.verdict import interaction_shares, main_metric, metric_title

MODELS = (report.BLUE, report.ORANGE, report.FAINT, report.GREEN, report.LIGHT["purple"])  # the model in question first
MARKERS = "osD^v"


def segment_figure(judged: Judged, by: str, canvas: report.Canvas) -> Figure:
    """The main measure of every model in every segment: mean ± standard error over its users."""
    metric = main_metric(judged)
    table = judged.segments().query("by == @by and metric == @metric")
    segments = table.drop_duplicates("segment")
    labels = [f"{s}\n{report.plural(n, 'user')}" for s, n in zip(segments["segment"], segments["users"], strict=True)]
    figure = canvas.figure(0.95 + 0.62 * len(labels))
    axes = figure.subplots()
    for place, (model, marker, colour) in enumerate(zip(judged.models, MARKERS, MODELS, strict=False)):
        part = table[table["model"] == model]
        axes.errorbar(
            part["mean"], np.arange(len(part)) + row_offset(place, judged.models), xerr=part["se"].fillna(0.0), fmt=marker,
            color=colour, markersize=5.5, elinewidth=1.4, capsize=2.5, label=model,
        )  # fmt: skip
    label_rows(axes, labels, f"{metric_title(metric)}, mean ± standard error")
    axes.set_xlim(left=-0.015 * axes.get_xlim()[1])
    legend(figure)
    return figure


def length_figure(judged: Judged, canvas: report.Canvas) -> Figure:
    """NDCG and recall of every model by the number of places that count, mean ± standard error."""
    table = judged.curves()
    figure = canvas.figure(5.6 if canvas.narrow else 2.9)
    panels = figure.subplots(*((2, 1) if canvas.narrow else (1, 2)), squeeze=False).ravel()
    for axes, (measure, part) in zip(panels, table.groupby("measure", sort=False), strict=True):
        for model, marker, colour in zip(judged.models, MARKERS, MODELS, strict=False):
            line = part[part["model"] == model]
            axes.errorbar(
                line["k"], line["mean"], yerr=line["se"].fillna(0.0), fmt=f"{marker}-", color=colour, markersize=4, elinewidth=1,
                capsize=2, label=model,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xticks(part["k"].unique(), [str(k) for k in part["k"].unique()], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("k")
        axes.set_title(metric_title(f"{measure}@k"), loc="left")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=4, columnspacing=1.2, handletextpad=0.5)
    return figure


def row_offset(place: int, models: Sequence[str]) -> float:
    """Where in its row a model is drawn."""
    return 0.2 * (place - (len(models) - 1) / 2)


def exposure_figure(judged: Judged, canvas: report.Canvas) -> Figure:
    """Of what is recommended, the share in each band of popularity, beside the band's share of all interactions."""
    shares = judged.exposure()
    figure = canvas.figure(0.95 + 0.68 * len(shares))
    axes = figure.subplots()
    for place, (model, colour) in enumerate(zip(judged.models, MODELS, strict=False)):
        axes.barh(np.arange(len(shares)) + row_offset(place, judged.models), shares[model], 0.17, color=colour, label=model)
    at = np.arange(len(shares))
    axes.vlines(interaction_shares(judged), at - 0.38, at + 0.38, color=report.INK, linewidth=1.8, label="what users choose")
    label_rows(axes, [label.replace(" (", "\n(") for label in shares.index], f"share of the first {LIST} places of all lists")
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    legend(figure)
    return figure


def legend(figure: Figure) -> None:
    """Who is who, above the axes."""
    columns = 2 if figure.get_figwidth() < report.HALF.width else 4
    figure.legend(loc="outside upper left", ncols=columns, columnspacing=1.2, handletextpad=0.5)


def label_rows(axes: Axes, labels: Sequence[str], xlabel: str) -> None:
    """Labels down the left side, one a row, and what is along the bottom."""
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(labels)), [report.truncated(label, 60) for label in labels], color=report.INK)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(xlabel)
