"""Ctrl-C that a library in C cannot take away."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from vaehub.signals import rearm as rearm

WAKE = signal.SIGURG  # ignored wherever nobody waits for it, and used by nothing else here


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C inside the block reaches the handler that Python has for it, whatever a library installed below.

    RDKit leaves a handler of its own behind every substructure match, and that one swallows the signal; to install ours again helps until
    the next match only. So the signal is blocked, where no handler sees it, a thread waits for it, and wakes the main thread, which calls
    Python's handler. Only the main thread can do this, and before other threads start, since they take over what it blocks; elsewhere,
    and where Ctrl-C is ignored (`nohup`), nothing changes.
    """
    if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGINT)):
        yield
        return
    ended = threading.Event()
    waking = signal.signal(WAKE, pass_on)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    waiter = threading.Thread(target=wake_main, args=(ended,), daemon=True)
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


def pass_on(number: int, frame: FrameType | None) -> None:
    """In the main thread: what Python does at Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)


def wake_main(ended: threading.Event) -> None:
    """In a thread of its own: wait for Ctrl-C until the block ends."""
    main = threading.main_thread().ident
    while signal.sigwait({signal.SIGINT}) and not ended.is_set():
        if main is not None:
            signal.pthread_kill(main, WAKE)
