"""What a check is: a named property that every component of a kind must have, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import torch

from vaehub.testing.bench import Bench, Unusable

Status: TypeAlias = Literal["ok", "failed", "skipped"]
Property: TypeAlias = Callable[[Bench], None]


class Failed(AssertionError):
    """The component lacks the property; the text says what was seen and what was expected."""


class Skipped(Exception):
    """The property cannot be asked of this component; the text says why."""


class Result(NamedTuple):
    """How one check of one component ended."""

    check: str
    component: str
    status: Status
    message: str


@dataclass(frozen=True)
class Check:
    """A named property of the components of some kinds."""

    name: str
    kinds: tuple[str, ...]
    holds: Property

    @property
    def purpose(self) -> str:
        """The property in one line."""
        return (self.holds.__doc__ or "").strip().splitlines()[0]

    def run(self, bench: Bench) -> Result:
        """The result of this check for the component on the bench; a failure that the component declares counts as skipped."""
        reason = bench.known_failures.get(self.name)
        status, message = attempt(self.holds, bench)
        if reason is not None and status == "failed":
            status, message = "skipped", f"known failure: {reason}"
        elif reason is not None and status == "ok":
            status, message = "failed", "this known failure is mended: take it out of known_failures"
        return Result(self.name, bench.key, status, message)


CHECKS: list[Check] = []


def check(*kinds: str) -> Callable[[Property], Property]:
    """Registers a function as the check of that name for components of these kinds."""

    def register(function: Property) -> Property:
        CHECKS.append(Check(function.__name__, kinds, function))
        return function

    return register


def checks_of(kind: str) -> Iterator[Check]:
    """The checks that a component of this kind must pass, in the order in which they were written."""
    return (check for check in CHECKS if kind in check.kinds)


def attempt(holds: Property, bench: Bench) -> tuple[Status, str]:
    """Runs one property, always with the same random numbers; any error of the component is a failure."""
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            holds(bench)
    except (Skipped, Unusable) as reason:
        return "skipped", str(reason)
    except Failed as failure:
        return "failed", str(failure)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {' '.join(str(error).split())}"
    return "ok", ""


def require(condition: bool, message: str) -> None:
    """Fails the check with this message unless the condition holds."""
    if not condition:
        raise Failed(message)
