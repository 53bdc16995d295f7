"""A job that was killed goes on: whole lines only, damage costs its own line, and another job is told apart."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import time

import pytest

from vaehub.errors import UsageError
from vaehub.jobs.ledger import Ledger

JOB = {"seed": 1, "budget": 10}


def opened(path, identity=JOB, growing=("budget",), take=None):
    entries = []
    return Ledger(path, "test/1", identity, take or entries.append, growing), entries


def filled(path, count=3):
    with opened(path)[0] as ledger:
        for number in range(count):
            ledger.add({"number": number})
    return path


def read(path, **options):
    ledger, entries = opened(path, **options)
    with ledger:
        return entries


@pytest.fixture
def path(tmp_path):
    return filled(tmp_path / "jobs" / "calls.jsonl")


def test_entries_come_back_and_more_are_added(path):
    ledger, entries = opened(path)
    with ledger:
        ledger.add({"number": 3})
        ledger.sync()
    assert entries == [{"number": number} for number in range(3)]
    assert read(path)[3:] == [{"number": 3}]


def test_without_a_path_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with opened(None)[0] as ledger:
        ledger.add({"number": 1})
        ledger.sync()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cut", range(1, 15))
def test_half_a_last_line_is_cut_off(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    ledger, entries = opened(path)
    with ledger:
        assert len(entries) == 2
        ledger.add({"number": 2})
    assert path.read_bytes() == whole


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_half_a_first_line_begins_anew(tmp_path, cut):
    path = filled(tmp_path / "calls.jsonl", 0)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    assert read(path) == []
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [b"nonsense", b"[]", b"3", b'{"number": 1', b'{"num\xff": 0}', b"null", b'{"other": 1}'])
def test_a_damaged_line_costs_itself_only(path, line):
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]) + b"\n")
    numbers = []
    with pytest.warns(UserWarning, match=r"calls.jsonl: left out 1 damaged lines: line 3 "):
        read(path, take=lambda entry: numbers.append(entry["number"]))
    assert numbers == [0, 1, 2]


@pytest.mark.parametrize("content", [b"thesis", b"thesis\n", b"{}\n", b'{"format": 3}\n', b'{"format": "test/1"}\nx\n'])
def test_what_is_no_job_is_left_alone(tmp_path, content):
    path = tmp_path / "thesis.tex"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"thesis\.tex:1: damaged, or no job"):
        read(path)
    assert path.read_bytes() == content


def test_a_folder_or_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(UsageError, match="is no file"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (JOB | {"seed": 2}, "seed=1, now 2"),
        (JOB | {"budget": 9}, r"budget=10, now 9 \(budget may be larger than before, not smaller\)"),
        (JOB | {"new": 1}, "new=None, now 1"),
        ({"budget": 10}, "seed=1, now None"),
    ],
)
def test_another_job_is_told_apart(path, now, words):
    with pytest.raises(UsageError, match=f"was made with {words}; go on with the same options, or give another output folder"):
        read(path, identity=now)


def test_what_may_grow_grows_and_stays_so(path):
    assert len(read(path, identity=JOB | {"budget": 20})) == 3
    assert len(read(path, identity=JOB | {"budget": 20})) == 3
    with pytest.raises(UsageError, match="budget=20, now 10"):
        read(path)


def test_another_version_is_refused(path):
    with pytest.raises(UsageError, match=r"no job of this version \(test/2\)"):
        Ledger(path, "test/2", JOB, print)


def test_two_processes_do_not_write_together(path):
    with opened(path)[0], pytest.raises(UsageError, match="another process is at this job"):
        opened(path)
    read(path)


def test_a_full_disk_costs_the_line_that_did_not_fit(path):
    """What is written after it is read again: no line is glued to half a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size
    ledger, _ = opened(path)
    with ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 7, before[1]))
        try:
            with pytest.raises(OSError, match=str(path)):
                ledger.add({"number": 3})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.stat().st_size == size
        ledger.add({"number": 4})
    assert [entry["number"] for entry in read(path)] == [0, 1, 2, 4]


def test_a_short_write_is_gone_on_with(path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:3]))
    filled(path, 2)
    monkeypatch.undo()
    assert [entry["number"] for entry in read(path)] == [0, 1, 2, 0, 1]


def endless(path):
    ledger, _ = opened(path)
    number = 3
    while True:
        ledger.add({"number": number, "long": "x" * 5000})
        number += 1


def test_a_process_killed_while_writing_loses_no_whole_line(path):
    process = multiprocessing.get_context("fork").Process(target=endless, args=(path,))
    process.start()
    while path.stat().st_size < 10**6:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    numbers = [entry["number"] for entry in read(path)]
    assert numbers == list(range(len(numbers)))
    assert json.loads(path.read_bytes().splitlines()[-1])["number"] == numbers[-1]
