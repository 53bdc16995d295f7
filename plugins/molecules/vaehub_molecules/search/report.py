"""The page of a search: what was found, how much better than where it began, and how it was made."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from vaehub import UsageError, report
from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.report.cards import card, property_lines
from vaehub_molecules.report.charts import front_figure, score_figure
from vaehub_molecules.search.tiles import digits, tiles
from vaehub_molecules.use.neighbours import by_fingerprint

if TYPE_CHECKING:
    from vaehub_molecules.search.result import Result
    from vaehub_molecules.use.latent_space import LatentSpace

SHOWN, LEADS = 24, 6  # cards
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
    "bo": "written at a code that Bayesian optimisation chose in its trust region",
}
LIKENESS = "Tanimoto: of counted ECFP4, 1 is alike."
FRONTS = (
    "First those on front 1, which no molecule beats in all objectives at once; then those that only front 1 beats, and so on. Within a front those "
    "come first that are high in every objective, each scaled from the worst to the best value of this search."
)
HITS = "A hit was among the best tenth (at least 10, at most 100) of the calls before it. A proposer gets calls as it has hits."
CALLS = "A call is one canonical molecule that was not called before. What was proposed and not called cost nothing."


def search_page(result: Result, space: LatentSpace | None, folder: Path, settings: Mapping[str, Any]) -> report.Page:
    """The page of a search.

    Arguments:
        result: what it found.
        space: that it searched; None where there was no model.
        folder: where the page is to lie.
        settings: all that decided the course of the search, by name.
    """
    sections = [
        report.Section("How it went", list(charts(result))),
        report.Section("Leads", lead_cards(result.leads[:LEADS])),
        report.Section("The best molecules", best_blocks(result, space), f"{FRONTS} {LIKENESS}" if result.several else LIKENESS),
        report.Section("Where the calls came from", [origins(result)], HITS),
        report.Section(
            "What was counted",
            [report.Facts({name.replace("_", " "): f"{count:,}" for name, count in result.counts.items()})],
            CALLS,
        ),
        report.Section("How it was made", provenance(space, folder, settings)),
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


def lead_cards(leads: Sequence[str]) -> list[report.Block]:
    """The leads."""
    return (
        [report.Cards([[card(lead, "lead", (note,))] for lead, note in zip(leads, property_lines(leads), strict=True)])]
        if leads
        else []
    )


def best_blocks(result: Result, space: LatentSpace | None) -> list[report.Block]:
    """The best molecules, each beside the training molecule most like it where those are at hand."""
    best = result.best.head(SHOWN)
    if best.empty:
        return [report.Finding("No call gave a score.", "warning")]
    near = nearest_cards(best["smiles"].tolist(), space) if space is not None else []
    cards = best_cards(best, result)
    return [report.Cards([[one, two] for one, two in zip(cards, near, strict=True)] if near else [[one] for one in cards])]


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


def provenance(space: LatentSpace | None, folder: Path, settings: Mapping[str, Any]) -> list[report.Block]:
    """The command and all that decided the course of the search, with the versions of everything."""
    facts = {name: setting_text(value) for name, value in settings.items() if name != "method options"}
    options = {name: setting_text(value) for name, value in (settings.get("method options") or {}).items()}
    blocks: list[report.Block] = [report.Facts(facts, "Search")]
    if space is not None:
        about = "This command makes such a search (a pool or leads from a file are to be named, too):"
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


def command(space: LatentSpace, folder: Path, settings: Mapping[str, Any]) -> str:
    """The search as it is asked for on the command line."""
    words = ["vaehub", "molecules", "optimize", str(space.run.path or "MODEL")]
    words += [word for name in settings["objective"] for word in ("--objective", str(name))]
    words += [word for weight in settings.get("weights", ()) for word in ("--weight", f"{weight:g}")]
    words += ["--budget", str(settings["budget"]), "--method", str(settings["method"]), "--seed", str(settings["seed"])]
    for name, value in settings["constraints"].items():
        if value not in (None, (), []):
            each = value if isinstance(value, list | tuple) else [value]
            words += [word for one in each for word in (f"--{OPTIONS.get(name, name)}", str(one))]
    return shlex.join([*words, "-o", str(folder)])


OPTIONS = {"sa_max": "sa-max", "max_heavy": "max-heavy", "elements": "element"}


def best_cards(best: pd.DataFrame, result: Result) -> list[report.Card]:
    """The best molecules, with their values, properties and likeness to the lead."""
    smiles = best["smiles"].tolist()
    likeness = similarity_to_leads(smiles, result.leads)
    rows = zip(best.to_dict("records"), property_lines(smiles), likeness, strict=True)
    return [
        card(row["smiles"], card_title(i, row, result.columns), (note, similarities, origin_line(row)))
        for i, (row, note, similarities) in enumerate(rows, 1)
    ]


def origin_line(row: Mapping[Any, Any]) -> str:
    """The call of a molecule, what proposed it, and its front where there are several objectives."""
    line = f"call {row['call']:,}, by {row['by']}"
    return f"front {row['front']}, {line}" if "front" in row else line


def card_title(place: int, row: Mapping[Any, Any], columns: Sequence[str]) -> str:
    """Place and values of a molecule."""
    values = ", ".join(f"{row[name]:#.4g}" if name == "score" else f"{name} {row[name]:.3g}" for name in columns)
    return f"{place}. {values}"


def similarity_to_leads(smiles: Sequence[str], leads: Sequence[str]) -> list[str]:
    """How like the most similar lead each molecule is, in words; "" without leads."""
    if not leads or not smiles:
        return [""] * len(smiles)
    similarities = tanimoto(fingerprints(smiles), fingerprints(leads))
    which = "the lead" if len(leads) == 1 else "lead {}"
    return [f"Tanimoto {row.max():.2f} to {which.format(int(row.argmax()) + 1)}" for row in similarities]


def nearest_cards(smiles: Sequence[str], space: LatentSpace) -> list[report.Card]:
    """The training molecule most like each; none where the training data are not at hand."""
    try:
        train = space.domain.train["smiles"].tolist()
    except (UsageError, OSError):
        return []
    if not smiles:
        return []
    rows, similarities = by_fingerprint(smiles, train, 1)
    return [
        card(train[row], "was trained on" if train[row] == s else f"nearest in training: Tanimoto {value:.2f}")
        for s, row, value in zip(smiles, rows[:, 0], similarities[:, 0], strict=True)
    ]


def charts(result: Result) -> list[report.Figure]:
    """The curve of scores, or the front of several objectives with the curve of each."""
    if not len(result.trace):
        return []
    curves = [score_figure(result.trace[name].to_numpy(float), name) for name in result.columns]
    return [front_figure(result.trace, result.front, result.columns), *curves] if result.several else curves
