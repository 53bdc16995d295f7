"""Many strings to canonical SMILES in processes that can be stopped: one string is known to have taken hours and 200 GB (rdkit#1360)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from vaehub.jobs.workers import Answer, Failure, Limits, Workers
from vaehub_molecules.chem.canonical import DEFAULT, canonical, canonical_of_block
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.prechecks import check, risky
from vaehub_molecules.chem.reasons import Reason, Rejected

FEW = 2_000  # strings that are not worth the start of processes
CHUNK = 512
LIMITS = Limits(processor_seconds=2.0, memory_gib=2.0)  # of one string
STOPPED = {Failure.TIME: Reason.TIME, Failure.MEMORY: Reason.MEMORY, Failure.DIED: Reason.CRASH, Failure.RAISED: Reason.CRASH}

Reading: TypeAlias = str | Rejected  # canonical SMILES, or why there is none


def canonicals(
    texts: Sequence[str], policy: Policy = DEFAULT, workers: int | None = None, limits: Limits = LIMITS
) -> list[Reading]:
    """Canonical SMILES of each string or the reason why there is none, in order.

    A string that exceeds `limits` is rejected. Few strings are read in this process, save those with many rings; the result is the
    same for any number of workers (default: one a core).
    """
    screened = [checked(text, policy) for text in texts]
    risked = [text for text in dict.fromkeys(screened) if isinstance(text, str) and (len(texts) > FEW or risky(text))]
    found = in_workers(partial(reading, canonical, policy), risked, workers, limits)
    known: dict[Reading, Reading] = dict(zip(risked, found, strict=True))
    return [known[text] if text in known else here(text, policy) for text in screened]


def canonicals_of_blocks(blocks: Sequence[str], policy: Policy = DEFAULT, workers: int | None = None) -> list[Reading]:
    """The same for mol blocks, all of which go to workers."""
    return in_workers(partial(reading, canonical_of_block, policy), blocks, workers, LIMITS)


def checked(text: str, policy: Policy) -> Reading:
    """The string without blanks around it, or the reason why it is not parsed at all."""
    text = text.strip()
    try:
        check(text, policy.max_length)
    except Rejected as rejected:
        return rejected
    return text


def here(text: Reading, policy: Policy) -> Reading:
    """A checked string, read in this process."""
    return reading(canonical, policy, text) if isinstance(text, str) else text


def reading(read: Callable[[str, Policy], str], policy: Policy, text: str) -> Reading:
    """Canonical SMILES or the reason why there is none."""
    try:
        return read(text, policy)
    except Rejected as rejected:
        return rejected


def in_workers(read: Callable[[str], Reading], texts: Sequence[str], count: int | None, limits: Limits) -> list[Reading]:
    """The readings of worker processes, in order."""
    if not texts:
        return []
    with Workers(read, count, limits, CHUNK) as workers:
        return [read_of(answer) for answer in workers.in_order(texts)]


def read_of(answer: Answer[Reading]) -> Reading:
    """What a worker read; where it was stopped or died, that is why there is no molecule."""
    if answer.value is not None:
        return answer.value
    assert answer.failure
    return Rejected(STOPPED[answer.failure], f"over {answer.seconds:g} s" if answer.failure is Failure.TIME else "")
