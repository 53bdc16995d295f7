"""RUN/report.html: one page about a run that opens offline, its figures also as files."""

from __future__ import annotations

import base64
import hashlib
import io
import platform
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import torch
import yaml
from matplotlib.figure import Figure

from vaehub.data.rows import Subset
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.doctor import CHECKS, Finding, diagnose
from vaehub.evaluation.evaluate import figures_of
from vaehub.evaluation.importance import Evidence, evidence
from vaehub.evaluation.judge import judge_of_run
from vaehub.files.atomic import atomic_write
from vaehub.host.registry import registry
from vaehub.report.charts import kl_by_dimension, training_curves
from vaehub.sparse import dense
from vaehub.trained import TrainedModel

ROWS, SAMPLES = 1000, 64  # test rows of the headline figures, and draws of z for each: seconds on any model
FINGERPRINTED = 10_000  # training rows that go into the fingerprint
WIDE = 1.8  # width over height from which a figure gets the whole width of the page
PACKAGES = ("torch", "pytorch-lightning", "numpy")


@dataclass(frozen=True)
class Tile:
    """A headline figure: what it is, its value, and what to know of it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure in the page."""

    title: str
    headed: bool  # the title is still to be written above it
    wide: bool  # takes the whole width
    alt: str  # for those who cannot see it
    png: str  # base64


def write_report(run: TrainedModel) -> Path:
    """Draw everything that is known of a run into RUN/report.html and RUN/figures/*.png. Raises UsageError for a run without folder."""
    if run.path is None:
        raise UsageError("report: a model file alone has no run folder to write to; give the folder")
    path = run.path / "report.html"
    atomic_write(path, page(run, run.path).encode())
    return path


def page(run: TrainedModel, folder: Path) -> str:
    """The whole page as HTML."""
    metrics = metrics_of(folder)
    e = evidence(run.vae, Subset(run.data("test"), torch.arange(min(ROWS, len(run.data("test"))))), SAMPLES)
    findings = diagnose(run)
    figures = dict(own_figures(metrics, e)) | dict(judge_of_run(run).figures(run))
    return template().render(
        title=f"{folder.resolve().name}: {run.config.domain.name}",
        tiles=[*headline(run, e, metrics), *domain_tiles(judge_of_run(run).metrics(run, "test"))],
        pictures=[picture(title, figure, folder / "figures") for title, figure in figures.items()],
        findings=findings,
        verdict=verdict(findings),
        parts={kind: part for kind, part in run.config.to_dict().items() if isinstance(part, dict) and "name" in part},
        config=yaml.safe_dump(run.config.to_dict(), sort_keys=False),
        data=fingerprint(run),
        versions=versions(run),
        command=f"vaehub train {shlex.quote(str(folder / 'config.yaml'))} --out {shlex.quote(str(folder) + '-again')}",
    )


@cache
def template() -> jinja2.Template:
    """The page with its gaps; everything put into them is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vaehub"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html")


def metrics_of(folder: Path) -> pd.DataFrame:
    """metrics.csv, without rows where there is none."""
    path = folder / "metrics.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def own_figures(metrics: pd.DataFrame, e: Evidence) -> Iterator[tuple[str, Figure]]:
    """Curves of training, where there are any, and the KL by dimension, where it factorises."""
    if len(metrics):
        yield "Training curves", training_curves(metrics)
    if e.kl_per_dim.shape[1] == e.mean.shape[1]:
        yield "KL per dimension", kl_by_dimension(e.kl_per_dim.mean(0).tolist(), e.mean.var(0, correction=0).tolist())


def headline(run: TrainedModel, e: Evidence, metrics: pd.DataFrame) -> Iterator[Tile]:
    """The figures to read first."""
    f = figures_of(e)
    yield Tile("-log p(x)", f"{f['nll']:.2f} ± {f['nll_se']:.2f}", f"nats; {f['rows']} test rows, {SAMPLES} importance samples")
    yield Tile("-ELBO", f"{-f['elbo']:.2f}", "nats per row")
    yield Tile("reconstruction", f"{-f['log_px']:.2f}", "-log p(x|z), nats per row")
    yield Tile("KL", f"{f['kl']:.2f}", "nats per row: the information in z")
    yield Tile("bits per dimension", f"{f['bits_per_dim']:.4f}", f"{run.spec.size} elements a row")
    yield Tile("active units", f"{f['active_units']} of {run.config.latent}", f"effective samples {f['ess']:.1f} of {SAMPLES}")
    if "seconds" in metrics:
        yield Tile(
            "training", clock(float(metrics["seconds"].iloc[-1])), f"{len(metrics)} epochs, {int(metrics['step'].iloc[-1])} steps"
        )


def domain_tiles(metrics: Mapping[str, Any]) -> Iterator[Tile]:
    """The domain's own figures."""
    for name, value in metrics.items():
        yield Tile(name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value))


def clock(seconds: float) -> str:
    """A duration as h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def picture(title: str, figure: Figure, folder: Path) -> Picture:
    """The figure as PNG, in the page and in the folder."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or "figure"
    atomic_write(folder / f"{name}.png", buffer.getvalue())
    alt = " ".join(filter(None, (f"{title}.", figure.get_supxlabel().replace("\n", " "))))
    width, height = figure.get_size_inches()
    return Picture(title, not figure.get_suptitle(), width > WIDE * height, alt, base64.b64encode(buffer.getvalue()).decode())


def verdict(findings: list[Finding]) -> str:
    """The doctor's opinion in a line."""
    if not findings:
        return f"Healthy: none of {len(CHECKS)} checks found a fault."
    return f"{len(findings)} of {len(CHECKS)} checks found a fault."


def fingerprint(run: TrainedModel) -> dict[str, str]:
    """Rows of each split, their shape, and a digest of the first training rows."""
    data, digest = run.data("train"), hashlib.sha256()
    with seeded("fingerprint"):
        for batch in run.batches(Subset(data, torch.arange(min(FINGERPRINTED, len(data))))):
            digest.update(dense(batch.x).cpu().contiguous().numpy().tobytes())
    rows = {f"{split} rows": f"{len(run.data(split)):,}" for split in ("train", "val", "test")}
    return {**rows, "shape of a row": str(run.spec.shape), "SHA-256 of the first training rows": digest.hexdigest()}


def versions(run: TrainedModel) -> dict[str, str]:
    """What the run was trained and reported with."""
    python = {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    machine = torch.cuda.get_device_name() if run.device.type == "cuda" else platform.machine()
    return {**registry().versions_used(run.config), **python, "platform": f"{sys.platform}, {machine}"}
