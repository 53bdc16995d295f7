"""Inside a worker process: a session of its own that ends as a whole, and limits that the system keeps."""

from __future__ import annotations

import os
import resource
import secrets
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

GIB = 2**30
MARK = "VAEHUB_WORKER"  # an environment variable; programs that leave the session of their worker are known by it


@dataclass
class Lifeline:
    """A pipe whose writing end only one process holds, so that its reading end ends with that process, however it ends."""

    reading: int
    writing: int | None

    def let_go(self) -> None:
        """In a child made by fork: this is the parent's."""
        if self.writing is not None:
            os.close(self.writing)
            self.writing = None
            lifeline.cache_clear()


@cache
def lifeline() -> Lifeline:
    """That of this process."""
    made = Lifeline(*os.pipe())
    os.register_at_fork(after_in_child=made.let_go)
    return made


@final
@dataclass(frozen=True)
class Tree:
    """All processes that a worker started: those of its session, and those outside of it that have its mark in their environment.

    `timeout` and shells with job control make groups of their own, `setsid` and `start_new_session=True` sessions. What is not found
    is only a program in a session of its own that was given an empty environment, or a fork there that runs no new program. Without
    /proc, outside of Linux, nothing is found.
    """

    session: int
    mark: bytes
    guard: int

    def kill(self, since: float = 0.0) -> None:
        """Kill those that started after so many seconds since the machine did, save this process and the guard."""
        killed = {os.getpid(), self.guard}
        while found := {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if self.has(folder, since)} - killed:
            for process in found:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
            killed |= found

    def has(self, folder: Path, since: float) -> bool:
        """Whether a process, by its folder in /proc, is one of these."""
        try:
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()  # from the third of proc(5) on
            if int(fields[19]) < int(since * os.sysconf("SC_CLK_TCK")):
                return False
            return int(fields[3]) == self.session or self.mark in (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it has just ended, or is another user's
            return False


def lead_group(parent: Lifeline) -> Tree:
    """Make this process the leader of a session that dies with it or with its parent, including all programs that it started.

    A guard, a small process of the same session, waits for the end of either, also where that is a SIGKILL or a crash.
    """
    os.setsid()
    os.environ[MARK] = secrets.token_hex(8)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    own = lifeline()
    guard = os.fork()
    tree = Tree(os.getsid(0), f"{MARK}={os.environ[MARK]}".encode(), guard or os.getpid())
    if guard == 0:
        try:
            select.select([own.reading, parent.reading], [], [])
            tree.kill()
        finally:
            os.killpg(0, signal.SIGKILL)
    return tree


def uptime() -> float:
    """Seconds since the machine started, as /proc counts them; 0 where there is no /proc."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else 0.0


def limit_memory(gib: float | None) -> None:
    """Let this process take so many GiB of address space more than it has now; no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if gib is not None and sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + int(gib * GIB)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def limit_processor(seconds: float | None) -> None:
    """Let the system end this process after so many seconds of its processor time from now; None takes the limit away."""
    if seconds is not None:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds or 0)


def one_thread() -> None:
    """Compute in one thread: those of the parent do not survive a fork, and there is a worker for every core."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
