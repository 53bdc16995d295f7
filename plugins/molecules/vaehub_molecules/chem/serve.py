"""What a worker process runs: a line with a list of strings comes in, a line goes out for each as soon as it is known.

The kernel stops the process where one string takes more processor time than it may; which one it was, the parent sees from what is missing.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable

from vaehub_molecules.chem.canonical import canonical, canonical_of_block
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Reason, Rejected

READY = "ready"
FORMS = {"smiles": canonical, "block": canonical_of_block}  # what a text can be


def answer(text: str, policy: Policy, form: str = "smiles") -> str | Rejected:
    """Canonical SMILES or the reason why there is none."""
    try:
        return FORMS[form](text, policy)
    except Rejected as rejected:
        return rejected
    except MemoryError:
        return Rejected(Reason.MEMORY)


def timed(text: str, policy: Policy, form: str, seconds: float) -> str | Rejected:
    """The same; a signal ends this process after so many seconds of its time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return answer(text, policy, form)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def packed(result: str | Rejected) -> str:
    """One line of JSON: [smiles] or [kind, detail]."""
    return json.dumps([result] if isinstance(result, str) else result.args)


def unpacked(line: str) -> str | Rejected:
    """What `packed` wrote."""
    first, *rest = json.loads(line)
    return Rejected(Reason(first), *rest) if rest else str(first)


def limit(memory: int) -> None:
    """At most so many bytes of address space from here on, and no core files."""
    import resource  # only Unix has it

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(lines: Iterable[str], policy: Policy, form: str, seconds: float) -> None:
    """Answer until there are no more lines."""
    print(READY, flush=True)
    for line in lines:
        for text in json.loads(line):
            print(packed(timed(text, policy, form, seconds)), flush=True)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    limit(options["memory"])
    serve(sys.stdin, Policy(**options["policy"]), options["form"], options["seconds"])
