"""What may be read: ordinary files, no larger than their reader takes, and no bombs."""

from __future__ import annotations

import gzip
import os
import socket
import zlib

import pytest

from vaehub.errors import UsageError
from vaehub.files import guard
from vaehub.files.guard import guarded, read_bytes, read_gzip, regular_file


def test_an_ordinary_file_and_a_link_to_one_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    assert regular_file(tmp_path / "a") == tmp_path / "a"
    assert read_bytes(str(tmp_path / "link")) == b"abc"


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    refusals = {
        "pipe": "is a pipe, not a file",
        "link": "is a pipe, not a file",
        "socket": "is a socket, not a file",
        "broken": "no such file",
        "absent": "no such file",
        ".": "is a folder",
        "a" * 300: "File name too long",
    }
    for name, expected in refusals.items():
        with pytest.raises(UsageError, match=expected):
            read_bytes(tmp_path / name)
    with pytest.raises(UsageError, match="is a device, not a file"):
        read_bytes("/dev/zero")
    with pytest.raises(UsageError, match="null byte"):
        regular_file("a\0b")


def test_a_file_above_the_limit_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(UsageError, match="a: 11 bytes, more than the 10 that are read"):
        read_bytes(tmp_path / "a", 10)


def test_packed_bytes_are_unpacked_no_further_than_they_may(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "FREE_BYTES", 1000)
    (tmp_path / "good.gz").write_bytes(gzip.compress(b"abc" * 300))
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(10**6), 9))
    (tmp_path / "torn.gz").write_bytes(gzip.compress(os.urandom(500))[:-20])
    assert read_gzip(tmp_path / "good.gz") == b"abc" * 300
    with pytest.raises(UsageError, match=r"bomb\.gz: .* bytes that unpack to more than"):
        read_gzip(tmp_path / "bomb.gz")
    with pytest.raises(UsageError, match=r"torn\.gz: damaged"):
        read_gzip(tmp_path / "torn.gz")


@pytest.mark.parametrize(
    "error", [ValueError("a\nb"), KeyError("k"), zlib.error("bad"), OverflowError(), RecursionError(), OSError("no number")]
)
def test_whatever_fails_is_one_line_that_names_the_file(error):
    with pytest.raises(UsageError, match=r"^f\.bin: damaged \(.*\); train again$"), guarded("f.bin", "train again"):
        raise error


def test_memory_the_system_and_what_is_said_already_have_words_of_their_own():
    for error, expected in (
        (MemoryError(), "^f: does not fit into the memory of this machine"),
        (PermissionError(13, "Permission denied"), "^f: Permission denied; check"),
        (UsageError("f: mend it"), "^f: mend it$"),
        (UsageError("mend it"), "^f: mend it$"),
    ):
        with pytest.raises(UsageError, match=expected), guarded("f"):
            raise error


def test_a_long_reason_is_cut():
    with pytest.raises(UsageError) as caught, guarded("f"):
        raise ValueError("x" * 10_000)
    assert len(str(caught.value)) < 300
