"""Many strings to canonical SMILES in processes that can be stopped: one string is known to have taken hours and 200 GB (rdkit#1360)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from vaehub import jobs
from vaehub_molecules.chem.canonical import DEFAULT_POLICY, standardise, standardise_block
from vaehub_molecules.chem.changes import Standardised
from vaehub_molecules.chem.cxsmiles import split_extension
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
StandardisedOrRejected: TypeAlias = Standardised | Rejected  # the same, with what was changed


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
    answers = standardise_all(texts, policy, workers, limits)
    return [answer if isinstance(answer, Rejected) else answer.smiles for answer in answers]


def standardise_all(
    texts: Sequence[str], policy: Policy = DEFAULT_POLICY, workers: int | None = None, limits: jobs.Limits = LIMITS
) -> list[StandardisedOrRejected]:
    """The same, with what was changed in each molecule."""
    screened = [checked_text(text, policy) for text in texts]
    risked = [
        text
        for text in dict.fromkeys(screened)
        if isinstance(text, str) and (len(texts) > PARALLEL_FROM or needs_worker(*split_extension(text)))
    ]
    found = dict(
        zip(risked, in_workers(partial(standardised_or_rejected, standardise, policy), risked, workers, limits), strict=True)
    )
    return [
        text if isinstance(text, Rejected) else found.get(text) or standardised_or_rejected(standardise, policy, text)
        for text in screened
    ]


def standardise_blocks(
    blocks: Sequence[str], policy: Policy = DEFAULT_POLICY, workers: int | None = None
) -> list[StandardisedOrRejected]:
    """The same for mol blocks, all of which go to workers."""
    return in_workers(partial(standardised_or_rejected, standardise_block, policy), blocks, workers, LIMITS)


def checked_text(text: str, policy: Policy) -> str | Rejected:
    """The string without blanks around it, or the reason why it is not parsed at all."""
    text = text.strip()
    try:
        check_text(split_extension(text)[0], policy.max_length)
    except Rejected as rejected:
        return rejected
    return text


def standardised_or_rejected(read: Callable[[str, Policy], Standardised], policy: Policy, text: str) -> StandardisedOrRejected:
    """Canonical SMILES or the reason why there is none."""
    try:
        return read(text, policy)
    except Rejected as rejected:
        return rejected


def in_workers(
    read: Callable[[str], StandardisedOrRejected], texts: Sequence[str], count: int | None, limits: jobs.Limits
) -> list[StandardisedOrRejected]:
    """The readings of worker processes, in order."""
    if not texts:
        return []
    with jobs.Workers(read, count, limits, CHUNK) as workers:
        return [from_answer(answer) for answer in workers.in_order(texts)]


def from_answer(answer: jobs.Answer[StandardisedOrRejected]) -> StandardisedOrRejected:
    """What a worker read; where it was stopped or died, that is why there is no molecule."""
    if answer.value is not None:
        return answer.value
    assert answer.failure
    return Rejected(FAILURE_REASONS[answer.failure], f"over {answer.seconds:g} s" if answer.failure is jobs.Failure.TIME else "")
