"""`vaehub recommender evaluate`, `explain`, `similar` and `report`."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vaehub.cli.common import AsJson, RunPath, print_json, print_table
from vaehub.cli.session import session
from vaehub.errors import UsageError
from vaehub.hints import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from vaehub_recommender.recommender import Recommender
    from vaehub_recommender.tables import Ids

Number = Annotated[int, typer.Option("-n", "--number", "-k", min=1, help="How many.")]
Protocol = Annotated[
    Literal["strong", "last", "random"],
    typer.Option(help="strong: users whom the model never saw; last: the latest item of each user; random: a fifth of them."),
]


def evaluate(run: RunPath, protocol: Protocol = "strong", json: AsJson = False) -> None:
    """Judge a model by what was kept from it, beside EASE and popularity, by segments, with standard errors.

    Example: vaehub recommender evaluate runs/films --protocol strong
    """
    with session():
        judged = opened(run).evaluate(protocol)
    print_json(judged.to_json()) if json else print(*judged.lines(), sep="\n")


def explain(
    run: RunPath,
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
    with session():
        recommender = opened(run)
        frame = recommender.explain(who(recommender, user, history), one(recommender.fitted.items, item, "item"), k)
    print_frame(frame)
    print(f"score {frame.attrs['score']:.4f}, of which {frame.attrs['base']:.4f} without any history")


def similar(
    run: RunPath,
    items: Annotated[list[str], typer.Argument(metavar="ITEM…", help="Items of the model.", show_default=False)],
    k: Number = 10,
) -> None:
    """Show the items that the model takes for most alike.

    Example: vaehub recommender similar runs/films 'Noir film 01' -n 5
    """
    with session():
        recommender = opened(run)
        frame = recommender.similar_items(ids(recommender.fitted.items, items, "item"), k)
    print_frame(frame)


def report(run: RunPath) -> None:
    """Write a page on how good the recommendations of a saved Recommender are; of a run, the same as `vaehub report`.

    Example: vaehub recommender report runs/films
    """
    from vaehub_recommender.report import write

    with session():
        recommender = opened(run)
        trained = recommender.fitted.run
        page = trained.report() if trained.path is not None else write(recommender, run / "report.html")
    print(page)


def opened(run: Any) -> Recommender:
    """The model of a run folder or a file."""
    from vaehub_recommender.recommender import Recommender

    return Recommender.load(run)


def who(recommender: Recommender, user: str | None, history: str | None) -> Any:
    """A known user, or a list of items. Raises UsageError where both are given or none is."""
    if (user is None) == (history is None):
        raise UsageError("whose recommendation? give --user, one of the training table, or --history, items with commas between")
    if user is not None:
        return one(recommender.fitted.users, user, "user")
    words = next(csv.reader([history or ""], skipinitialspace=True), [])
    return [ids(recommender.fitted.items, words, "item")]


def one(known: Ids, word: str, what: str) -> Any:
    """The id that is written so."""
    return ids(known, [word], what)[0]


def ids(known: Ids, words: Sequence[str], what: str) -> list[Any]:
    """The ids that are written so. Raises UsageError for one that the model does not know."""
    found = known.spelled(words)
    if (found < 0).any():
        word = words[int((found < 0).argmax())]
        near = did_you_mean(word, map(str, known.values)) if len(known) else "this model knows none"
        raise UsageError(
            f"{what} {word!r}: is not known to the model; {near if near.startswith('did') else f'it knows {len(known):,}'}"
        )
    return known.take(found).tolist()


def print_frame(frame: pd.DataFrame) -> None:
    """A table with four digits behind the point."""
    rows = [[f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in frame.itertuples(index=False)]
    print_table([str(name) for name in frame], rows)
