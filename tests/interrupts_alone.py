"""Ctrl-C reaches Python, whatever a library does to the handler below it: with real signals."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

import pytest

from vaehub.signals import interruptible, rearm

NOTHING = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p)  # a handler in C that does nothing


def take_away():
    """What RDKit does at every substructure match: a handler in C that Python does not know of."""
    put = ctypes.pythonapi.PyOS_setsig
    put.restype, put.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p]
    put(signal.SIGINT, NOTHING)


def press(after=0.0):
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()


def pressed(work):
    """Some work during which Ctrl-C is pressed, after the library has been called."""
    take_away()
    press(after=0.2)
    work()


@pytest.fixture(autouse=True)
def restored():
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.getsignal(signal.SIGURG) == signal.SIG_DFL


def test_without_it_the_signal_is_lost():
    take_away()
    press()
    time.sleep(0.2)


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        take_away()


def test_a_loop_can_take_it_back():
    def loop():
        for _ in range(100):
            take_away()
            rearm()
            press()
            time.sleep(0.1)

    with pytest.raises(KeyboardInterrupt):
        loop()


@pytest.mark.parametrize("wait", [time.sleep, busy, threading.Event().wait])
def test_it_comes_through_at_once_while_waiting_and_while_computing(wait):
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruptible():
        pressed(lambda: wait(10))
    assert time.monotonic() - start < 2


def test_the_handler_that_is_there_at_that_moment_is_called():
    class Stopped(Exception):
        pass

    def own(number, frame):
        raise Stopped(number)

    def work():
        signal.signal(signal.SIGINT, own)
        time.sleep(5)

    with pytest.raises(Stopped, match="2"), interruptible():
        pressed(work)


def test_afterwards_everything_is_as_it_was():
    threads = set(threading.enumerate())
    with interruptible(), interruptible():
        take_away()
    press(after=0.2)
    with pytest.raises(KeyboardInterrupt):
        time.sleep(5)
    assert set(threading.enumerate()) <= threads


def test_what_is_ignored_stays_so_and_other_threads_change_nothing():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interruptible():
        press()
        time.sleep(0.2)
    seen = []

    def elsewhere():
        with interruptible():
            seen.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [set()]
