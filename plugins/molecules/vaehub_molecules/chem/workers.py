"""Many strings to canonical SMILES in processes that can be stopped: one string is known to have taken hours and 200 GB (rdkit#1360)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain, islice
from queue import SimpleQueue
from typing import IO, final

from vaehub.errors import RunFailed
from vaehub_molecules.chem.canonical import DEFAULT
from vaehub_molecules.chem.limits import check, risky
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected
from vaehub_molecules.chem.serve import READY, answer, unpacked

FEW = 2_000  # strings that are not worth the start of a process
CHUNK = 512
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the stacks of idle threads would count as memory

Answer = str | Rejected


def canonicals(
    texts: Sequence[str], policy: Policy = DEFAULT, workers: int | None = None, seconds: float = 2.0, memory_gib: float = 2.0
) -> list[Answer]:
    """Canonical SMILES of each string or the reason why there is none, in order.

    A string that takes more than `seconds` of processor time or `memory_gib` is rejected and its worker replaced. Few strings are read
    in this process, save those with many rings; the result is the same for any number of workers (default: one per processor).
    """
    known = [screened(text, policy) for text in texts]
    away = [text for text in dict.fromkeys(known) if isinstance(text, str) and (len(texts) > FEW or risky(text))]
    found = from_workers(away, partial(Worker, policy, seconds, memory_gib), workers or processors())
    told: dict[Answer, Answer] = dict(zip(away, found, strict=True))
    return [told[text] if text in told else here(text, policy) for text in known]


def canonicals_of_blocks(blocks: Sequence[str], policy: Policy = DEFAULT, workers: int | None = None) -> list[Answer]:
    """The same for mol blocks, all of which go to workers."""
    return from_workers(blocks, partial(Worker, policy, form="block"), workers or processors())


def screened(text: str, policy: Policy) -> Answer:
    """The string without blanks around it, or the reason why it is not parsed at all."""
    text = text.strip()
    try:
        check(text, policy.max_length)
    except Rejected as rejected:
        return rejected
    return text


def here(known: Answer, policy: Policy) -> Answer:
    """The answer to a screened string, found in this process."""
    return answer(known, policy) if isinstance(known, str) else known


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def from_workers(texts: Sequence[str], make: Callable[[], Worker], count: int) -> list[Answer]:
    """The answers of up to `count` workers, in order."""
    chunks = [texts[at : at + CHUNK] for at in range(0, len(texts), CHUNK)]
    if not chunks:
        return []
    idle: SimpleQueue[Worker] = SimpleQueue()
    with ExitStack() as stack, ThreadPoolExecutor(min(count, len(chunks))) as threads:
        for _ in range(min(count, len(chunks))):
            idle.put(stack.enter_context(closing(make())))
        return list(chain.from_iterable(threads.map(partial(from_idle, idle), chunks)))


def from_idle(idle: SimpleQueue[Worker], texts: Sequence[str]) -> list[Answer]:
    """The answers of a worker that has nothing else to do."""
    worker = idle.get()
    try:
        return worker.ask(texts)
    finally:
        idle.put(worker)


@final
@dataclass
class Worker:
    """A process that reads strings, started when it is needed and again when a string has killed it."""

    policy: Policy
    seconds: float = 2.0
    memory_gib: float = 2.0
    form: str = "smiles"
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    def ask(self, texts: Sequence[str]) -> list[Answer]:
        """The answers to strings, in order."""
        answers: list[Answer] = []
        while len(answers) < len(texts):
            answers += self._some(texts[len(answers) :])
        return answers

    def _some(self, texts: Sequence[str]) -> list[Answer]:
        """The answers up to and with the string that kills the process, if there is one."""
        self.process = self.process or self._start()
        stdin, stdout = pipes(self.process)
        with suppress(BrokenPipeError):  # it died over what it was given
            stdin.write(json.dumps(texts) + "\n")
            stdin.flush()
        answers = [unpacked(line) for line in islice(stdout, len(texts))]
        return answers if len(answers) == len(texts) else [*answers, self._bury()]

    def _start(self) -> subprocess.Popen[str]:
        limits = {"seconds": self.seconds, "memory": int(self.memory_gib * 2**30)}
        options = limits | {"policy": asdict(self.policy), "form": self.form}
        command = [sys.executable, "-P", "-m", "vaehub_molecules.chem.serve", json.dumps(options)]
        paths = os.pathsep.join(filter(None, sys.path))
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": paths},
        )
        if pipes(process)[1].readline().strip() != READY:
            stop(process)
            raise RunFailed(f"a worker process did not start within {self.memory_gib:g} GiB; to see why: {' '.join(command[:4])}")
        return process

    def _bury(self) -> Rejected:
        """Why the process died over a string."""
        assert self.process
        code = stop(self.process)
        self.process = None
        return Rejected(Reason.TIME, f"over {self.seconds:g} s") if code == -signal.SIGPROF else Rejected(Reason.CRASH)

    def close(self) -> None:
        """End the process."""
        if self.process:
            stop(self.process)


def stop(process: subprocess.Popen[str]) -> int:
    """End a process; returns how it ended."""
    with suppress(BrokenPipeError), process:
        process.kill()
    return process.returncode


def pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    """Where to write to a process and where to read from it."""
    assert process.stdin
    assert process.stdout
    return process.stdin, process.stdout
