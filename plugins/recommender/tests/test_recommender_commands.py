"""The commands: what they write, what they say, and that a mistake is one line and leaves nothing behind."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, save_npz

from vaehub.cli.app import main
from vaehub_recommender.generated_ratings import ratings
from vaehub_recommender.recommender import Recommender


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with ratings, a model of those of 4 stars, and films of which some are not in it."""
    path = tmp_path_factory.mktemp("films")
    frame = ratings(160, 6)
    frame.to_csv(path / "ratings.csv", index=False)
    model = Recommender(latent=4, **{"train.epochs": 1}).fit(frame, time="time", min_rating=4)
    model.save(path / "model")
    return path


@pytest.fixture
def here(folder, monkeypatch, tmp_path):
    """The commands are run in a folder of their own, beside the ratings and the model."""
    for name in ("ratings.csv", "model"):
        (tmp_path / name).symlink_to(folder / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def works(capsys):
    """Run a command of the recommender that must succeed in silence; gives the lines that it printed."""

    def run(*words):
        code = main(["recommender", *map(str, words)])
        told = capsys.readouterr()
        assert (code, told.err) == (0, "")
        return told.out.splitlines()

    return run


@pytest.fixture
def fails(capsys, here):
    """Run a command that must end in one line of error and write nothing; gives that line."""

    def run(*words):
        before = sorted(here.rglob("*"))
        assert main(["recommender", *map(str, words)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        (line,) = told.err.strip().splitlines()
        assert line.startswith("error: ")
        assert sorted(here.rglob("*")) == before
        return line

    return run


def liked():
    frame = pd.read_csv("ratings.csv")
    return frame[frame["rating"] >= 4].reset_index(drop=True)


def by_list(frame):
    return frame.groupby("user", sort=False)["item"].agg(list).reset_index()


def test_recommendations_are_those_of_the_class(here, works):
    lines = works("recommend", "model", "ratings.csv", "-o", "recs.parquet", "-k", 5)
    assert lines == ["160 users in 1 files: 800 recommendations", "recs.manifest.json"]
    found = pd.read_parquet("recs.parquet")
    expected = Recommender.load("model").recommend({row.user: row.item for row in by_list(liked()).itertuples()}, k=5)
    assert found["user"].tolist() == expected["user"].tolist()
    assert found["item"].tolist() == expected["item"].tolist()
    assert found["rank"].tolist() == [1, 2, 3, 4, 5] * 160
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-5)
    assert (found["reason"] == "history").all()


def test_every_form_of_histories_gives_the_same(here, works):
    pairs = liked()[["user", "item"]].assign(
        user=lambda frame: "new " + frame["user"]
    )  # what known users have rated low is left out
    (here / "in").mkdir()
    pairs.to_csv("in/plain.csv", index=False)
    pairs.to_csv("in/packed.csv.gz", index=False)
    pairs.to_parquet("in/pairs.parquet", row_group_size=7)
    by_list(pairs).to_parquet("in/lists.parquet")
    items = Recommender.load("model").fitted.items
    rows, users = pd.factorize(pairs["user"])
    matrix = csr_array((np.ones(len(pairs)), (rows, items.positions(pairs["item"]))), shape=(len(users), len(items)))
    save_npz("in/matrix.npz", matrix)
    works("recommend", "model", "in", "-o", "out", "-k", 4)
    first, *others = (pd.read_parquet(f"out/{name}.parquet") for name in ("plain", "packed", "pairs", "lists", "matrix"))
    for other in others[:-1]:
        pd.testing.assert_frame_equal(first, other, rtol=1e-5)
    assert others[-1]["user"].tolist() == list(np.repeat(np.arange(len(users)), 4))
    assert others[-1]["item"].tolist() == first["item"].tolist()


def test_what_to_choose_from_and_what_never_to_show(here, works):
    films = [f"{genre} film 0{n}" for genre in ("Noir", "Space") for n in range(1, 6)]
    pd.DataFrame({"item": films}).to_csv("some.csv", index=False)
    pd.DataFrame({"title": films[:5]}).to_parquet("never.parquet")
    works("recommend", "model", "ratings.csv", "-o", "recs.parquet", "--candidates", "some.csv", "--block", "never.parquet")
    found, seen = pd.read_parquet("recs.parquet"), liked()
    assert set(found["item"]) <= set(films[5:])
    assert not set(map(tuple, found[["user", "item"]].to_numpy())) & set(map(tuple, seen[["user", "item"]].to_numpy()))
    works("recommend", "model", "ratings.csv", "-o", "all.parquet", "--candidates", "some.csv", "--include-seen")
    assert pd.read_parquet("all.parquet").groupby("user").size().eq(10).all()


@pytest.fixture
def numbers(here):
    """A model of the films by numbers, with a table of them, and histories of numbered users."""
    pairs = pd.read_csv("ratings.csv")
    frame = pd.DataFrame({"user": pd.factorize(pairs["user"])[0], "item": pd.factorize(pairs["item"], sort=True)[0]})
    frame["rating"] = pairs["rating"]
    films = pd.DataFrame({"item": range(72), "title": sorted(pairs["item"].unique())})
    films = films.assign(genre=films["title"].str.split().str[0], until=np.where(films["item"] < 36, "2024-01-01", "2030-01-01"))
    linear = {
        "latent": 4,
        "encoder": "bag",
        "decoder.base": {"name": "catalogue", "hidden": []},
        "objective": "elbo",
        "train.epochs": 1,
    }
    Recommender(**linear).fit(frame, min_rating=4, items=films).save("numbers")
    frame.to_csv("numbers.csv", index=False)
    return frame


def bulk(works, *words):
    """What a bulk job of all histories writes."""
    works("recommend", "numbers", "numbers.csv", "-o", "x.parquet", "-k", 72, "--force", *words)
    return pd.read_parquet("x.parquet")


def test_nothing_seen_blocked_filtered_or_unavailable_is_written(here, works, numbers):
    everything = bulk(works)
    assert not len(everything.merge(numbers, on=["user", "item"]))  # whatever the rating
    (here / "block.csv").write_text("item\n1.0\n2.0\n4.0\n")  # as a column with a gap is written
    assert set(range(72)) - set(bulk(works, "--block", "block.csv")["item"]) == {1, 2, 4}
    (here / "mine.csv").write_text("user,item\n3,5\n3,6.0\n4,7\n")
    hidden = {(3, 5), (3, 6), (4, 7)}
    left = bulk(works, "--block", "mine.csv")[["user", "item"]]
    assert set(map(tuple, left.to_numpy())) == set(map(tuple, everything[["user", "item"]].to_numpy())) - hidden
    films = pd.read_parquet("numbers/items.parquet")
    noir = set(films.index[films["genre"] == "Noir"])
    assert set(bulk(works, "--filter", "genre == 'Noir'")["item"]) == noir
    assert set(bulk(works, "--at", "2025-01-01")["item"]) == set(range(36, 72))
    expected = Recommender.load("numbers").recommend(k=72, filter="genre == 'Noir'", block={3: [5, 6], 4: [7]}, at="2023-01-01")
    found = bulk(works, "--filter", "genre == 'Noir'", "--block", "mine.csv", "--at", "2023-01-01")
    assert sorted(map(tuple, found[["user", "item"]].to_numpy())) == sorted(map(tuple, expected[["user", "item"]].to_numpy()))


def test_a_block_for_nobody_is_told(here, works, numbers, capsys):
    (here / "mine.csv").write_text("user,item\n3,5\n9999,6\n")
    assert "1 users have items that are blocked for them alone" in works(
        "recommend", "numbers", "numbers.csv", "-o", "x.parquet", "--block", "mine.csv"
    )
    (here / "mine.csv").write_text("user,item\n9999,5\n")
    assert main(["recommender", "recommend", "numbers", "numbers.csv", "-o", "y.parquet", "--block", "mine.csv"]) == 0
    assert "mine.csv: none of its 1 users is in the histories, so nothing was blocked" in capsys.readouterr().err


def test_histories_without_a_row_give_an_empty_table(here, works):
    (here / "none.csv").write_text("user,item\n")
    pd.DataFrame({"user": ["a"], "item": ["b"]})[:0].to_parquet("none.parquet")
    for name in ("none.csv", "none.parquet"):
        assert works("recommend", "model", name, "-o", "recs.parquet", "--force")[0] == "0 users in 1 files: 0 recommendations"
        found = pd.read_parquet("recs.parquet")
        assert list(found) == ["user", "item", "rank", "score", "reason"]
        assert len(found) == 0


def test_unknown_items_are_counted_and_who_has_nothing_else_gets_what_is_popular(here, works):
    pd.DataFrame({"user": [7, 7, 8], "item": ["Noir film 01", "Opera", "Opera"]}).to_csv("new.csv", index=False)
    lines = works("recommend", "model", "new.csv", "-o", "recs.parquet", "-k", 3)
    assert lines[1:3] == [
        "2 entries of histories name items that the model does not know, and were left out",
        "1 users have no item that it knows, and got what is popular",
    ]
    found = pd.read_parquet("recs.parquet")
    assert found["user"].tolist() == [7, 7, 7, 8, 8, 8]
    assert found["reason"].tolist() == ["history"] * 3 + ["popular"] * 3
    popular = liked()["item"].value_counts()
    assert found["item"].tolist()[3] == popular.index[0]


def test_a_job_goes_on_and_another_one_is_refused(here, works, fails):
    (here / "in").mkdir()
    lists = by_list(liked())
    for number in range(3):
        lists[number::3].to_parquet(f"in/{number}.parquet")
    works("recommend", "model", "in", "-o", "out", "-k", 3)
    before = (here / "out/0.parquet").stat().st_mtime_ns
    assert works("recommend", "model", "in", "-o", "out", "-k", 3)[0] == "160 users in 3 files: 480 recommendations"
    assert (here / "out/0.parquet").stat().st_mtime_ns == before
    assert "was made with k=3, now 4" in fails("recommend", "model", "in", "-o", "out", "-k", 4)
    works("recommend", "model", "in", "-o", "out", "-k", 4, "--force")
    assert len(pd.read_parquet("out")) == 640


def test_unreadable_files_are_named_and_skipped_if_asked(here, works, capsys):
    (here / "in").mkdir()
    (here / "in/a.parquet").write_bytes(b"PAR1 torn")
    (here / "in/b.csv").write_bytes((here / "ratings.csv").read_bytes())
    assert main(["recommender", "recommend", "model", "in", "-o", "out"]) == 2
    assert "in/a.parquet" in capsys.readouterr().err
    assert main(["recommender", "recommend", "model", "in", "-o", "out", "--skip-bad"]) == 0
    told = capsys.readouterr()
    (warning,) = told.err.splitlines()
    assert warning.startswith("warning: in/a.parquet: ")
    assert "1 files could not be read, and were left out" in told.out
    assert [path.name for path in (here / "out").glob("*.parquet")] == ["b.parquet"]


def test_explanations_of_a_known_user_and_of_a_history(here, works):
    user, item = liked()["user"][0], "Noir film 01"
    header, *lines, score = works("explain", "model", "--user", user, "--item", item, "-k", 3)
    assert header.split()[:2] == ["item", "contribution"]
    assert {" ".join(line.split()[:3]) for line in lines} <= set(liked().query("user == @user")["item"])
    assert len(lines) == 3
    assert score.startswith("score ")
    films = works("explain", "model", "--history", 'Heist film 01,"Noir film 02"', "--item", item)[1:3]
    assert sorted(" ".join(line.split()[:3]) for line in films) == ["Heist film 01", "Noir film 02"]


def test_similar_items(works, here):
    lines = works("similar", "model", "Noir film 01", "Space film 02", "-k", 2)
    assert [line.split("film")[0].strip() for line in lines[1:]] == ["Noir", "Noir", "Space", "Space"]


def test_numbers_at_the_prompt_are_ids(works, here):
    pairs = liked()
    numbers = pd.DataFrame({"user": pd.factorize(pairs["user"])[0], "item": pd.factorize(pairs["item"])[0] * 10})
    Recommender(latent=4, **{"train.epochs": 1}).fit(numbers).save("numbers")
    assert len(works("similar", "numbers", "10", "-k", 2)) == 3
    assert len(works("explain", "numbers", "--user", "7", "--item", "10", "-k", 1)) == 3


def test_evaluation_as_text_and_as_json(works, here):
    text = "\n".join(works("evaluate", "model", "--protocol", "random"))
    assert "popularity" in text
    assert "EASE" in text
    judged = json.loads("\n".join(works("evaluate", "model", "--protocol", "random", "--json")))
    assert judged["models"][1:] == ["EASE", "popularity"]


MISTAKES = [
    ("recommend", "nowhere", "ratings.csv", "-o", "x.parquet", "nowhere"),
    ("recommend", "model", "nope.csv", "-o", "x.parquet", "nope.csv: no such file"),
    ("recommend", "model", "ratings.csv", "Missing option '--output'"),
    ("recommend", "model", "ratings.csv", "-o", "x.parquet", "-n", "0", "Invalid value for '-n'"),
    ("similar", "model", "Noir film 1", "did you mean 'Noir film 01'?"),
    ("recommend", "model", "ratings.csv", "-o", "x.parquet", "--user", "usr", "did you mean 'user'?"),
    ("recommend", "model", "ratings.csv", "-o", "x.parquet", "--candidates", "none.csv", "none.csv: no such file"),
    ("recommend", "model", "ratings.csv", "-o", "x.parquet", "--candidates", "odd.csv", "the model knows none of 2"),
    (
        "recommend",
        "model",
        "ratings.csv",
        "-o",
        "x.parquet",
        "--block",
        "odd.csv",
        "block: the model knows none of 2 ('Opera', 'Ballet')",
    ),
    ("recommend", "model", "ratings.csv", "-o", "x.tsv", "x.tsv: lists are written as .parquet or .csv"),
    ("recommend", "model", "ratings.csv", "-o", "x.parquet", "--filter", "year > 1", "nothing is known of the items"),
    ("recommend", "model", "ratings.csv", "-o", "x.parquet", "--block", "model", "model: column 'items' holds lists"),
    ("explain", "model", "--item", "Noir film 01", "give --user"),
    ("explain", "model", "--item", "Noir film 01", "--user", "a", "--history", "b", "give --user"),
    ("explain", "model", "--item", "Noir film 1", "--user", "viewer 0001", "did you mean 'Noir film 01'?"),
    ("explain", "model", "--item", "Noir film 01", "--user", "nobody", "user 'nobody'"),
    ("explain", "model", "--item", "Noir film 01", "--history", "Opera", "item 'Opera'"),
    ("similar", "model", "Opera", "item 'Opera'"),
    ("evaluate", "model", "--protocol", "weak", "Invalid value for '--protocol'"),
]


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: " ".join(case[:-1]))
def test_a_mistake_is_one_line_and_leaves_nothing(here, fails, case):
    (here / "odd.csv").write_text("item\nOpera\nBallet\n")
    *words, expected = case
    assert expected in fails(*words)


def test_a_saved_model_that_is_no_run_says_so_when_it_is_asked_for_a_report(here, capsys):
    Recommender.load("model").save("saved")
    assert main(["report", "saved"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: saved: this needs the training data, which cannot be read (domain.path: which table?")
    assert said.endswith("saved is a model without the folder of a run\n")
