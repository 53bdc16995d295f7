"""The charts that every run has: curves of training, use of the latent space, and a map of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Chart
from torch import Tensor

from vaehub.evaluation.evaluate import ACTIVE
from vaehub.evaluation.importance import Evidence
from vaehub.report.charts import Array, Cloud, Line, Panel, bars, cloud, curves, plane
from vaehub.report.parts import Figure
from vaehub.report.style import BLUE, FAINT, ORANGE, REST, Canvas

SHOWN = 128  # latent dimensions in one chart
BOUND = {"elbo": ("-ELBO", -1), "log_px": ("reconstruction, -log p(x|z)", -1), "kl": ("KL(q(z|x) ‖ p(z))", 1)}
TITLES = {"loss": "loss", **{name: title for name, (title, _) in BOUND.items()}}


def learning_curves(metrics: pd.DataFrame, monitor: str) -> Iterator[Figure]:
    """What the epochs of a training tell: the bound and its parts, the domain's own validation figures, learning rate and time.

    Arguments:
        metrics: a row for every epoch, as `run.history` and metrics.csv have them.
        monitor: the column by which the kept epoch was chosen.

    >>> list(learning_curves(pd.DataFrame(), "val_elbo"))
    []
    """
    if not len(metrics):
        return
    best = best_epoch(metrics, monitor)
    panels = [bound_panel(metrics, name, best) for name in BOUND]
    caption = "Nats per row by epoch: means over an epoch (training), and at its end on validation rows. Lower is better, except for the KL."
    yield Figure(
        "The bound and its parts",
        lambda canvas: curves(panels, canvas),
        caption,
        caption,
        kept_epoch_note(metrics, monitor, best),
    )
    own = [domain_panel(metrics, name, best) for name in domain_figures(metrics)][:3]
    if own:
        words = f"The domain's own figures on validation rows by epoch; {monitor} decides which epoch is kept."
        yield Figure("What else was validated", lambda canvas: curves(own, canvas, 1.9), words, words)
    pace = list(rate_and_time_panels(metrics))
    if pace:
        words = "By epoch: the optimiser's learning rate, and the seconds that an epoch took with its validation."
        yield Figure("Learning rate and time", lambda canvas: curves(pace, canvas, 1.9), words, words)


def best_epoch(metrics: pd.DataFrame, monitor: str) -> int | None:
    """The epoch, from 1, whose model was kept: the one with the greatest monitored figure."""
    values = pd.to_numeric(metrics[monitor], errors="coerce") if monitor in metrics else pd.Series(dtype=float)
    return None if values.dropna().empty else int(values.to_numpy(dtype=float, na_value=-np.inf).argmax()) + 1


def kept_epoch_note(metrics: pd.DataFrame, monitor: str, best: int | None) -> str:
    """Which epoch the model is of."""
    return "" if best is None else f"The model is that of epoch {best} of {len(metrics)}, the one with the best {monitor}."


def bound_panel(metrics: pd.DataFrame, name: str, best: int | None) -> Panel:
    """One part of the bound on training and validation rows; under -ELBO also the loss, where it is another quantity."""
    title, sign = BOUND[name]
    lines = [line(metrics, f"train_{name}", "training", BLUE, sign), line(metrics, f"val_{name}", "validation", ORANGE, sign)]
    if name == "elbo" and "train_loss" in metrics and not is_negative(metrics["train_loss"], metrics.get("train_elbo")):
        lines.append(line(metrics, "train_loss", "training loss", FAINT, 1, ":"))
    return Panel(title, [each for each in lines if each is not None], "epoch", "nats", kept_epoch_mark(best))


def kept_epoch_mark(best: int | None) -> tuple[float, str] | None:
    """The line at the epoch that was kept."""
    return None if best is None else (best, "the epoch that was kept")


def line(metrics: pd.DataFrame, column: str, label: str, colour: str, sign: int = 1, style: str = "-") -> Line | None:
    """One column by epoch, where the run has it."""
    if column not in metrics:
        return None
    values = sign * pd.to_numeric(metrics[column], errors="coerce").dropna()
    return Line(label, [float(epoch) + 1 for epoch in values.index], values.tolist(), colour, style)


def is_negative(loss: pd.Series[float], bound: pd.Series[float] | None) -> bool:
    """Whether the loss is minus the bound, so that one line shows both."""
    return bound is not None and bool(np.allclose(loss, -bound, rtol=1e-3))


def domain_figures(metrics: pd.DataFrame) -> list[str]:
    """Validation figures that are not parts of the bound."""
    names = [str(name).removeprefix("val_") for name in metrics if str(name).startswith("val_")]
    return [name for name in names if name not in TITLES and f"train_{name}" not in metrics]


def domain_panel(metrics: pd.DataFrame, name: str, best: int | None) -> Panel:
    """One of the domain's figures."""
    found = line(metrics, f"val_{name}", "validation", ORANGE)
    return Panel(name.replace("_", " "), [found] if found else [], "epoch", mark=kept_epoch_mark(best))


def rate_and_time_panels(metrics: pd.DataFrame) -> Iterator[Panel]:
    """Learning rate and seconds by epoch."""
    rate = line(metrics, "lr", "learning rate", BLUE)
    if rate is not None:
        yield Panel("learning rate", [rate], "epoch")
    if "seconds" in metrics:
        spent = np.diff(pd.to_numeric(metrics["seconds"], errors="coerce"), prepend=0.0)
        yield Panel("seconds an epoch", [Line("seconds", [i + 1.0 for i in range(len(spent))], spent.tolist(), BLUE)], "epoch")


def use_of_dimensions(e: Evidence) -> Figure | None:
    """KL of every latent dimension, largest first, the active ones in colour; None where it does not factorise."""
    if e.kl_per_dim.shape[1] != e.mean.shape[1]:
        return None
    kl, active = e.kl_per_dim.mean(0).numpy(), (e.mean.var(0, correction=0) > ACTIVE).numpy()
    order = np.argsort(-kl, kind="stable")[:SHOWN]
    more = f"; the {SHOWN} largest of {len(kl)} are shown" if len(kl) > SHOWN else ""
    title = f"KL per latent dimension: {int(active.sum())} of {len(kl)} units active"
    caption = f"Nats per row, largest first. Grey: idle units, whose code hardly varies (Var E[z|x] ≤ {ACTIVE}){more}."

    def draw(canvas: Canvas) -> Chart:
        colours = [BLUE if active[d] else REST for d in order]
        return bars(kl[order].tolist(), colours, [f"z{d + 1}" for d in order], "latent dimension", "KL, nats", canvas)

    return Figure(title, draw, caption, caption, f"Mean over {len(e.kl):,} test rows.", half=len(order) <= 64)


def latent_map(mean: Tensor, labels: Array | None, classes: Sequence[str]) -> Figure | None:
    """Mean codes (N, L) of test rows in the plane where they vary most, coloured by class (N,) where rows have one."""
    codes = mean.numpy()
    if len(codes) < 3 or not np.isfinite(codes).all() or codes.var(0).sum() < 1e-12:
        return None
    flat = codes.shape[1] == 2
    points, shares = (codes, np.ones(2)) if flat else plane(codes)
    axes = ("z1", "z2") if flat else tuple(f"component {i + 1}: {share:.0%} of the variance" for i, share in enumerate(shares))
    names = [str(name) for name in classes] if labels is not None else []
    kinds = labels if names else None
    shown = Cloud(points, (axes[0], axes[1]), kinds, names, words=median_labels(points, kinds, names), all_words=True)
    where = "in the latent plane" if flat else f"on the first two principal components of {codes.shape[1]} dimensions"
    named = ", coloured by class; its name stands at the median of its points" if kinds is not None else ""
    caption = f"The mean of q(z|x) of test rows {where}{named}."
    return Figure("Latent map", lambda canvas: cloud(shown, canvas), caption, caption, f"{len(codes):,} test rows.", half=True)


def median_labels(points: Array, kinds: Array | None, names: Sequence[str], most: int = 20) -> list[tuple[float, float, str]]:
    """The name of each kind at the median of its points, where there are not too many."""
    if kinds is None or len(names) > most:
        return []
    there = [(kind, points[kinds == kind]) for kind in range(len(names)) if (kinds == kind).any()]
    return [(*np.median(part, 0).tolist(), names[kind]) for kind, part in there]
