"""A call may raise, hang, take all memory or kill its process: that is the answer to it alone, and nothing is left running."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from vaehub.errors import UsageError
from vaehub.jobs.workers import Failure, Limits, Workers


def awkward(word):
    match word:
        case "hang":
            time.sleep(600)
        case "spin":
            while True:
                pass
        case "die":
            os._exit(3)
        case "crash":
            faulthandler.disable()  # pytest's
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            sys.exit(2)
        case "raise":
            raise RuntimeError("no\nluck")
        case "greedy":
            return len(bytearray(4 * 2**30))
        case "unsendable":
            return lambda: None
    return len(word)


HALF_A_MINUTE = Limits(seconds=30.0)


def answers(words, function=awkward, count=2, limits=HALF_A_MINUTE, chunk=1):
    with Workers(function, count, limits, chunk) as workers:
        return workers.in_order(words)


@pytest.mark.parametrize(("count", "chunk"), [(0, 1), (1, 1), (2, 1), (2, 7)])
def test_every_answer_finds_its_place(count, chunk):
    words = ["C" * (1 + i % 7) for i in range(60)]
    assert [answer.value for answer in answers(words, count=count, chunk=chunk)] == list(map(len, words))
    assert answers([], count=count, chunk=chunk) == []


@pytest.mark.parametrize("chunk", [1, 3])
def test_a_call_that_fails_costs_nobody_else(chunk):
    words = ["hang", "C", "die", "CC", "crash", "raise", "exit", "unsendable", "CCC"]
    found = answers(words, limits=Limits(seconds=0.5), chunk=chunk)
    assert [answer.value for answer in found] == [None, 1, None, 2, None, None, None, None, 3]
    failures = [Failure.TIME, Failure.DIED, Failure.DIED, *[Failure.RAISED] * 3]
    assert [answer.failure for answer in found if answer.failure] == failures
    assert [answer.error for answer in found if answer.failure][:5] == [
        "took longer than 0.5 s",
        "ended its process (with exit code 3)",
        "ended its process (by SIGSEGV)",
        "RuntimeError: no luck",
        "SystemExit: 2",
    ]
    assert "cannot be sent back" in found[7].error


def test_processor_time_has_a_limit_of_its_own():
    spin, sleep = answers(["spin", 0.6], lambda item: time.sleep(item) if item != "spin" else awkward(item),
                          limits=Limits(processor_seconds=0.3))  # fmt: skip
    assert (spin.failure, spin.error) == (Failure.TIME, "took longer than 0.3 s of processor time")
    assert sleep.failure is None


def test_memory_has_a_limit():
    greedy, small = answers(["greedy", "C"], limits=Limits(memory_gib=0.5))
    assert (greedy.failure, greedy.error) == (Failure.MEMORY, "took more memory than it may")
    assert small.value == 1


def pooled(word):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return sum(pool.map(len, [word, word]))


def test_a_call_may_use_a_pool_of_its_own():
    assert [answer.value for answer in answers(["C", "CC"], pooled)] == [2, 4]


def test_a_closure_over_something_that_cannot_be_sent_is_welcome():
    size, file = 3.0, open(os.devnull)  # noqa: SIM115
    with file:
        assert answers(["C"], lambda word: (size, file.closed))[0].value == (3.0, False)


def program(mark, word):
    """A call that starts a program that outlives it."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(601)", mark])
    if word == "hang":
        time.sleep(601)
    if word == "die":
        os._exit(1)
    return 1


def left(mark):
    """Processes with a word among their arguments, save those that wait to be buried."""
    found = subprocess.run(["ps", "-ewwo", "stat=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in found if line.endswith(mark) and not line.startswith("Z")]


def until_gone(mark):
    end = time.monotonic() + 10
    while found := left(mark):
        assert time.monotonic() < end, f"still running: {found}"
        time.sleep(0.05)


@pytest.mark.parametrize("words", [["hang"], ["die"], ["fine"], ["hang", "die", "fine", "hang"]])
def test_programs_that_a_call_started_end_with_its_worker(words):
    mark = f"mark-{os.getpid()}-{'-'.join(words)}"
    with Workers(partial(program, mark), 2, Limits(seconds=1.0)) as workers:
        assert workers.in_order(["fine"])[0].value == 1
        assert left(mark)
        workers.in_order(words)
    until_gone(mark)


SLEEP = ["sh", "-c", 'echo started > "$0"; sleep 601']  # with a file as its last argument
LAUNCHES = {
    "session": lambda command: subprocess.run(command, start_new_session=True),
    "timeout": lambda command: subprocess.run(["timeout", "600", *command]),
    "job control": lambda command: subprocess.run(["bash", "-c", 'set -m; "$@" & wait', "bash", *command]),
    "orphan": lambda command: subprocess.run(["bash", "-c", 'setsid "$@" & sleep 602', "bash", *command]),
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_programs_that_leave_the_group_end_with_it_too(tmp_path):
    with Workers(lambda kind: LAUNCHES[kind]([*SLEEP, str(tmp_path / kind)]), 4, Limits(seconds=1.5)) as workers:
        assert {answer.failure for answer in workers.in_order(list(LAUNCHES))} == {Failure.TIME}
        assert {file.name for file in tmp_path.iterdir()} == set(LAUNCHES)
    for kind in LAUNCHES:
        until_gone(str(tmp_path / kind))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_call_that_fails_leaves_no_program_but_those_of_calls_before(tmp_path):
    """`run(shell=True, timeout=…)` ends the shell alone."""

    def own_limit(name):
        command = [*SLEEP, str(tmp_path / name)]
        if name == "server":
            subprocess.Popen(command)
            return time.sleep(0.1)  # the system counts starts in hundredths of a second
        return subprocess.run(f"{shlex.join(command)}; true", shell=True, timeout=0.5)

    with Workers(own_limit, 1) as workers:
        assert workers.in_order(["server"])[0].failure is None
        assert workers.in_order(["dock"])[0].error.startswith("TimeoutExpired")
        assert (tmp_path / "dock").exists()
        until_gone(str(tmp_path / "dock"))
        assert left(str(tmp_path / "server"))
    until_gone(str(tmp_path / "server"))


PARENT = """
import sys, time
from functools import partial
from pathlib import Path
from jobs_test_workers import program
from vaehub.jobs.workers import Workers
with Workers(partial(program, sys.argv[1])) as workers:
    workers.in_order(["hang", "hang"])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_parent_that_is_stopped(number, tmp_path):
    """Its output ends as well: nobody else holds the pipe."""
    mark = f"mark-{os.getpid()}-{number.name}"
    (tmp_path / "jobs_test_workers.py").write_text(Path(__file__).read_text())
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    command = [sys.executable, "-c", PARENT, mark]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 30
        while sum("sleep(601)" in line for line in left(mark)) < 2:
            assert time.monotonic() < end, "the programs never started"
            time.sleep(0.05)
        os.kill(process.pid, number)
        process.communicate(timeout=5)
    finally:
        process.kill()
    until_gone(mark)


def interrupted(answers):
    next(answers)
    raise KeyboardInterrupt


def test_an_interrupt_ends_the_workers_and_goes_on_up():
    mark = f"mark-{os.getpid()}-interrupt"
    with Workers(partial(program, mark), 2) as workers, pytest.raises(KeyboardInterrupt):
        interrupted(workers.answers(["fine", "hang"]))
    until_gone(mark)


@pytest.mark.parametrize(
    ("options", "word"), [({"limits": {"seconds": 0.0}}, "seconds=0"), ({"limits": {"memory_gib": -1.0}}, "memory_gib=-1"),
                          ({"count": -1}, "workers=-1")]
)  # fmt: skip
def test_options_without_sense_are_refused(options, word):
    with pytest.raises(UsageError, match=word):
        Workers(len, options.get("count"), Limits(**options.get("limits", {})))
