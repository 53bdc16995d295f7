"""What a computation takes of memory, held against what there is before any of it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vaehub import UsageError

FEWER = "leave out rare items and users (min_item and min_user, in a config domain.min_item and domain.min_user)"
CGROUPS = Path("/sys/fs/cgroup")


def require_memory(what: str, needed: float, remedy: str) -> None:
    """Go on where `needed` bytes are free.

    Arguments:
        what: is computed.
        needed: bytes at its peak, beyond what is taken already.
        remedy: what to do where there are too few.

    Raises:
        UsageError: says both figures in GB, and the remedy.

    Example:
        >>> require_memory("a small matrix", 8e3, "take a smaller one")
        >>> require_memory("a matrix", float("inf"), "take a smaller one")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        vaehub.errors.UsageError: a matrix: takes inf GB of memory at its peak, and ... GB are free; take a smaller one
    """
    free = free_memory()
    if needed > free:
        raise UsageError(f"{what}: takes {needed / 1e9:.1f} GB of memory at its peak, and {free / 1e9:.1f} GB are free; {remedy}")


def free_memory() -> float:
    """Bytes that this process can still take: of the machine, of its control group, and of its own address space; inf where nothing says."""
    return max(0.0, min([*free_on_machine(), *free_in_group(), *free_addresses()], default=float("inf")))


def free_on_machine() -> Iterator[float]:
    """MemAvailable of Linux."""
    yield from kilobytes(Path("/proc/meminfo"), "MemAvailable")


def free_in_group() -> Iterator[float]:
    """The limit of a container, less what it has taken and cannot give back: pages of files can be read again."""
    most, taken, statistics = (text_of(CGROUPS / f"memory.{name}") for name in ("max", "current", "stat"))
    if most.strip().isdecimal() and taken.strip().isdecimal():
        pages = (int(line.split()[1]) for line in statistics.splitlines() if line.startswith("inactive_file "))
        yield float(int(most) - int(taken) + sum(pages))


def free_addresses() -> Iterator[float]:
    """The limit of `ulimit -v`, less what is in use."""
    for line in text_of(Path("/proc/self/limits")).splitlines():
        most = line.removeprefix("Max address space").split()
        if len(most) == 3 and most[0].isdecimal():
            yield from (int(most[0]) - taken for taken in kilobytes(Path("/proc/self/status"), "VmSize"))


def kilobytes(path: Path, name: str) -> Iterator[float]:
    """Bytes of a line "name: 12 kB"."""
    for line in text_of(path).splitlines():
        if line.startswith(f"{name}:"):
            yield 1024.0 * int(line.split()[1])


def text_of(path: Path) -> str:
    """What a file of the system says, nothing where there is none."""
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
