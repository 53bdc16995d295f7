"""Ctrl-C and SIGTERM: one exception for both, wherever the program stands, and the exit code that belongs to it.

`listening` installs the handlers for a command, `shielded` delays them, and two ways keep them alive beside libraries in C that put a
handler of their own below Python's (RDKit does, in substructure matches): `check_in` or `rearm` once a round, or `interruptible` around
the whole work, which needs nothing inside.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

__all__ = ["Interrupted", "check_in", "interruptible", "listening", "rearm", "shielded"]

STOPPING = (signal.SIGINT, signal.SIGTERM)
NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
WAKE = signal.SIGURG  # wakes the main thread: ignored wherever nobody waits for it, and used by nothing else here
PATIENCE = 1.0  # seconds after a signal in which more of them do not disturb what is being put in order


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM came. It is a KeyboardInterrupt, so that `except Exception` lets it pass and a notebook's stop button works."""

    def __init__(self, number: int, where: str = "") -> None:
        super().__init__(number, where)
        self.number, self.where = number, where

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"stopped by {NAMES.get(signal.Signals(self.number), 'a signal')}{self.where}"


@dataclass
class Requests:
    """What the handler knows: the signal that came, if one did, and whether it must wait."""

    number: int | None = None
    at: float = 0.0  # when, in seconds
    shields: int = 0
    listeners: int = 0
    owner: int = 0  # the process that listens; a child made by fork inherits the handler


_requests = Requests()


def _handle(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _requests.owner:  # a child of ours dies as if nobody had listened
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    again = _requests.number is not None and time.monotonic() - _requests.at < PATIENCE
    _requests.number, _requests.at = number, time.monotonic()
    if not _requests.shields and not again:
        raise Interrupted(number)


@contextmanager
def listening() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise `Interrupted` inside the block; afterwards the handlers are as they were.

    Only the main thread can listen. A signal that is ignored (`nohup`, a job in the background) or that the caller handles in a way
    of its own stays so.

    >>> with listening():
    ...     pass
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = (signal.SIG_DFL, signal.default_int_handler, _handle)
    before = {number: handler for number in STOPPING if (handler := signal.getsignal(number)) in ours}
    if not _requests.listeners:
        _requests.number, _requests.shields, _requests.owner = None, 0, os.getpid()
    _requests.listeners += 1
    try:
        for number in before:
            signal.signal(number, _handle)
        yield
    finally:
        _requests.listeners -= 1
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def shielded() -> Iterator[None]:
    """A signal waits until the end of the block, for what must not be done by halves. Where one came before, later ones are dropped."""
    before = _requests.number
    _requests.shields += 1
    try:
        yield
    finally:
        _requests.shields -= 1
    if before is None:
        raise_if_requested()


def requested() -> int | None:
    """The signal that asked this program to stop, if one did: third-party code may have swallowed or replaced the exception."""
    return _requests.number if _requests.listeners else None


def raise_if_requested() -> None:
    """Raise `Interrupted` where a signal came and its exception got lost."""
    number = requested()
    if number is not None and not _requests.shields:
        raise Interrupted(number)


def check_in() -> None:
    """What a long loop calls once a round: take Ctrl-C back from third-party code, and stop where that was asked for."""
    rearm()
    raise_if_requested()


def rearm() -> None:
    """Install the present handlers anew, after third-party code put its own below Python's (RDKit does, in substructure matches).

    Python cannot see such a handler, so this is called after every use of such a library, or once a round; it costs microseconds.

    >>> rearm()
    """
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C inside the block reaches the handler that Python has for it, whatever a library in C installed below.

    RDKit leaves a handler of its own behind every substructure match, and that one swallows the signal; `rearm` helps until the next
    match only. So the signal is blocked, where no handler sees it, a thread waits for it, and wakes the main thread, which calls
    Python's handler. Only the main thread can do this, and before other threads start, since they take over what it blocks; elsewhere,
    and where Ctrl-C is ignored (`nohup`), nothing changes.

    >>> with interruptible():
    ...     pass
    """
    if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGINT)):
        yield
        return
    ended = threading.Event()
    waking = signal.signal(WAKE, _call_handler)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    waiter = threading.Thread(target=_wake_main_thread, args=(ended,), daemon=True)
    waiter.start()
    try:
        yield
    finally:
        ended.set()
        if waiter.ident is not None:
            signal.pthread_kill(waiter.ident, signal.SIGINT)
        waiter.join()
        rearm()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(WAKE, waking)


def _call_handler(number: int, frame: FrameType | None) -> None:
    """In the main thread: what Python does at Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)


def _wake_main_thread(ended: threading.Event) -> None:
    """In a thread of its own: wait for Ctrl-C until the block ends."""
    main = threading.main_thread().ident
    while signal.sigwait({signal.SIGINT}) and not ended.is_set():
        if main is not None:
            signal.pthread_kill(main, WAKE)
