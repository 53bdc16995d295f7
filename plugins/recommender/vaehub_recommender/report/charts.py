"""The figures: how good by segment, what is shown to users, where they lie, how training went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vaehub.report.charts import curve
from vaehub_recommender.judge import Judged
from vaehub_recommender.judge.items import LIST
from vaehub_recommender.report.findings import plural
from vaehub_recommender.report.look import FAINT, INK, MARKERS, MODELS, Canvas, clean, rows
from vaehub_recommender.report.verdict import chosen, main_metric, spelled


def segment_figure(judged: Judged, by: str, canvas: Canvas) -> Figure:
    """The main measure of every model in every segment: mean ± standard error over its users."""
    metric = main_metric(judged)
    table = judged.segments().query("by == @by and metric == @metric")
    segments = table.drop_duplicates("segment")
    labels = [f"{s}\n{plural(n, 'user')}" for s, n in zip(segments["segment"], segments["users"], strict=True)]
    figure = canvas.figure(0.95 + 0.62 * len(labels))
    axes = clean(figure.subplots())
    for place, (model, marker, colour) in enumerate(zip(judged.models, MARKERS, MODELS, strict=False)):
        part = table[table["model"] == model]
        axes.errorbar(
            part["mean"], np.arange(len(part)) + shift(place, judged.models), xerr=part["se"].fillna(0.0), fmt=marker,
            color=colour, markersize=5.5, elinewidth=1.4, capsize=2.5, label=model,
        )  # fmt: skip
    rows(axes, labels, f"{spelled(metric)}, mean ± standard error")
    axes.set_xlim(left=-0.015 * axes.get_xlim()[1])
    legend(figure)
    return figure


def shift(place: int, models: Sequence[str]) -> float:
    """Where in its row a model is drawn."""
    return 0.2 * (place - (len(models) - 1) / 2)


def exposure_figure(judged: Judged, canvas: Canvas) -> Figure:
    """Of what is recommended, the share in each band of popularity, beside the band's share of all interactions."""
    shares = judged.exposure()
    figure = canvas.figure(0.95 + 0.68 * len(shares))
    axes = clean(figure.subplots())
    for place, (model, colour) in enumerate(zip(judged.models, MODELS, strict=False)):
        axes.barh(np.arange(len(shares)) + shift(place, judged.models), shares[model], 0.17, color=colour, label=model)
    at = np.arange(len(shares))
    axes.vlines(chosen(judged), at - 0.38, at + 0.38, color=INK, linewidth=1.8, label="what users choose")
    rows(axes, [label.replace(" (", "\n(") for label in shares.index], f"share of the first {LIST} places of all lists")
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    legend(figure)
    return figure


def legend(figure: Figure) -> None:
    """Who is who, above the axes."""
    figure.legend(
        loc="outside upper left", ncols=4, frameon=False, fontsize=8, columnspacing=1.2, handletextpad=0.5, labelcolor=INK
    )


def curves_figure(metrics: pd.DataFrame, canvas: Canvas) -> Figure:
    """What training tells by epoch: how well validation users are ranked, and the bound on both parts of the data."""
    ranked = "val_ndcg" in metrics
    panels = canvas.panels(1 + ranked, 2.5)
    if ranked:
        one_curve(panels[0], "NDCG@100 of validation users")
        curve(panels[0], metrics, "val_ndcg", 1, "validation", MODELS[1], "-")
        best = int(metrics["val_ndcg"].to_numpy().argmax())
        panels[0].plot(best + 1, metrics["val_ndcg"][best], "o", color=MODELS[1], markersize=7, fillstyle="none")
        panels[0].annotate(
            "best",
            (best + 1, metrics["val_ndcg"][best]),
            (0, -13),
            textcoords="offset points",
            fontsize=8,
            ha="center",
            color=FAINT,
        )
    one_curve(panels[-1], "-ELBO, nats per user")
    curve(panels[-1], metrics, "train_elbo", -1, "training", MODELS[0], "-")
    curve(panels[-1], metrics, "val_elbo", -1, "validation", MODELS[1], "-")
    panels[-1].legend(frameon=False, fontsize=8, labelcolor=INK)
    return panels[0].figure  # type: ignore[return-value]


def one_curve(axes: Axes, title: str) -> None:
    """Axes over epochs."""
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    axes.set_xlabel("epoch", fontsize=8, color=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
