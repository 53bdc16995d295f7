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
        help="What to maximise: qed, mw:200..450, similarity:SMILES, module:function, 'cmd:dock.sh {smiles_file} {out_file}', …; "
        "min:NAME to minimise. Give it again for several at once.",
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
    similarity_each: Annotated[float | None, limit("Least similarity to every lead.")] = None,
    similarity_max: Annotated[float | None, limit("Most similarity to any lead.")] = None,
    scaffold: Annotated[
        list[str] | None,
        limit(
            "A SMARTS pattern that must be there, or a core with attachment points, 'c1ccc([*:1])cc1'; give it again for others."
        ),
    ] = None,
    forbid: Annotated[list[str] | None, limit("A SMARTS pattern that must not be there; give it again for others.")] = None,
    alerts: Annotated[
        list[str] | None,
        limit("A set of structural alerts that must not be there: pains, brenk, moses; give it again for others."),
    ] = None,
    max_heavy: Annotated[int | None, limit("Most heavy atoms.")] = None,
    sa_max: Annotated[float | None, limit("Most that synthetic accessibility may be, 1 easy to 10 hard.")] = None,
    element: Annotated[list[str] | None, limit("An element that may occur; give it again for others.")] = None,
    cond: Annotated[
        str | None, typer.Option(help="What a model with conditions is asked for: qed=0.9,logp=2.", show_default=False)
    ] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(help="Of each objective, in order, in their product or sum.", show_default="all alike"),
    ] = None,
    combine: Annotated[
        Literal["pareto", "product", "sum"] | None,
        typer.Option(help="What is sought of several objectives.", show_default="product with weights, else pareto"),
    ] = None,
    minimize: Annotated[bool, typer.Option("--minimize", help="Low values are the best, of all objectives.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that call; 0: this one.", show_default="one a core")
    ] = None,
    seconds: Annotated[float, typer.Option(help="After which a call is stopped, for each of its molecules.")] = 60.0,
    batch: Annotated[int, typer.Option(min=1, help="Molecules at once, for a program or a function that takes many.")] = 32,
    retries: Annotated[int, typer.Option(min=0, help="Further tries for molecules of a batch that failed.")] = 1,
    seed: cli.Seed = 0,
) -> None:
    """Search for molecules that score best: tables, an SDF file and a page of drawings in OUT. Without RUN the model that ships proposes them.

    Example: vaehub molecules optimize --start leads.smi --objective qed --budget 2000 -o best
    """
    from vaehub_molecules.search import Constraints
    from vaehub_molecules.search.optimize import optimize as search
    from vaehub_molecules.search.optimize import space_of

    limits = Constraints(
        similarity,
        tuple(scaffold or ()),
        max_heavy,
        sa_max,
        tuple(element or ()),
        tuple(forbid or ()),
        tuple(alerts or ()),
        similarity_each,
        similarity_max,
    )
    with cli.session():
        space = space_of(cli.open_run(run), cond.split(",") if cond else ())
        result = search(
            space,
            objective,
            budget,
            method,
            start or (),
            limits,
            seed,
            output,
            workers,
            seconds,
            weight or (),
            pool,
            minimize,
            combine,
            batch,
            retries,
            cond.split(",") if cond else (),
        )
    print(*summary(result), output / "report.html", sep="\n")


def best_lines(result: Result) -> list[str]:
    """The best molecule; of several objectives the one that is best in all together, and the best in each."""
    if result.best.empty:
        return []
    best, front = result.best.iloc[0], result.front
    if not result.several:
        made_of = ", ".join(f"{name} {best[name]:.6g}" for name in result.measured)
        return [f"best {best.score:.6g}: {best.smiles}{f' ({made_of})' if made_of else ''}"]
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
