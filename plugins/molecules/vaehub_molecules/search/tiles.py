"""The figures of a search that are read first: what was found beside what was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaehub import report

if TYPE_CHECKING:
    from vaehub_molecules.search.result import Result

GIVEN = ("lead", "pool", "start")  # origins of what the search did not make


def tiles(result: Result) -> list[report.Tile]:
    """The tiles of the page.

    Arguments:
        result: what was found.

    >>> from vaehub_molecules.search.buffer import Answer, Buffer, Call, Proposal
    >>> from vaehub_molecules.search.result import Result
    >>> buffer = Buffer([Call(Proposal("CCO", "pool"), Answer((9.0, 0.1)), 0.1), Call(Proposal("CCN", "edits"), Answer((5.0, 0.9)), 0.2)])
    >>> shown = tiles(Result(buffer, ("pic50", "qed"), ("pic50", "qed"), (), budget=2))
    >>> [(tile.name, tile.value, tile.note) for tile in shown][1]
    ('highest qed', '0.9000', '0.1000 of leads and pool')
    """
    scored = result.trace[result.trace["score"].notna()]
    given = scored[scored["by"].isin(GIVEN)]
    calls = report.Tile("calls", f"{len(result.trace):,}", f"of {result.budget:,}; {result.counts['errors']:,} without a score")
    if result.several:
        highest = [
            report.Tile(f"highest {name}", digits(scored[name].max()), f"{digits(given[name].max())} of leads and pool")
            for name in result.columns
        ]
        found = int((~result.front["by"].isin(GIVEN)).sum())
        note = f"molecules that none beats in all objectives; {found:,} of them the search made"
        return [*highest, report.Tile("front", f"{len(result.front):,}", note), calls]
    best = scored["score"].sort_values(ascending=False)
    return [
        report.Tile("best score", digits(best.max()), " and ".join(result.names)),
        report.Tile("best of leads and pool", digits(given["score"].max()), f"of {len(given):,} of these that were called"),
        report.Tile("mean of the best 10", digits(best.head(10).mean()), f"AUC top-10 {result.auc(10):.4g}"),
        calls,
    ]


def digits(value: float) -> str:
    """A value with four digits, "none" where there is none."""
    return "none" if np.isnan(value) else f"{value:#.4g}"
