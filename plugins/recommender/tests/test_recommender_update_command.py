"""`vaehub recommender update` and `forget`: the new model in place of the old, or the old one as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import vaehub
from vaehub.cli.app import main
from vaehub_recommender.example import CONFIG, film_ratings
from vaehub_recommender.recommender import Recommender

SECONDS = 100  # after which a command is taken to hang
NEW = pd.DataFrame({"user": ["new", "viewer 0001"], "item": ["A new film", "A new film"], "rating": [5, 5]})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A run, a saved recommender, and new ratings."""
    monkeypatch.chdir(tmp_path)
    film_ratings().to_parquet("ratings.parquet")
    domain = {"name": "recommender", "history": True, "path": "ratings.parquet", "min_rating": 4, "held_out": 8}
    vaehub.train({**CONFIG, "domain": domain}, out="run", progress=False)
    Recommender.load("run").save("saved")
    NEW.to_parquet("new.parquet")
    return tmp_path


def contents(folder: str) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


@pytest.mark.parametrize("folder", ["run", "saved"])
def test_an_update_in_place_is_partial_fit(here, capsys, folder):
    expected = Recommender.load(folder).partial_fit(NEW, epochs=1).recommend(k=5)
    assert main(["recommender", "update", folder, "new.parquet", "--epochs", "1"]) == 0
    assert capsys.readouterr().out.startswith(f"{folder}: 81 users, 37 items")
    pd.testing.assert_frame_equal(Recommender.load(folder).recommend(k=5), expected)
    assert sorted(contents(folder)) == ["also_seen.parquet", "histories.parquet", "model.safetensors", "users.json"]
    assert not [path.name for path in here.iterdir() if path.name.startswith(".")]


def test_an_update_elsewhere_leaves_the_run_as_it_was(here, capsys):
    before = contents("run")
    assert main(["recommender", "update", "run", "new.parquet", "--out", "later", "--epochs", "0"]) == 0
    assert contents("run") == before
    assert len(Recommender.load("later").fitted.users) == 81


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "nothing.parquet"], "nothing.parquet"),
        (["run", "run/config.yaml"], "config.yaml"),
        (["run", "new.parquet", "--out", "."], "new.parquet"),
    ],
)
def test_an_update_that_fails_changes_nothing(here, capsys, words, message):
    before = contents(".")
    assert main(["recommender", "update", *words, "--epochs", "0"]) == 2
    assert message in capsys.readouterr().err
    assert contents(".") == before


def test_a_file_of_the_user_is_not_deleted_with_the_run(here, capsys):
    Path("run/notes.txt").write_text("mine")
    before = contents("run")
    assert main(["recommender", "update", "run", "new.parquet", "--epochs", "0"]) == 2
    assert "run/notes.txt: is not vaehub's" in capsys.readouterr().err
    assert contents("run") == before


def test_forgotten_users_are_in_no_file_of_the_run(here, capsys):
    assert main(["recommender", "forget", "run", "viewer 0002", "--linear-only"]) == 0
    assert not any(b"viewer 0002" in content for content in contents("run").values())
    assert len(Recommender.load("run").fitted.users) == 79


SLOW = """
import sys, time
import vaehub_recommender.api.files as files
write = files.write
def pausing(fitted, folder):
    write(fitted, folder)
    open("half", "w").close()
    time.sleep({seconds})
files.write = pausing
from vaehub.__main__ import main
sys.argv = ["vaehub", "recommender", "update", "{folder}", "new.parquet", "--epochs", "0"]
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["run", "saved"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_update_leaves_the_old_model_whole_and_the_next_one_succeeds(here, capsys, folder, number):
    """The signal comes when the new files are written, and before they take the place of the old ones."""
    before = contents(folder)
    script, environment = SLOW.format(seconds=SECONDS, folder=folder), os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE)
    end = time.monotonic() + SECONDS
    while not Path("half").exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 128 + signal.SIGTERM)
    assert {name: content for name, content in contents(folder).items() if name != ".vaehub-lock"} == {
        name: content for name, content in before.items() if name != ".vaehub-lock"
    }
    assert main(["recommender", "update", folder, "new.parquet", "--epochs", "0"]) == 0
    assert len(Recommender.load(folder).fitted.users) == 81
    assert not [path.name for path in here.iterdir() if path.name.startswith(".")]


def test_a_model_that_has_learnt_from_all_users_is_not_judged_by_them(here, capsys):
    assert main(["recommender", "update", "run", "new.parquet", "--epochs", "0"]) == 0
    capsys.readouterr()
    for command in ("evaluate", "report"):
        assert main([command, "run"]) == 2
        assert "has learnt from all users" in capsys.readouterr().err
    assert main(["recommender", "evaluate", "run", "--protocol", "random"]) == 0


def test_a_user_of_low_ratings_alone_can_be_forgotten(here, capsys):
    rated = pd.DataFrame({"user": ["low", "viewer 0001"], "item": "Noir film 01", "rating": [1, 5]})
    pd.concat([film_ratings().drop(columns="time"), rated]).to_parquet("rated.parquet")
    model = Recommender(CONFIG, **{"domain.path": "rated.parquet"}).fit(pd.read_parquet("rated.parquet"), min_rating=4)
    model.save("kept")
    assert b"low" in Path("kept/users.json").read_bytes()
    assert main(["recommender", "forget", "kept", "low"]) == 0
    assert b'"low"' not in Path("kept/users.json").read_bytes()
