"""`vaehub recommender explain` and `similar`: questions about single users and items, asked in words at a prompt."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub import UsageError, cli, hints

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vaehub_recommender.recommender import Recommender
    from vaehub_recommender.tables import Ids

Number = Annotated[int, typer.Option("-n", "--number", "-k", min=1, help="How many.")]


def explain(
    run: cli.RunPath,
    item: Annotated[str, typer.Option(help="The item whose score is explained.", show_default=False)],
    user: Annotated[str | None, typer.Option(help="A user of the training table.", show_default=False)] = None,
    history: Annotated[
        str | None,
        typer.Option(help="Or the items of anyone, with commas between; quote those that have commas.", show_default=False),
    ] = None,
    k: Number = 10,
) -> None:
    """Show which items of a history carry the score of an item.

    Example: vaehub recommender explain runs/films --item 'Noir film 01' --history 'Noir film 02, Space film 03'
    """
    from vaehub_recommender.recommender import Recommender

    with cli.session():
        recommender = Recommender.load(run)
        asked = user_or_history(recommender, user, history)
        (item_id,) = written_ids(recommender.fitted.items, [item], "item")
        frame = recommender.explain(asked, item_id, k)
    print_frame(frame)
    print(f"score {frame.attrs['score']:.4f}, of which {frame.attrs['base']:.4f} without any history")


def similar(
    run: cli.RunPath,
    items: Annotated[list[str], typer.Argument(metavar="ITEM…", help="Items of the model.", show_default=False)],
    k: Number = 10,
) -> None:
    """Show the items that the model takes for most alike.

    Example: vaehub recommender similar runs/films 'Noir film 01' -n 5
    """
    from vaehub_recommender.recommender import Recommender

    with cli.session():
        recommender = Recommender.load(run)
        frame = recommender.similar_items(written_ids(recommender.fitted.items, items, "item"), k)
    print_frame(frame)


def user_or_history(recommender: Recommender, user: str | None, history: str | None) -> Any:
    """A known user, or a history of items. Raises UsageError where both are given or none is."""
    if (user is None) == (history is None):
        raise UsageError("whose recommendation? give --user, one of the training table, or --history, items with commas between")
    if user is not None:
        return written_ids(recommender.fitted.users, [user], "user")[0]
    words = next(csv.reader([history or ""], skipinitialspace=True), [])
    return [written_ids(recommender.fitted.items, words, "item")]


def written_ids(ids: Ids, words: Sequence[str], kind: str) -> list[Any]:
    """The ids of users or items that are written so. Raises UsageError for one that the model does not know."""
    positions = ids.spelled(words)
    if (positions < 0).any():
        word = words[int((positions < 0).argmax())]
        hint = hints.did_you_mean(word, map(str, ids.values)) if len(ids) else ""
        remedy = hint if hint.startswith("did") else f"it knows {len(ids):,}"
        raise UsageError(f"{kind} {word!r}: is not known to the model; {remedy}")
    return ids.take(positions).tolist()


def print_frame(frame: pd.DataFrame) -> None:
    """A table with four digits behind the point."""
    rows = [[f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in frame.itertuples(index=False)]
    cli.print_table([str(name) for name in frame], rows)
