"""Checks without network and without files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest.mock import patch

from vaehub.testing.core import Failed


def refuse(what: str) -> Any:
    """A function that fails the check, whatever it is called with."""

    def refused(*arguments: Any, **options: Any) -> NoReturn:
        raise Failed(f"{what}: {', '.join(map(repr, arguments[-1:]))}")

    return refused


@contextmanager
def no_network() -> Iterator[None]:
    """Any attempt to connect fails the check."""
    refused = refuse("the part opens a network connection")
    with patch("socket.socket.connect", refused), patch("socket.getaddrinfo", refused):
        yield


@contextmanager
def no_files() -> Iterator[None]:
    """Any attempt to open a file fails the check."""
    refused = refuse("the part opens a file")
    with patch("builtins.open", refused), patch("io.open", refused):
        yield
