"""`vaehub demo recommender`: films for viewers of a few tastes, from ratings to recommendations and a report, offline and within a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaehub import UsageError, cli
from vaehub_recommender.commands.recommend import recommend

if TYPE_CHECKING:
    import pandas as pd

    from vaehub_recommender.judge import Judged
    from vaehub_recommender.recommender import Recommender

NEW = 20  # one viewer in so many is kept from the model, to be recommended to later
LIKED = 4  # stars
SHOWN = 5
SMALL = {"latent": 64, "train.epochs": 20, "train.batch_size": 200}  # enough for few films, in little time
REAL_RATINGS = """These ratings are generated. For real ones, MovieLens 1M (6,040 people, 3,706 films; not for commercial use):
  vaehub demo recommender --download          fetches it from its makers and checks it
  vaehub demo recommender --path ml-1m.zip    if you have it, or the folder that it unpacks to"""


def recommender(
    out: Annotated[Path, typer.Option("--output", "-o", "--out", metavar="FOLDER", help="Folder to write to.")] = Path(
        "recommender-demo"
    ),
    path: Annotated[
        Path | None, typer.Option(help="MovieLens 1M in place of generated ratings: ml-1m.zip or its folder.", show_default=False)
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch MovieLens 1M from its makers, and use it.")] = False,
) -> None:
    """Train on ratings of films, recommend to new viewers, explain why, and report how good that is.

    Example: vaehub demo recommender -o films
    """
    if path is not None and download:
        raise UsageError("--path and --download: give one of them")
    frame, generated = ratings(path, out, download)
    old, new = set_new_viewers_apart(frame)
    cli.write_frame(old, out / "ratings.parquet")
    cli.write_frame(new, out / "new_viewers.parquet")
    model, judged = fit_and_judge(old, out / "model", SMALL if generated else {})
    recommend(run=out / "model", histories=out / "new_viewers.parquet", output=out / "recommendations.parquet", k=20, force=True)
    show(model, new)
    print(*([REAL_RATINGS] if generated else []), report(model, out / "report.html", judged), sep="\n")


def ratings(path: Path | None, out: Path, download: bool) -> tuple[pd.DataFrame, bool]:
    """The table to learn from, and whether it is generated."""
    from vaehub_recommender import generated_ratings, movielens

    if download:
        path = movielens.fetch()
    if path is not None:
        return movielens.read(path), False
    print("generated: 2,400 viewers of one to three tastes and 360 films, of which some are known to all")
    return generated_ratings.ratings(), True


def set_new_viewers_apart(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ratings to learn from, and those of viewers whom the model is not to know."""
    users = frame["user"].drop_duplicates()
    new = frame["user"].isin(users.iloc[::NEW])
    return frame[~new], frame[new]


def fit_and_judge(frame: pd.DataFrame, path: Path, settings: dict[str, Any]) -> tuple[Recommender, Judged]:
    """A model of what viewers like, and how it does with those kept from it."""
    from vaehub_recommender.recommender import Recommender

    with cli.session() as running, running.step("fitting"):
        model = Recommender(**settings).fit(frame, user="user", item="item", time="time", min_rating=LIKED)
        model.save(path)
        judged = model.evaluate("strong")
    print(*judged.lines(), sep="\n")
    return model, judged


def show(model: Recommender, new: pd.DataFrame) -> None:
    """For the first of the new viewers what they liked, what is recommended, and what of the former it is for."""
    viewer = new["user"].iloc[0]
    liked = new.loc[(new["user"] == viewer) & (new["rating"] >= LIKED), "item"].tolist()
    best = model.recommend({viewer: liked}, k=SHOWN)
    why = [", ".join(model.explain([liked], item, k=2)["item"]) for item in best["item"]]
    print(f"\n{viewer}, whom the model did not know, liked {len(liked)} films: {', '.join(liked[:SHOWN])}, …")
    cli.print_table(("recommended", "because of"), list(zip(best["item"], why, strict=True)))
    print()


def report(model: Recommender, path: Path, judged: Judged) -> Path:
    """The page on how good that is."""
    from vaehub_recommender.report import write

    return write(model, path, judged)
