"""The demo, its generated ratings, and MovieLens in the form in which its makers give it."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from vaehub.cli.app import main
from vaehub.errors import UsageError
from vaehub_recommender import movielens
from vaehub_recommender.generated_ratings import GENRES, ratings


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small ml-1m.zip: numbers for viewers and films, titles beside them."""
    monkeypatch.chdir(tmp_path)
    frame = ratings(120, 6)
    films = sorted(frame["item"].unique())
    rows = zip(frame["user"].str[-4:].astype(int), frame["item"].map(films.index) + 1, frame["rating"], strict=True)
    with ZipFile("ml-1m.zip", "w") as file:
        file.writestr("ml-1m/ratings.dat", "".join(f"{user}::{item}::{stars}::978300760\n" for user, item, stars in rows))
        movies = "".join(f"{number}::{title}, Café\t::Drama\n" for number, title in enumerate(films, 1))
        file.writestr("ml-1m/movies.dat", movies.replace("\t", "").encode("latin-1"))
    return frame


def test_generated_ratings_are_the_same_for_a_seed_and_skewed():
    frame, other = ratings(300), ratings(300, seed=1)
    pd.testing.assert_frame_equal(frame, ratings(300))
    assert not frame["item"].equals(other["item"])
    assert not frame.duplicated(["user", "item"]).any()
    assert frame["user"].nunique() == 300
    counts = frame["item"].value_counts()
    assert len(counts) == 30 * len(GENRES)
    assert counts.iloc[0] > 4 * counts.median()
    assert frame["user"].is_monotonic_increasing
    assert frame.groupby("user")["time"].apply(lambda times: times.is_monotonic_increasing).all()


def test_viewers_have_few_tastes():
    frame = ratings(300)
    genre = frame["item"].str.split().str[0]
    shares = genre.groupby(frame["user"]).value_counts(normalize=True)
    assert shares.groupby(level=0).max().median() > 0.4
    liked = frame["rating"].ge(4).groupby([frame["user"], genre]).mean()
    main_taste = shares.groupby(level=0).idxmax()
    assert liked.loc[main_taste].mean() > liked.drop(main_taste).mean() + 0.2


def test_movielens_from_the_archive_and_from_its_folder(archive):
    found = movielens.read(Path("ml-1m.zip"))
    assert found["item"].tolist() == [f"{title}, Café" for title in archive["item"]]
    assert found["rating"].tolist() == archive["rating"].tolist()
    assert found["time"].eq(pd.Timestamp("2000-12-31 22:12:40")).all()
    with ZipFile("ml-1m.zip") as file:
        file.extractall()
    pd.testing.assert_frame_equal(found, movielens.read(Path("ml-1m")))


@pytest.mark.parametrize("name", ["torn.zip", "other.zip", "."])
def test_what_is_not_movielens_is_told(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torn.zip").write_bytes(b"PK torn")
    with ZipFile("other.zip", "w") as file:
        file.writestr("x.txt", "")
    with pytest.raises(UsageError, match=r"holds no ratings\.dat of MovieLens 1M"):
        movielens.read(Path(name))


@pytest.mark.slow
def test_the_demo_ends_with_its_report(archive, capsys):
    assert main(["demo", "recommender", "--out", "demo", "--path", "ml-1m.zip"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "demo/report.html"
    assert "generated" not in told.out
    assert "whom the model did not know, liked" in told.out
    assert pd.read_parquet("demo/recommendations.parquet").groupby("user").size().eq(20).all()
    assert (Path("demo") / "report.html").stat().st_size > 10_000


def test_path_and_download_do_not_go_together(archive, capsys):
    assert main(["demo", "recommender", "--path", "ml-1m.zip", "--download"]) == 2
    assert "give one of them" in capsys.readouterr().err
