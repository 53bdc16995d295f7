"""Many strings to canonical SMILES in processes that can be stopped: one string is known to have taken hours and 200 GB (rdkit#1360)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from vaehub import jobs
from vaehub_molecules.chem.canonical import DEFAULT_POLICY, canonical, canonical_of_block
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.prechecks import check_text, needs_worker
from vaehub_molecules.chem.reasons import Reason, Rejected

PARALLEL_FROM = 2_000  # strings that are not worth the start of processes
CHUNK = 512
LIMITS = jobs.Limits(processor_seconds=2.0, memory_gib=2.0)  # of one string
FAILURE_REASONS = {
    jobs.Failure.TIME: Reason.TIME,
    jobs.Failure.MEMORY: Reason.MEMORY,
    jobs.Failure.DIED: Reason.CRASH,
    jobs.Failure.RAISED: Reason.CRASH,
}

CanonicalOrRejected: TypeAlias = str | Rejected  # canonical SMILES, or why there is none


def canonical_all(
    texts: Sequence[str], policy: Policy = DEFAULT_POLICY, workers: int | None = None, limits: jobs.Limits = LIMITS
) -> list[CanonicalOrRejected]:
    """Canonical SMILES of each string or the reason why there is none, in order.

    Few strings are read in this process, save those with many rings; the result is the same for any number of workers.

    Arguments:
        texts: N strings.
        policy: which molecules are accepted, and in which form.
        workers: processes that read many strings; one a core, if not given.
        limits: processor seconds and memory of one string; what exceeds them is rejected.

    Returns:
        N answers: SMILES, or the `Rejected` that says why there is none.

    >>> ethanol, broken = canonical_all(["OCC", "C1CC"])
    >>> ethanol, broken.reason
    ('CCO', 'a ring number without its pair (1)')
    """
    screened = [checked_text(text, policy) for text in texts]
    risked = [
        text for text in dict.fromkeys(screened) if isinstance(text, str) and (len(texts) > PARALLEL_FROM or needs_worker(text))
    ]
    found = in_workers(partial(canonical_or_rejected, canonical, policy), risked, workers, limits)
    by_text: dict[CanonicalOrRejected, CanonicalOrRejected] = dict(zip(risked, found, strict=True))
    return [
        text if isinstance(text, Rejected) else by_text.get(text) or canonical_or_rejected(canonical, policy, text)
        for text in screened
    ]


def canonical_blocks(
    blocks: Sequence[str], policy: Policy = DEFAULT_POLICY, workers: int | None = None
) -> list[CanonicalOrRejected]:
    """The same for mol blocks, all of which go to workers."""
    return in_workers(partial(canonical_or_rejected, canonical_of_block, policy), blocks, workers, LIMITS)


def checked_text(text: str, policy: Policy) -> CanonicalOrRejected:
    """The string without blanks around it, or the reason why it is not parsed at all."""
    text = text.strip()
    try:
        check_text(text, policy.max_length)
    except Rejected as rejected:
        return rejected
    return text


def canonical_or_rejected(read: Callable[[str, Policy], str], policy: Policy, text: str) -> CanonicalOrRejected:
    """Canonical SMILES or the reason why there is none."""
    try:
        return read(text, policy)
    except Rejected as rejected:
        return rejected


def in_workers(
    read: Callable[[str], CanonicalOrRejected], texts: Sequence[str], count: int | None, limits: jobs.Limits
) -> list[CanonicalOrRejected]:
    """The readings of worker processes, in order."""
    if not texts:
        return []
    with jobs.Workers(read, count, limits, CHUNK) as workers:
        return [from_answer(answer) for answer in workers.in_order(texts)]


def from_answer(answer: jobs.Answer[CanonicalOrRejected]) -> CanonicalOrRejected:
    """What a worker read; where it was stopped or died, that is why there is no molecule."""
    if answer.value is not None:
        return answer.value
    assert answer.failure
    return Rejected(FAILURE_REASONS[answer.failure], f"over {answer.seconds:g} s" if answer.failure is jobs.Failure.TIME else "")
