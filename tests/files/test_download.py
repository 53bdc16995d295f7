"""Downloads, from a server on this machine: checked, kept in one place, one line where they fail."""

from __future__ import annotations

import socket
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from vaehub.errors import UsageError
from vaehub.files.download import cache_folder, download

CONTENT = b"some data" * 1000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def url(tmp_path):
    """The address of a file with CONTENT."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "set.zip").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "served"))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/set.zip"
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of downloads."""
    monkeypatch.setenv("VAEHUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_is_fetched_once_and_kept_in_the_cache(url, cache, tmp_path):
    digest = sha256(CONTENT).hexdigest()
    path = download(url, digest, len(CONTENT), "fetch it yourself")
    assert path == cache / "set.zip"
    assert path.read_bytes() == CONTENT
    (tmp_path / "served" / "set.zip").unlink()
    assert download(url, digest, len(CONTENT), "fetch it yourself") == path


@pytest.mark.parametrize(("digest", "size"), [("0" * 64, len(CONTENT)), (sha256(CONTENT).hexdigest(), len(CONTENT) - 1)])
def test_another_file_and_one_that_is_too_large_are_refused_and_not_kept(url, cache, digest, size):
    with pytest.raises(UsageError, match=r"set\.zip: download failed \(ValueError: .*\); fetch it yourself"):
        download(url, digest, size, "fetch it yourself")
    assert list(cache.iterdir()) == []


def test_without_a_network_one_line_says_what_to_do(cache):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        UsageError, match=r"^http://127.0.0.1:\d+/x: download failed \(ConnectionError.*\); set the path"
    ) as caught:
        download(f"http://127.0.0.1:{port}/x", "0" * 64, 10, "set the path")
    assert "\n" not in str(caught.value)


def test_the_cache_is_the_platforms_unless_it_is_named(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.delenv("VAEHUB_CACHE")
    assert cache_folder().name == "vaehub"
