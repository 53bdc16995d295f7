"""`vaehub recommender evaluate` and `report`: what `vaehub evaluate` and `report` cannot, protocols and recommenders that are no run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from vaehub import cli

Protocol = Annotated[
    Literal["strong", "last", "random", "temporal", "new_items", "new_users"],
    typer.Option(
        help="strong: users whom the model never saw; last: the latest item of each user; random: a fifth of them; temporal: all from a "
        "moment on; new_items, new_users: those of whom only features are known."
    ),
]
At = Annotated[str | None, typer.Option(help="Of temporal: a date or time, or a share of the interactions such as 0.8.")]


Metrics = Annotated[
    str | None,
    typer.Option(
        help="Measures with commas between, such as ndcg@10,recall@5; the first is compared.",
        show_default="at 100, 20, 50 and 10",
    ),
]
Splits = Annotated[
    int,
    typer.Option(min=1, help="Train on so many splits with seeds of their own, and put them together with a corrected interval."),
]


def evaluate(
    run: cli.RunPath,
    protocol: Protocol = "strong",
    json: cli.AsJson = False,
    metrics: Metrics = None,
    splits: Splits = 1,
    at: At = None,
) -> None:
    """Compare a kind of model with EASE and popularity by a protocol, user by user and in segments, trained anew where it has to be.

    What a run itself gets on its test users is `vaehub evaluate RUN`. This is for other protocols, for a saved Recommender, and for where
    the differences lie.

    Example: vaehub recommender evaluate runs/films --protocol last --metrics ndcg@10,recall@5
    """
    from vaehub_recommender.recommender import Recommender

    with cli.session():
        recommender, names = Recommender.load(run), None if metrics is None else [name.strip() for name in metrics.split(",")]
        more = {} if splits == 1 else {"splits": splits}
        judged = recommender.evaluate(protocol, names, at=at, **more)
    cli.print_json(judged.to_json()) if json else print(*judged.lines(), sep="\n")


def report(run: cli.RunPath) -> None:
    """Write a page on how good the recommendations of a saved Recommender are; of a run, the same as `vaehub report`.

    Example: vaehub recommender report runs/films
    """
    from vaehub_recommender.recommender import Recommender
    from vaehub_recommender.report import write

    with cli.session():
        recommender = Recommender.load(run)
        trained = recommender.fitted.run
        page = trained.report() if trained.path is not None else write(recommender, run / "report.html")
    print(page)
