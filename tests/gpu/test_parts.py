"""The one command of benchmarks/gpu: every part ends with its JSON, whatever becomes of it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "gpu"
TALKS = "print('| a | b |\\n| --- | --- |\\n| 1 | |', flush=True)"


@pytest.fixture
def parts(monkeypatch):
    """The module, imported as a script imports its neighbours."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("parts")


def test_a_part_says_its_rows_and_how_it_ended(parts):
    def ended(code, limit=30):
        command = ("-c", f"import time; {TALKS}; {code}")
        result = parts.run(parts.Part("one", limit, command, command), command, None, limit)
        return result["rows"], result["ended"]

    rows = [["a", "b"], ["1", ""]]
    assert ended("pass") == (rows, "well")
    assert ended("raise SystemExit(3)") == (rows, "failed (3)")
    assert ended("time.sleep(60)", limit=4) == (rows, "cut after 4 s")


def test_a_part_without_its_data_is_skipped(parts, tmp_path):
    part = parts.Part("one", 9, (), (), needs="moses")
    assert parts.run(part, (), tmp_path, 9)["ended"] == "skipped"
    assert parts.run(part, (), None, 9)["said"] == "no folder moses in --data"


def test_a_part_that_fails_does_not_stop_the_next(parts, tmp_path, monkeypatch, capsys):
    wrong, right = ("-c", "raise SystemExit('broken')"), ("-c", TALKS)
    monkeypatch.setattr(parts, "PARTS", (parts.Part("wrong", 9, wrong, wrong), parts.Part("right", 9, right, right)))
    monkeypatch.setattr(sys, "argv", ["parts.py", "--rehearse", "--out", str(tmp_path)])
    assert parts.main() == 1
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("wrong", "right")}
    assert [result["ended"] for result in found.values()] == ["failed (1)", "well"]
    assert "broken" in capsys.readouterr().out
    assert found["right"]["machine"]["cores"] >= 1


def test_all_limits_together_are_nine_minutes_at_most_and_every_script_is_there(parts):
    assert parts.TOTAL < 9 * 60
    for part in parts.PARTS:
        assert part.limit <= parts.TOTAL
        assert part.command[0] == "-m" or (FOLDER.parent / part.command[0]).is_file()


@pytest.mark.slow
def test_a_part_is_rehearsed_by_the_command(tmp_path):
    environment = os.environ | {"PYTHON": sys.executable}
    command = [str(FOLDER / "run.sh"), "--rehearse", "--out", str(tmp_path), "--parts", "moses"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "moses.json").read_text())
    assert result["ended"] == "well"
    assert ["molecules", "256"] in result["rows"]
    assert (tmp_path / "summary.md").read_text().splitlines()[1].startswith("## moses: well")
