"""Which file is read from where and written to where, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaehub.errors import UsageError
from vaehub_recommender.bulk.recommend import HISTORIES


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of shards, as other programs leave it."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "in/b.csv",
        "in/a.parquet",
        "in/day=1/a.parquet",
        "in/day=2/a.csv.gz",
        "in/c.npz",
        "in/_SUCCESS",
        "in/.a.crc",
        "in/_x/a.csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def planned(histories, out):
    job = HISTORIES.plan(Path(histories), Path(out))
    return {shard.name: str(shard.target) for shard in job.shards}, str(job.manifest)


def test_a_folder_gives_a_folder_of_the_same_names(here):
    shards, manifest = planned("in", "out")
    assert shards == {
        "a.parquet": "out/a.parquet",
        "b.csv": "out/b.parquet",
        "c.npz": "out/c.parquet",
        "day=1/a.parquet": "out/day=1/a.parquet",
        "day=2/a.csv.gz": "out/day=2/a.parquet",
    }
    assert manifest == "out/_manifest.json"


def test_a_file_gives_a_file_or_a_folder(here):
    assert planned("in/b.csv", "recs.parquet") == ({"b.csv": "recs.parquet"}, "recs.manifest.json")
    assert planned("in/b.csv", "out") == ({"b.csv": "out/b.parquet"}, "out/_manifest.json")


def test_files_that_are_no_tables_are_left_out_with_a_warning(here):
    (here / "in/readme.md").write_text("x")
    with pytest.warns(UserWarning, match="left out what is no table: readme.md"):
        shards, _ = planned("in", "out")
    assert len(shards) == 5


@pytest.mark.parametrize(
    ("histories", "out", "says"),
    [
        ("nowhere", "out", "nowhere: no such file or folder; give histories as .csv"),
        ("in/_SUCCESS", "out", "in/_SUCCESS: is no table"),
        ("in", "recs.parquet", "recs.parquet: in is a folder"),
        ("in", "recs.csv", r"recs.csv: recommendations are written as \.parquet, not \.csv"),
        ("in/b.csv", "recs.csv.gz", r"recs.csv.gz: recommendations are written as \.parquet, not \.csv.gz"),
        ("in/b.csv", "recs.json", r"recs.json: recommendations are written as \.parquet, not \.json"),
        ("in", "in", "lies in the folder of histories"),
        ("in", "in/recs", "lies in the folder of histories"),
        ("in/a.parquet", "in/a.parquet", "is the file of histories itself"),
        ("in/a.parquet", "in", "is the file of histories itself"),
        ("in/_x/deep", "out", "no such file"),
        ("empty", "out", "empty: holds no histories"),
        ("both", "out", "a.csv and a.parquet would both be written to out/a.parquet"),
    ],
)
def test_what_cannot_be_is_told(here, histories, out, says):
    (here / "empty").mkdir()
    (here / "both").mkdir()
    for name in ("a.csv", "a.parquet"):
        (here / "both" / name).write_text("x")
    with pytest.raises(UsageError, match=says):
        planned(histories, out)
