"""A recommender as a folder, and around a run of `vaehub train`."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

import vaehub
from vaehub import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub.testing.damage import damaged
from vaehub_recommender.api import files
from vaehub_recommender.recommender import Recommender


@pytest.fixture
def saved(recommender, tmp_path):
    recommender.save(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_loaded_recommender_answers_alike(recommender, saved) -> None:
    loaded = Recommender.load(saved)
    pd.testing.assert_frame_equal(loaded.recommend(k=7), recommender.recommend(k=7))
    pd.testing.assert_frame_equal(loaded.explain("viewer 0001", "War film 01"), recommender.explain("viewer 0001", "War film 01"))
    assert loaded.fitted.log.times.tolist() == recommender.fitted.log.times.tolist()


def test_three_files_and_nothing_else(saved) -> None:
    assert sorted(file.name for file in saved.iterdir()) == ["histories.parquet", "model.safetensors", "users.json"]
    assert [file.name for file in saved.parent.iterdir()] == ["saved"]
    assert pq.read_table(saved / "histories.parquet")["user"].to_pylist()[0] == "viewer 0001"


def test_it_goes_on_learning(saved) -> None:
    more = pd.DataFrame({"user": ["new"], "item": ["Sequel"], "time": [pd.Timestamp("2025-01-01")]})
    loaded = Recommender.load(saved).partial_fit(more, epochs=1)
    loaded.save(saved)
    again = Recommender.load(saved)
    pd.testing.assert_frame_equal(again.recommend(["new", "viewer 0001"]), loaded.recommend(["new", "viewer 0001"]))


def test_a_folder_of_something_else_is_left_alone(recommender, tmp_path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds diary\.txt"):
        recommender.save(tmp_path)
    assert (tmp_path / "diary.txt").read_text() == "mine"


def test_a_failed_save_leaves_the_old_one(recommender, saved, monkeypatch) -> None:
    def fail(*_, **__) -> None:
        raise OSError("disk full")

    before = {file.name: file.read_bytes() for file in saved.iterdir()}
    monkeypatch.setattr(files.pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        recommender.save(saved)
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before
    assert [file.name for file in saved.parent.iterdir()] == ["saved"]


@pytest.mark.parametrize("other", ["vaehub-recommender/99", "something else"])
def test_another_format_is_refused(saved, other) -> None:
    content = json.loads((saved / "users.json").read_text())
    (saved / "users.json").write_text(json.dumps(content | {"format": other}))
    with pytest.raises(UsageError, match=f"format '{other}', this version reads vaehub-recommender/2 and vaehub-recommender/1"):
        Recommender.load(saved)


@pytest.mark.parametrize("name", ["histories.parquet", "users.json", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]"])
def test_damaged_files_are_named(saved, name: str, content: bytes) -> None:
    (saved / name).write_bytes(content)
    with pytest.raises(UsageError, match="saved"):
        Recommender.load(saved)


def test_histories_of_another_model_are_refused(saved) -> None:
    users = json.loads((saved / "users.json").read_text())
    users["users"]["values"].pop()
    (saved / "users.json").write_text(json.dumps(users))
    with pytest.raises(UsageError, match="149 ids for 150 histories"):
        Recommender.load(saved)


def test_a_folder_of_a_later_version_is_refused(saved) -> None:
    users = json.loads((saved / "users.json").read_text())
    for form in ("vaehub-recommender/99", "something else", None):
        (saved / "users.json").write_text(json.dumps(users | {"format": form}))
        with pytest.raises(UsageError, match=r"saved: .*this version reads vaehub-recommender/2 and vaehub-recommender/1"):
            Recommender.load(saved)
    (saved / "users.json").write_text(json.dumps(users | {"format": "vaehub-recommender/1"}))
    assert len(Recommender.load(saved).recommend(k=1)) == 150


def test_there_is_nothing_to_load(tmp_path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        Recommender.load(tmp_path / "none")


@pytest.fixture(scope="module")
def run(liked, network, tmp_path_factory):
    """The folder of a run of `vaehub train`, and its table."""
    folder = tmp_path_factory.mktemp("trained")
    liked.to_parquet(folder / "likes.parquet")
    config = network.fitted.run.config.to_dict()
    vaehub.train(config, [f"domain.path={folder / 'likes.parquet'}"], out=folder / "run", progress=False)
    return folder


def test_a_run_knows_the_users_of_its_table(run, liked) -> None:
    model = Recommender.load(run / "run")
    lists = model.recommend(k=5)
    assert lists.user.nunique() == liked.user.nunique()
    assert not len(lists.merge(liked, on=["user", "item"]))


def test_a_run_without_its_table_serves_histories(run, tmp_path) -> None:
    shutil.copytree(run / "run", tmp_path / "run")
    config = (run / "run" / "config.yaml").read_text()
    assert str(run / "likes.parquet") in config
    (run / "likes.parquet").rename(run / "moved.parquet")
    try:
        with pytest.warns(UserWarning, match=r"no users are known, histories can be served.*likes\.parquet"):
            model = Recommender.load(tmp_path / "run")
    finally:
        (run / "moved.parquet").rename(run / "likes.parquet")
    assert len(model.recommend([["Noir film 01"], []], k=3)) == 6
    with pytest.raises(UsageError, match="give histories"):
        model.recommend()
    with pytest.raises(UsageError, match="knows no users"):
        model.similar_users([["Noir film 01"]])


def test_a_run_is_judged_by_what_it_was_not_trained_on(run, monkeypatch) -> None:
    monkeypatch.setattr(vaehub, "train", None)
    judged = Recommender.load(run / "run").evaluate("strong")
    assert judged.models[0] == "model"


def contents(folder):
    """The bytes of every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_recommender_is_the_same_bytes(recommender, saved) -> None:
    before = contents(saved)
    recommender.save(saved)
    assert contents(saved) == before


KILLED = """
import os, shutil
from itertools import count
from vaehub_recommender.recommender import Recommender

recommender = Recommender.load("new")
for deadly in count():
    shutil.copytree("saved", f"target{deadly}")
    if child := os.fork():
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        continue
    moves = count()
    for name in ("fsync", "rename", "replace", "mkdir"):
        def dying(*given, do=getattr(os, name), **options):
            if next(moves) == deadly:
                os.kill(os.getpid(), 9)
            return do(*given, **options)
        setattr(os, name, dying)
    recommender.save(f"target{deadly}")
    os._exit(0)
"""


@pytest.mark.slow
def test_a_recommender_killed_while_saving_over_another_is_the_old_one_or_the_new_one(saved, tmp_path) -> None:
    other = Recommender.load(saved)
    with torch.no_grad():
        next(other.fitted.run.vae.parameters()).add_(0.1)
    other.save(tmp_path / "new")
    subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=True)
    targets = sorted(tmp_path.glob("target*"))
    assert len(targets) > 5
    for target in targets:
        Recommender.load(target)
        assert contents(target) in [contents(tmp_path / name) for name in ("saved", "new")]


@pytest.mark.slow
def test_every_json_type_at_every_place_of_the_header_is_one_line_or_a_recommender(saved) -> None:
    file = saved / "model.safetensors"
    weights, header = load_model(file)
    complaints = []
    for _, other in damaged(header["codec"]):
        save_model(file, weights, header | {"codec": other})
        try:
            Recommender.load(saved)
        except UsageError as error:
            complaints.append(str(error))
    assert len(complaints) > 100
    assert [text for text in complaints if "\n" in text or not text.startswith(str(saved))] == []


def test_a_flipped_bit_in_the_histories_is_found(saved) -> None:
    content = bytearray((saved / "histories.parquet").read_bytes())
    content[len(content) // 3] ^= 1
    (saved / "histories.parquet").write_bytes(content)
    with pytest.raises(UsageError, match="saved: damaged"):
        Recommender.load(saved)
