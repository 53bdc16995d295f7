"""From the result of a search to what its page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaehub.errors import UsageError
from vaehub.report.run_page import versions
from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.report.cards import Card, told
from vaehub_molecules.report.charts import pareto, score_curve
from vaehub_molecules.report.findings import Measure, SearchFindings
from vaehub_molecules.report.look import Picture, picture
from vaehub_molecules.use.neighbours import by_fingerprint

if TYPE_CHECKING:
    from vaehub_molecules.search import Result
    from vaehub_molecules.use.codec import Codec

SHOWN, LEADS = 24, 6  # cards
PLACES = 100  # of the front, at most


def gather_search(result: Result, codec: Codec, title: str) -> SearchFindings:
    """All that the page shows."""
    several = len(result.columns) > 1
    best = (result.front if several else result.best).head(SHOWN)
    smiles = best["smiles"].tolist()
    return SearchFindings(
        title=title,
        about=f"{' and '.join(result.names)}; {len(result.trace):,} of {result.budget:,} calls",
        tiles=tiles(result),
        leads=[
            Card(lead, "lead", (note, lead)) for lead, note in zip(result.leads[:LEADS], told(result.leads[:LEADS]), strict=True)
        ],
        best=cards(best, result),
        nearest=nearest_cards(smiles, codec),
        pictures=pictures(result),
        counts=[Measure(name.replace("_", " "), f"{count:,}") for name, count in result.counts.items()],
        made={
            "objective": ", ".join(result.names),
            "budget": f"{result.budget:,} calls",
            **versions(codec.run),
        },
    )


def tiles(result: Result) -> list[Measure]:
    """The figures to read first."""
    scores = result.trace["score"].to_numpy(float)
    best = np.sort(scores[np.isfinite(scores)])[::-1]
    out = [
        Measure("best score", f"{best[0]:#.4g}" if len(best) else "none", " and ".join(result.names)),
        Measure("mean of the best 10", f"{best[:10].mean():#.4g}" if len(best) else "none", f"AUC top-10 {result.auc(10):.4g}"),
        Measure("calls", f"{len(scores):,}", f"of {result.budget:,}; {result.counts['errors']:,} without a score"),
    ]
    if len(result.columns) > 1:
        out.append(Measure("front", f"{len(result.front):,}", "molecules that none beats in all objectives"))
    return out


def cards(best: pd.DataFrame, result: Result) -> list[Card]:
    """The best molecules, with their values, properties and likeness to the lead."""
    smiles = best["smiles"].tolist()
    likeness = to_leads(smiles, result.leads)
    rows = zip(best.to_dict("records"), told(smiles), likeness, strict=True)
    return [
        Card(
            row["smiles"],
            head(i, row, result.columns),
            tuple(filter(None, (note, alike, f"call {row['call']:,}, by {row['by']}", row["smiles"]))),
        )
        for i, (row, note, alike) in enumerate(rows, 1)
    ]


def head(place: int, row: Mapping[Any, Any], columns: Sequence[str]) -> str:
    """Place and values of a molecule."""
    values = ", ".join(f"{row[name]:#.4g}" if name == "score" else f"{name} {row[name]:.3g}" for name in columns)
    return f"{place}. {values}"


def to_leads(smiles: Sequence[str], leads: Sequence[str]) -> list[str]:
    """How like the most similar lead each molecule is, in words; "" without leads."""
    if not leads or not smiles:
        return [""] * len(smiles)
    alike = tanimoto(fingerprints(smiles), fingerprints(leads))
    which = "the lead" if len(leads) == 1 else "lead {}"
    return [f"Tanimoto {row.max():.2f} to {which.format(int(row.argmax()) + 1)}" for row in alike]


def nearest_cards(smiles: Sequence[str], codec: Codec) -> list[Card]:
    """The training molecule most like each; none where the training data are not at hand."""
    try:
        train = codec.domain.train["smiles"].tolist()
    except (UsageError, OSError):
        return []
    if not smiles:
        return []
    rows, alike = by_fingerprint(smiles, train, 1)
    return [
        Card(train[row], "was trained on" if train[row] == s else f"nearest in training: Tanimoto {value:.2f}", (train[row],))
        for s, row, value in zip(smiles, rows[:, 0], alike[:, 0], strict=True)
    ]


def pictures(result: Result) -> list[Picture]:
    """The curve of scores, and the front of several objectives."""
    if not len(result.trace):
        return []
    curve = picture(
        "Score against calls", score_curve(result.trace["score"].to_numpy(float)), "Best score and means of the best by calls."
    )
    if len(result.columns) < 2:
        return [curve]
    chart = pareto(result.trace, result.front.head(PLACES), result.columns)
    return [picture("The front", chart, "Calls by the first two objectives, those that none beats marked."), curve]
