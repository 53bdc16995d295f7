"""Steps that work at the same time: order, errors, and that nothing goes on when nobody listens."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from vaehub.jobs.pipeline import prefetched


def numbers(n, made):
    for number in range(n):
        made.append(number)
        yield number


def test_all_things_come_in_order_from_another_thread():
    threads = set()

    def named():
        for number in range(50):
            threads.add(threading.current_thread())
            yield number

    assert list(prefetched(named())) == list(range(50))
    assert threading.current_thread() not in threads


def test_steps_overlap():
    def slow(things):
        for thing in things:
            time.sleep(0.02)
            yield thing

    start = time.perf_counter()
    assert list(prefetched(slow(prefetched(slow(iter(range(10))))))) == list(range(10))
    assert time.perf_counter() - start < 0.35  # one after the other: 0.4


def test_no_more_is_made_than_there_is_room_for():
    made = []
    with closing(prefetched(numbers(100, made))) as things:
        assert next(things) == 0
        time.sleep(0.05)
        assert len(made) <= 5


def test_an_error_is_raised_where_the_things_are_wanted():
    def broken():
        yield 1
        raise ValueError("torn")

    things = prefetched(prefetched(broken()))
    assert next(things) == 1
    with pytest.raises(ValueError, match="torn"):
        next(things)


def test_closing_stops_all_steps_and_closes_what_they_read():
    made, closed = [], []

    def source():
        try:
            yield from numbers(1000, made)
        finally:
            closed.append(True)

    before = threading.active_count()
    with closing(prefetched(prefetched(source()))) as things:
        next(things)
    assert closed == [True]
    assert len(made) < 20
    assert threading.active_count() == before
