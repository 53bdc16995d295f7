"""`vaehub recommender recommend`: the best items for all histories of a file or folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vaehub import cli, jobs

Histories = Annotated[
    Path,
    typer.Argument(
        metavar="HISTORIES",
        help="What users had: .parquet, .csv, .tsv, .dat, .inter, .jsonl, .feather, each also .gz, .npz, or a folder of these.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="OUT", help="A .parquet or .csv file, or a folder with one for each file.", show_default=False
    ),
]
Number = Annotated[int, typer.Option("-n", "--number", "-k", min=1, help="How many items for each user.")]


def column(what: str) -> typer.models.OptionInfo:
    """An option that names a column of the histories."""
    option: typer.models.OptionInfo = typer.Option(help=f"Column of {what}.", show_default="as in training, else found")
    return option


def recommend(
    run: cli.RunPath,
    histories: Histories,
    output: Output,
    k: Number = 100,
    exclude_seen: Annotated[bool, typer.Option("--exclude-seen/--include-seen", help="Leave out items of the history.")] = True,
    candidates: Annotated[
        Path | None, typer.Option(help="A table with the only items to choose from.", show_default=False)
    ] = None,
    block: Annotated[
        Path | None,
        typer.Option(help="A table of items never to recommend; with a column of users, to these.", show_default=False),
    ] = None,
    filter: Annotated[
        str | None,
        typer.Option(
            help="Only items for which this holds, as \"year >= 1990 and 'Comedy' in genre\" (domain.items).", show_default=False
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="Only items available at that time, by their columns from and until (domain.items).", show_default=False
        ),
    ] = None,
    user: Annotated[str | None, column("users")] = None,
    item: Annotated[str | None, column("items, or of lists of them")] = None,
    weight: Annotated[str | None, column("weights or ratings")] = None,
    sep: Annotated[str | None, typer.Option(help="Between the cells of a text.", show_default="found")] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether a text begins with names.", show_default="found")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a text, such as latin-1.", show_default="found")] = None,
    mmr: Annotated[
        float | None,
        typer.Option(help="Diverse lists: the share of relevance (0 to 1) in maximal marginal relevance.", show_default=False),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(help="Lists with the user's own mixture of what stands in this column of items.", show_default=False),
    ] = None,
    calibration: Annotated[float, typer.Option(help="How much that mixture counts beside relevance, from 0 to below 1.")] = 0.5,
    popularity_penalty: Annotated[
        float | None,
        typer.Option(help="How much the log of an item's popularity is taken off its relevance.", show_default=False),
    ] = None,
    items: Annotated[
        Path | None, typer.Option(help="A table of items with the column to calibrate by.", show_default="as in training")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on where a file cannot be read.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what another model or other options have made.")] = False,
) -> None:
    """Recommend items for many users, known or not, from their histories; a job that was stopped goes on where it was.

    Example: vaehub recommender recommend runs/films histories.parquet -n 20 -o recommended.parquet
    """
    from vaehub_recommender.bulk.recommend import recommend
    from vaehub_recommender.bulk.request import Request
    from vaehub_recommender.tables import Layout

    with cli.session():
        layout = Layout(sep, header, encoding)
        request = Request(
            run,
            k=k,
            exclude_seen=exclude_seen,
            candidates=candidates,
            block=block,
            user=user,
            item=item,
            weight=weight,
            layout=layout,
            mmr=mmr,
            calibrate=calibrate,
            calibration=calibration,
            popularity_penalty=popularity_penalty,
            items=items,
            filter=filter,
            at=at,
        )
        manifest = recommend(request, histories, output, skip_bad=skip_bad, force=force)
    print(*summary(manifest), sep="\n")


def summary(manifest: jobs.Manifest) -> list[str]:
    """What was written, and what of the histories was of no use."""
    counts = manifest.counts
    lines = [f"{counts['users']:,} users in {len(manifest.done):,} files: {counts['rows']:,} recommendations"]
    if counts["unknown"]:
        lines.append(f"{counts['unknown']:,} entries of histories name items that the model does not know, and were left out")
    if counts["popular"]:
        lines.append(f"{counts['popular']:,} users have no item that it knows, and got what is popular")
    if counts["blocked"]:
        lines.append(f"{counts['blocked']:,} users have items that are blocked for them alone")
    if manifest.skipped:
        lines.append(f"{len(manifest.skipped):,} files could not be read, and were left out")
    return [*lines, str(manifest.path)]
