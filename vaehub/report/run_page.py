"""RUN/report.html: one page about a run, with the sections that its domain adds; its charts also as files in RUN/figures/."""

from __future__ import annotations

import hashlib
import math
import platform
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml
from torch import Tensor

from vaehub.data.rows import Subset
from vaehub.data.seeds import seeded
from vaehub.errors import UsageError
from vaehub.evaluation.doctor import Diagnosis, examine
from vaehub.evaluation.evaluate import ACTIVE, figures_of
from vaehub.evaluation.judge import judge_of_run
from vaehub.evaluation.measured import SAMPLES, domain_metrics, test_evidence
from vaehub.files.atomic import atomic_write
from vaehub.files.history import read_history
from vaehub.host.registry import registry
from vaehub.report.page import Page
from vaehub.report.parts import Beside, Block, Code, Facts, Finding, Section, Table, Tile, Tiles
from vaehub.report.run_figures import latent_map, learning_curves, use_of_dimensions
from vaehub.report.style import WIDE, drawn, png
from vaehub.sparse import dense
from vaehub.trained import TrainedModel

FINGERPRINTED = 10_000  # training rows that go into the fingerprint
UNFOLDED = 12  # rows of a table that is open from the start
PACKAGES = ("torch", "pytorch-lightning", "numpy")
ERROR, CHANCE = "_se", "_chance"  # ends of a figure's name that make it the standard error, or what guessing gives, of another


def write_report(run: TrainedModel) -> Path:
    """Draw everything that is known of a run into RUN/report.html and RUN/figures/*.png, and give the path of the page.

    Arguments:
        run: the trained model, loaded from its folder.

    Raises:
        UsageError: it is a model file without the folder of a run.
    """
    if run.path is None:
        raise UsageError("report: a model file alone has no run folder to write to; give the folder")
    page = run_page(run, run.path)
    for figure in page.figures():
        atomic_write(run.path / "figures" / f"{slug(figure.title)}.png", png(drawn(figure.draw, WIDE)))
    return page.write(run.path / "report.html")


def slug(title: str) -> str:
    """A title as the name of a file."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower().partition(":")[0]).strip("_") or "figure"


def run_page(run: TrainedModel, folder: Path) -> Page:
    """The whole page: the engine's sections around those of the domain."""
    diagnosis = examine(run)
    metrics, figures, judge = read_history(folder), domain_metrics(run), judge_of_run(run)
    sections = [
        Section("Findings", list(findings(diagnosis))),
        Section("Training", list(learning_curves(metrics, run.config.train.monitor))),
        Section("Latent space", latent_figures(run)),
        *judge.sections(run),
        Section("All figures of the domain", [metric_table(figures, judge.headline)] if figures else []),
        Section("How it was made", provenance(run, folder)),
    ]
    return Page(
        title=folder.resolve().name,
        subtitle="A variational autoencoder, trained and reported by vaehub",
        chips=parts_of(run),
        lead=[Tiles([*headline(run, metrics), *domain_tiles(figures, judge.headline)])],
        sections=[section for section in sections if section.blocks],
    )


def parts_of(run: TrainedModel) -> dict[str, str]:
    """The names of the parts that a model is made of."""
    return {kind: part["name"] for kind, part in run.config.to_dict().items() if isinstance(part, dict) and "name" in part}


def headline(run: TrainedModel, metrics: pd.DataFrame) -> Iterator[Tile]:
    """The figures to read first, each with its standard error over rows."""
    e = test_evidence(run)
    f, rows = figures_of(e), len(run.data("test"))
    of = f"{f['rows']:,} test rows" if f["rows"] == rows else f"the first {f['rows']:,} of {rows:,} test rows"
    yield Tile("-log p(x)", mean_and_error(-e.log_evidence), f"nats; {of}, {SAMPLES} importance samples")
    yield Tile("-ELBO", mean_and_error(-e.elbo), f"nats per row; {of}")
    yield Tile("reconstruction", mean_and_error(-e.log_px), f"-log p(x|z), nats per row; {of}")
    yield Tile("KL", mean_and_error(e.kl), f"nats per row: the information in z; {of}")
    bits = f["nll_se"] * f["rows"] / float(e.observed.sum()) / math.log(2)
    yield Tile(
        "bits per dimension", with_error(f["bits_per_dim"], bits, 3), f"-log2 p(x) by observed element; {run.spec.size} a row"
    )
    yield Tile(
        "active units",
        f"{f['active_units']} of {run.config.latent}",
        f"Var E[z|x] > {ACTIVE}; effective samples {f['ess']:.1f} of {SAMPLES}",
    )
    if "seconds" in metrics:
        seconds, steps = float(metrics["seconds"].iloc[-1]), int(metrics["step"].iloc[-1])
        yield Tile("training", clock_time(seconds), f"{len(metrics)} epochs, {steps} steps")


def mean_and_error(values: Tensor) -> str:
    """Mean ± standard error over rows (N,)."""
    return with_error(float(values.mean()), float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else math.nan, 2)


def with_error(value: float, error: float, digits: int) -> str:
    """A figure with its standard error, where it has one."""
    return f"{value:.{digits}f}" + ("" if math.isnan(error) else f" ± {error:.{digits}f}")


def domain_tiles(figures: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[Tile]:
    """The figures that the domain wants read first."""
    for name, meaning in words.items():
        if name in figures:
            yield Tile(name.replace("_", " "), figure_text(figures, name), meaning + chance_text(figures, name))


def metric_table(figures: Mapping[str, Any], words: Mapping[str, str]) -> Table:
    """Every figure of the domain with its error, what guessing gives, and what it says."""
    named = [name for name in figures if not is_error_or_chance(name, figures)]
    rows = [
        [name.replace("_", " "), figure_text(figures, name), words.get(name, "").strip() + chance_text(figures, name)]
        for name in named
    ]
    title = f"{len(rows)} figures on the test, as vaehub evaluate prints them"
    return Table(("figure", "value", "what it says"), rows, title, "± standard error.", words=True, folded=len(rows) > UNFOLDED)


def is_error_or_chance(name: str, figures: Mapping[str, Any]) -> bool:
    """Whether a figure belongs to another."""
    return any(name.endswith(end) and name.removesuffix(end) in figures for end in (ERROR, CHANCE))


def figure_text(figures: Mapping[str, Any], name: str) -> str:
    """A figure with its standard error, where the domain gives one."""
    value, error = figures[name], figures.get(name + ERROR, math.nan)
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if math.isnan(error) else f"{text} ± {error:.2g}"


def chance_text(figures: Mapping[str, Any], name: str) -> str:
    """What guessing gives, where the domain says so."""
    return f"; guessing gives {figures[name + CHANCE]:.3g}" if name + CHANCE in figures else ""


def clock_time(seconds: float) -> str:
    """A duration as h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def findings(diagnosis: Diagnosis) -> Iterator[Block]:
    """What was looked at and what was found: no more than that."""
    yield Finding(diagnosis.verdict, "" if diagnosis.findings else "good", checked=diagnosis.checks)
    for fault in diagnosis.findings:
        yield Finding(f"{fault.evidence}.", fault.severity, f"{fault.name} ({fault.severity})", f"{fault.advice}.")


def latent_figures(run: TrainedModel) -> list[Block]:
    """The map of codes, and what each dimension carries."""
    e = test_evidence(run)
    labels = run.data("test").labels
    found = [
        latent_map(e.mean, None if labels is None else labels[: len(e.mean)].cpu().numpy(), run.codec.classes),
        use_of_dimensions(e),
    ]
    beside = [figure for figure in found if figure is not None and figure.half]
    wide = [figure for figure in found if figure is not None and not figure.half]
    return [*([Beside(beside)] if beside else []), *wide]


def provenance(run: TrainedModel, folder: Path) -> list[Block]:
    """The command, the data, the versions and the whole configuration."""
    command = f"vaehub train {shlex.quote(str(folder / 'config.yaml'))} --out {shlex.quote(str(folder) + '-again')}"
    return [
        Code(command, "This command trains the same model again:"),
        Beside([Facts(fingerprint(run), "Data"), Facts(versions(run), "Versions")]),
        Code(yaml.safe_dump(run.config.to_dict(), sort_keys=False), "The whole configuration", folded=True),
    ]


def fingerprint(run: TrainedModel) -> dict[str, str]:
    """Rows of each split, their shape, and a digest of the first training rows."""
    data, digest = run.data("train"), hashlib.sha256()
    with seeded("fingerprint"):
        for batch in run.batches(Subset(data, torch.arange(min(FINGERPRINTED, len(data))))):
            digest.update(dense(batch.x).cpu().contiguous().numpy().tobytes())
    rows = {f"{split} rows": f"{len(run.data(split)):,}" for split in ("train", "val", "test")}
    return {**rows, "shape of a row": str(run.spec.shape), "SHA-256 of the first training rows": digest.hexdigest()}


def versions(run: TrainedModel) -> dict[str, str]:
    """What a run was trained and reported with: versions by name.

    Arguments:
        run: the trained model.

    >>> from vaehub import train
    >>> run = train({"likelihood": "normal", "train": {"epochs": 1}}, data=[[float(i)] for i in range(20)], progress=False)
    >>> sorted(versions(run))[:2]
    ['Python', 'numpy']
    """
    python = {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    machine = torch.cuda.get_device_name() if run.device.type == "cuda" else platform.machine()
    return {**registry().versions_used(run.config), **python, "platform": f"{sys.platform}, {machine}"}
