"""A job that is killed and started again: every user once, and the same recommendations as without the kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from vaehub.cli.app import main
from vaehub_recommender.generated_ratings import ratings
from vaehub_recommender.recommender import Recommender

SHARDS = 40
SECONDS = 100  # after which the job is taken to hang


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model, and histories in many files."""
    monkeypatch.chdir(tmp_path)
    frame = ratings(400, 6)
    Recommender(latent=4, **{"train.epochs": 1}).fit(frame, min_rating=4).save("model")
    (tmp_path / "in").mkdir()
    for number, users in enumerate(np.array_split(frame["user"].unique(), SHARDS)):
        frame[frame["user"].isin(users)].to_parquet(f"in/{number:03}.parquet")
    return tmp_path


def recommend(out):
    return ["recommender", "recommend", "model", "in", "-o", out, "-k", "5"]


def stopped_midway(folder, number):
    """Start the job in a process of its own, send it a signal when some files are done; how many those are."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "vaehub", *recommend("out")], cwd=folder, env=environment)
    end = time.monotonic() + SECONDS
    while not (folder / "out/_manifest.json").exists() and time.monotonic() < end:
        time.sleep(0.001)
    process.send_signal(number)
    assert process.wait() == (-signal.SIGKILL if number == signal.SIGKILL else 128 + signal.SIGTERM)
    return len(json.loads((folder / "out/_manifest.json").read_text())["shards"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_job_goes_on_without_a_user_missing_or_twice(folder, capsys, number):
    done = stopped_midway(folder, number)
    assert 0 < done < SHARDS
    (folder / f"out/.{SHARDS - 1:03}.parquet.0123abcd.part").write_bytes(b"half")  # the kill itself may leave none
    before = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*.parquet")}
    assert main(recommend("out")) == 0
    assert main(recommend("whole")) == 0
    assert capsys.readouterr().err == ""
    again, whole = pd.read_parquet("out"), pd.read_parquet("whole")
    pd.testing.assert_frame_equal(again, whole)
    assert again.groupby("user").size().eq(5).all()
    assert again["user"].nunique() == 400
    untouched = sum(path.stat().st_mtime_ns == old for path, old in before.items())
    assert untouched >= done
    assert {path.name for path in (folder / "out").iterdir()} == {"_manifest.json", *(f"{n:03}.parquet" for n in range(SHARDS))}
