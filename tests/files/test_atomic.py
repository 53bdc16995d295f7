"""Files and folders written whole or not at all: left-overs, modes, full disks, killed processes, journals."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from vaehub.cli.app import system_error
from vaehub.cli.use import write_codes
from vaehub.errors import UsageError
from vaehub.files import atomic
from vaehub.files.atomic import atomic_file, atomic_folder, atomic_write, replacing, restore_folder
from vaehub.files.lines import LineWriter, read_lines

ROOT = Path(__file__).parents[2]


@pytest.fixture
def umask():
    """A umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@contextmanager
def room(size):
    """No file may grow beyond `size` bytes, as on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize(("mask", "file", "folder"), [(0o077, 0o600, 0o700), (0o022, 0o644, 0o755), (0o002, 0o664, 0o775)])
def test_modes_follow_the_umask(tmp_path, umask, mask, file, folder):
    umask(mask)
    atomic_write(tmp_path / "a", b"x")
    with replacing(tmp_path / "b") as path:
        path.write_text("x")
    with atomic_folder(tmp_path / "f", ["x"]) as path:
        (path / "x").touch()
    with LineWriter(tmp_path / "log") as log:
        log.append("x")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "b", "log", "f/x", "f")] == [file] * 4 + [folder]


def test_only_left_overs_of_the_same_target_are_removed_and_none_that_is_held(tmp_path):
    keep = [".download.part", ".a.part", "a.abcd1234.part", ".b.abcd1234.part", ".a.abcd12345.part", ".a.abcd1234.partly"]
    for name in keep:
        (tmp_path / name).touch()
    (tmp_path / "precious").mkdir()
    (tmp_path / ".a.00000000.part").symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / ".a.11111111.part")
    (tmp_path / ".a.abcd1234.part").touch()
    (tmp_path / ".a.k_kyyw3x.part").mkdir()
    with atomic_file(tmp_path / "a") as held:
        atomic_write(tmp_path / "a", b"new")
        held.write(b"newer")
    assert (tmp_path / "a").read_bytes() == b"newer"
    assert {p.name for p in tmp_path.iterdir()} == {*keep, "a", "precious", ".a.00000000.part", ".a.11111111.part"}


def test_a_full_disk_keeps_the_old_file_and_names_it(tmp_path):
    path = tmp_path / "codes.npy"
    path.write_bytes(b"old")
    writers = (
        lambda: atomic_write(path, b"x" * 100_000),
        lambda: write_codes(np.zeros((10_000, 4)), path),
        lambda: replace(path),
    )
    for write in writers:
        with room(7136), pytest.raises(OSError, match=r".") as caught:
            write()
        said = system_error(caught.value)
        assert said.startswith(f"{path}: ")
        assert said.endswith("or write elsewhere")
        assert [p.name for p in tmp_path.iterdir()] == ["codes.npy"]
        assert path.read_bytes() == b"old"


def replace(path):
    with replacing(path) as temporary:
        np.save(temporary, np.zeros((10_000, 4)))  # an OSError without a number: "40000 requested and 876 written"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_has_a_remedy(number):
    assert system_error(OSError(number, os.strerror(number), "x.bin")).endswith("or write elsewhere")


def test_errors_speak_of_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(UsageError, match=f"^{tmp_path}/x.docx: images are") as said, replacing(tmp_path / "x.docx") as path:
        raise UsageError(f"{path}: images are written to .png")
    assert ".part" not in str(said.value)
    with pytest.raises(OSError, match="Permission") as caught, replacing(tmp_path / "x") as path:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    assert caught.value.filename == str(tmp_path / "x")
    with pytest.raises(OSError, match="gone") as other, atomic_file(tmp_path / "x"):
        raise OSError(errno.ENOENT, "gone", "input.csv")
    assert other.value.filename == "input.csv"


def folder_of(path, text):
    with atomic_folder(path, ["*.txt"]) as part:
        (part / "a.txt").write_text(text)
        (part / "b.txt").write_text(text)


def test_a_folder_is_swapped_in_whole(tmp_path):
    folder_of(tmp_path / "f", "one")
    folder_of(tmp_path / "f", "two")
    assert {p.name: p.read_text() for p in (tmp_path / "f").iterdir()} == {"a.txt": "two", "b.txt": "two"}
    with pytest.raises(TypeError):
        folder_of(tmp_path / "f", 3)
    assert (tmp_path / "f/a.txt").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_folder_with_anything_else_in_it_is_not_replaced(tmp_path):
    folder = tmp_path / "f"
    folder_of(folder, "one")
    foreign = folder / "thesis.tex"
    for make, unmake in ((Path.touch, Path.unlink), (Path.mkdir, Path.rmdir), (lambda p: p.symlink_to(tmp_path), Path.unlink)):
        make(foreign)
        with pytest.raises(UsageError, match=r"holds thesis\.tex"):
            folder_of(folder, "two")
        assert os.path.lexists(foreign)
        unmake(foreign)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UsageError, match="no folder"):
        folder_of(tmp_path / "link", "two")
    assert (folder / "a.txt").read_text() == "one"


def test_without_an_exchange_a_folder_is_put_back_after_a_kill_between_two_renames(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "exchange", lambda a, b: False)
    folder_of(tmp_path / "f", "one")
    folder_of(tmp_path / "f", "two")
    assert (tmp_path / "f/a.txt").read_text() == "two"
    os.rename(tmp_path / "f", tmp_path / ".f.0123abcd.old")  # what a killed process leaves
    restore_folder(tmp_path / "f")
    assert (tmp_path / "f/a.txt").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


KILLED = """
import os, signal, sys
from pathlib import Path
from vaehub.files import atomic
steps = iter(range(10**9))
def dying(function):
    def call(*arguments):
        if next(steps) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
os.rename, os.fsync, atomic.exchange = dying(os.rename), dying(os.fsync), dying(atomic.exchange)
with atomic.atomic_folder(Path(sys.argv[1]), ["*.txt"]) as part:
    for name in "ab":
        (part / f"{name}.txt").write_text("new")
"""


@pytest.mark.parametrize("step", range(6))
def test_killed_at_any_step_a_folder_is_the_old_or_the_new_one(tmp_path, step):
    folder_of(tmp_path / "f", "old")
    code = [sys.executable, "-c", KILLED, str(tmp_path / "f"), str(step)]
    process = subprocess.run(code, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60, check=False)
    assert process.returncode in (0, -signal.SIGKILL)
    assert {p.read_text() for p in (tmp_path / "f").iterdir()} in ({"old"}, {"new"})
    folder_of(tmp_path / "f", "next")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def values(path):
    return [value for _, value in read_lines(path, int)]


def test_a_journal_survives_a_full_disk(tmp_path):
    path = tmp_path / "log"
    with LineWriter(path) as log:
        log.append("1")
        with room(4), pytest.raises(OSError, match=r"log") as caught:
            log.append("222222")
        assert caught.value.filename == str(path)
        assert path.read_text() == "1\n"
        log.append("3")
    assert values(path) == [1, 3]


def test_a_short_write_goes_on_until_all_is_written(tmp_path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, content, at: write(handle, content[:2], at))
    with LineWriter(tmp_path / "log") as log:
        log.append("123456789")
    assert (tmp_path / "log").read_text() == "123456789\n"


def test_a_damaged_line_costs_that_line_only(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"1\n2x\n\xff\n4\n55")
    with pytest.warns(UserWarning, match=r"log:[23]: damaged; this line is left out"):
        assert values(path) == [1, 4]
    with LineWriter(path) as log:
        log.append("5")
    with pytest.warns(UserWarning, match="damaged"):
        assert list(read_lines(path, int)) == [(1, 1), (4, 4), (5, 5)]


def test_one_process_writes_a_journal(tmp_path):
    with LineWriter(tmp_path / "log"), pytest.raises(UsageError, match="another process writes to it"):
        LineWriter(tmp_path / "log")
    with LineWriter(tmp_path / "log") as log:
        log.append("1")
        log.sync()


def test_a_last_line_longer_than_a_block_is_cut_off(tmp_path):
    (tmp_path / "log").write_bytes(b"1\n" + b"2" * 200_000)
    with LineWriter(tmp_path / "log"):
        assert (tmp_path / "log").read_bytes() == b"1\n"
