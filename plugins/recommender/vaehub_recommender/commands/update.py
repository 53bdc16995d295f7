"""`vaehub recommender update` and `forget`: a model with more interactions, or with fewer, in place of the one that was there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaehub import cli

if TYPE_CHECKING:
    from vaehub_recommender.recommender import Recommender

Table = Annotated[
    Path,
    typer.Argument(metavar="INTERACTIONS", help="New interactions, in a table like the one trained on.", show_default=False),
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Where to write.", show_default="RUN, whose place it takes")
]


def update(
    run: cli.RunPath,
    interactions: Table,
    out: Out = None,
    epochs: Annotated[int, typer.Option(min=0, help="Of the network, at a lower learning rate; 0 leaves it alone.")] = 3,
) -> None:
    """Take in more interactions, of known and new users and items; killed at any time it leaves the old model or the new one whole.

    What is written is a saved Recommender, which holds the users' histories. It has learnt from everybody, the test users of a run among them.

    Example: vaehub recommender update runs/films new_ratings.parquet
    """
    from vaehub_recommender.recommender import Recommender
    from vaehub_recommender.tables import read_table

    with cli.session():
        recommender = Recommender.load(run)
        recommender.partial_fit(read_table(interactions, recommender.fitted.columns), epochs)
        print(written(recommender, run if out is None else out, in_place=out is None))


def forget(
    run: cli.RunPath,
    users: Annotated[list[str], typer.Argument(metavar="USER…", help="Users of the model.", show_default=False)],
    out: Out = None,
    refit: Annotated[
        bool, typer.Option("--refit/--linear-only", help="Train anew from what is left, or correct the linear part alone.")
    ] = True,
) -> None:
    """Forget users: their ids, their histories and what the model learnt of them. Their rows in the training table are yours to delete.

    Example: vaehub recommender forget runs/films 'viewer 0002'
    """
    from vaehub_recommender.api.forget import users_to_forget
    from vaehub_recommender.commands.explain import written_ids
    from vaehub_recommender.recommender import Recommender

    with cli.session():
        recommender = Recommender.load(run)
        recommender.forget(written_ids(users_to_forget(recommender.fitted), users, "user"), refit=refit)
        print(written(recommender, run if out is None else out, in_place=out is None))


def written(recommender: Recommender, folder: Path, in_place: bool) -> str:
    """Save the recommender; what to say of it."""
    from vaehub_recommender.api.files import save, save_over

    fitted = recommender.fitted
    (save_over if in_place else save)(fitted, folder)
    return f"{folder}: {len(fitted.users):,} users, {len(fitted.items):,} items, {fitted.log.matrix.nnz:,} interactions"
