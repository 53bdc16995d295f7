"""The page of a search: what was found, how much better than where it began, and how it was made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from vaehub import report
from vaehub_molecules.report.cards import card, property_lines
from vaehub_molecules.report.charts import front_figure, score_figure
from vaehub_molecules.report.explorer import Explorer
from vaehub_molecules.search.hits import SHOWN, hits_of, lead_titles, lineage_of
from vaehub_molecules.search.provenance import command
from vaehub_molecules.search.tiles import digits, tiles

if TYPE_CHECKING:
    from vaehub_molecules.search.result import Result
    from vaehub_molecules.use.latent_space import LatentSpace

LEADS = 6  # cards
ORIGINS = {
    "lead": "a molecule that was given to start from",
    "pool": "a molecule of the pool, as it is: the first at random, then as the surrogate ranks them",
    "start": "a molecule that ascent started from",
    "around": "written by the model at a code near that of a good molecule (z + noise)",
    "cross": "written by the model at a code between those of two good molecules",
    "samples": "drawn from the model's prior",
    "gradient": "written along an ascent of property heads: the model's own, or fitted to the calls so far",
    "edits": "a good molecule with an atom or bond added, changed or taken away, without the model",
    "crossover": "parts of two good molecules joined, without the model",
    "decoration": "a good molecule whose substituents at the core were exchanged or changed, without the model",
    "bo": "written at a code that Bayesian optimisation chose in its trust region",
}
LIKENESS = "Tanimoto: of counted ECFP4, 1 is alike."
FRONTS = (
    "First those on front 1, which no molecule beats in all objectives at once; then those that only front 1 beats, and so on. Within a front those "
    "come first that are high in every objective, each scaled from the worst to the best value of this search."
)
HITS = "A hit was among the best tenth (at least 10, at most 100) of the calls before it. A proposer gets calls as it has hits."
CALLS = "A call is one canonical molecule that was not called before. What was proposed and not called cost nothing."


def search_page(
    result: Result,
    space: LatentSpace | None,
    folder: Path,
    settings: Mapping[str, Any],
    hits: pd.DataFrame | None = None,
    date: str = "",
) -> report.Page:
    """The page of a search.

    Arguments:
        result: what it found.
        space: that it searched; None where there was no model.
        folder: where the page is to lie.
        settings: all that decided the course of the search, by name.
        hits: the best molecules as `hits_of` gives them; computed, if not given.
        date: when it was written.
    """
    best = hits_of(result, space) if hits is None else hits
    sections = [
        report.Section("How it went", list(charts(result))),
        report.Section("Leads", lead_cards(result.leads[:LEADS], lead_titles(result))),
        report.Section("The best molecules", best_blocks(result, best), f"{FRONTS} {LIKENESS}" if result.several else LIKENESS),
        report.Section("Where the calls came from", [origins(result)], HITS),
        report.Section(
            "What was counted",
            [report.Facts({name.replace("_", " "): f"{count:,}" for name, count in result.counts.items()})],
            CALLS,
        ),
        report.Section("How it was made", provenance(space, folder, settings, date)),
    ]
    return report.Page(
        title=folder.name,
        subtitle=f"A search for molecules: {' and '.join(result.names)}; {len(result.trace):,} of {result.budget:,} calls",
        lead=[report.Tiles(tiles(result))],
        sections=[section for section in sections if section.blocks],
        links=model_link(space, folder),
    )


def model_link(space: LatentSpace | None, folder: Path) -> list[report.Link]:
    """The way to the page of the model, where there is one."""
    page = None if space is None or space.run.path is None else space.run.path.resolve() / "report.html"
    return (
        [report.Link("the model", Path(os.path.relpath(page, folder)).as_posix())] if page is not None and page.exists() else []
    )


def lead_cards(leads: Sequence[str], titles: Sequence[str]) -> list[report.Block]:
    """The leads."""
    rows = zip(leads, property_lines(leads), titles, strict=False)
    return [report.Cards([[card(lead, title, (note,))] for lead, note, title in rows])] if leads else []


def best_blocks(result: Result, hits: pd.DataFrame) -> list[report.Block]:
    """The best molecules, to be sorted, filtered and taken away."""
    if hits.empty:
        return [report.Finding("No call gave a score.", "warning")]
    shown = hits.head(SHOWN)
    lineages = lineage_of(result, shown["smiles"].tolist())
    files = f"All {len(hits):,} with every column lie beside this page in hits.csv, hits.sdf and hits.parquet."
    more = f"The best {len(shown):,}. " if len(hits) > len(shown) else ""
    return [Explorer(shown, result.columns, result.measured, lineages).widget(f"{len(shown):,} molecules", more + files)]


def origins(result: Result) -> report.Table:
    """How many calls each proposer gave, how many of them were hits, and how good they were."""
    heads = (
        "by",
        "what it is",
        "calls",
        "hits",
        "on the front" if result.several else "best score",
        f"of the best {len(result.best)}",
    )
    rows = []
    for by, part in result.trace.groupby("by", sort=False):
        success = f"{(result.front['by'] == by).sum():,}" if result.several else digits(part["score"].max())
        rows.append(
            [
                str(by),
                ORIGINS.get(str(by), ""),
                f"{len(part):,}",
                f"{part['hit'].sum():,}",
                success,
                f"{(result.best['by'] == by).sum():,}",
            ]
        )
    return report.Table(heads, rows, words=True)


def provenance(space: LatentSpace | None, folder: Path, settings: Mapping[str, Any], date: str) -> list[report.Block]:
    """The command and all that decided the course of the search, with the versions of everything."""
    facts = {
        name: setting_text(value) for name, value in settings.items() if name != "method options" and value not in (None, "", [])
    }
    options = {name: setting_text(value) for name, value in (settings.get("method options") or {}).items()}
    blocks: list[report.Block] = [report.Facts(({"date": date} if date else {}) | facts, "Search")]
    if space is not None:
        about = "This command makes such a search (leads and pools that were not files are to be named, too). provenance.json says all of this:"
        blocks.insert(0, report.Code(command(space, folder, settings), about))
    if options:
        blocks.append(
            report.Table((), [[name, value] for name, value in options.items()], "Options of the method", words=True, folded=True)
        )
    if space is None:
        return blocks
    return [
        *blocks,
        report.Facts({"model": str(space.run.path or "a model file"), **report.versions(space.run)}, "Model and versions"),
    ]


def setting_text(value: Any) -> str:
    """A setting as text; limits that were not set are left out."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {setting_text(each)}" for name, each in value.items() if each not in (None, (), [])) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def charts(result: Result) -> list[report.Figure]:
    """The curve of scores, or the front of several objectives with the curve of each."""
    if not len(result.trace):
        return []
    curves = [score_figure(result.trace[name].to_numpy(float), name) for name in result.columns]
    return [front_figure(result.trace, result.front, result.columns), *curves] if result.several else curves
