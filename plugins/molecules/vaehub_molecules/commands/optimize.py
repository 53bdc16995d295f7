"""`vaehub molecules optimize`: search for molecules that score best, every call counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vaehub import cli

if TYPE_CHECKING:
    from vaehub_molecules.search import Result

DRUGS = Path("molecules/drugs")  # the model that ships
Names = Annotated[
    list[str],
    typer.Option(
        "--objective",
        metavar="NAME",
        help="What to maximise: qed, similarity:SMILES, …, or module:function of your own. Give it again for several at once.",
        show_default=False,
    ),
]
Folder = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="OUT", help="A folder; a search that was stopped goes on there.", show_default=False),
]


def limit(what: str, **more: float) -> typer.models.OptionInfo:
    """An option that limits what is proposed."""
    option: typer.models.OptionInfo = typer.Option(help=what, show_default="no limit", **more)  # type: ignore[arg-type]
    return option


def optimize(
    run: cli.RunPath = DRUGS,
    *,
    objective: Names,
    output: Folder,
    budget: Annotated[int, typer.Option(min=1, help="Calls of the objective.")] = 10_000,
    method: Annotated[Literal["hybrid", "gradient", "bo", "evolve"], typer.Option(help="How to search.")] = "hybrid",
    start: Annotated[Path | None, typer.Option(help="A file of leads.", show_default="none")] = None,
    pool: Annotated[Path | None, typer.Option(help="A file of molecules to begin with.", show_default="the model's own")] = None,
    similarity: Annotated[float | None, limit("Least similarity to the nearest lead, 0 to 1.")] = None,
    scaffold: Annotated[str | None, limit("A SMARTS pattern that must be there.")] = None,
    max_heavy: Annotated[int | None, limit("Most heavy atoms.")] = None,
    sa_max: Annotated[float | None, limit("Most that synthetic accessibility may be, 1 easy to 10 hard.")] = None,
    element: Annotated[list[str] | None, limit("An element that may occur; give it again for others.")] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(help="Of each objective, in order: their product is sought.", show_default="the Pareto front"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that call; 0: this one.", show_default="one a core")
    ] = None,
    seconds: Annotated[float, typer.Option(help="After which a call is stopped; it counts.")] = 60.0,
    seed: cli.Seed = 0,
) -> None:
    """Search for molecules that score best: tables, an SDF file and a page of drawings in OUT. Without RUN the model that ships proposes them.

    Example: vaehub molecules optimize --start leads.smi --objective qed --budget 2000 -o best
    """
    from vaehub_molecules.search import Constraints
    from vaehub_molecules.search.optimize import optimize as search
    from vaehub_molecules.search.optimize import space_of
    from vaehub_molecules.search.pool import read_leads

    limits = Constraints(similarity, scaffold, max_heavy, sa_max, tuple(element or ()))
    with cli.session():
        space = space_of(cli.open_run(run))
        leads = read_leads(start, space.policy) if start else []
        result = search(
            space,
            objective,
            budget,
            method,
            leads,
            limits,
            seed,
            output,
            workers,
            seconds,
            weight or (),
            pool,
        )
    print(*summary(result), output / "report.html", sep="\n")


def best_lines(result: Result) -> list[str]:
    """The best molecule; of several objectives the one that is best in all together, and the best in each."""
    if result.best.empty:
        return []
    best, front = result.best.iloc[0], result.front
    if not result.several:
        return [f"best {best.score:.6g}: {best.smiles}"]
    highest = {f"highest {name}": front.iloc[int(front[name].to_numpy().argmax())] for name in result.columns}
    return [
        f"{what}: {row.smiles} ({', '.join(f'{name} {row[name]:.6g}' for name in result.columns)})"
        for what, row in {"best in all together": best, **highest}.items()
    ]


def summary(result: Result) -> list[str]:
    """What was found, at what cost."""
    trace, counts = result.trace, result.counts
    lines = [f"{counts['calls']:,} calls in {trace.time.max():.0f} s, {counts['errors']:,} of them failed"]
    lines += best_lines(result)
    refused = [f"{count:,} {reason}" for reason, count in counts.items() if reason not in ("calls", "errors")]
    return [*lines, f"proposed and not called: {', '.join(refused) or 'none'}", *result.notes]
