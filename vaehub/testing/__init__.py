"""Conformance tests for plugins: named checks over component x property, generated from what a plugin registers.

In a plugin's tests, one line: `test_conformance = vaehub.testing.conformance("images")`. On the command line: `vaehub check images`.

Parts are tried on the rows of the plugin's own domains, then on made-up rows; data that a part is not meant for it refuses with UsageError.
A class that cannot be built from its defaults offers a static method `example(folder: Path) -> dict[str, Any]`: options under which it can
be checked, with any files that they name written into `folder`. A class attribute `known_failures` maps names of checks that the class is
known to fail to the reason.
"""

from __future__ import annotations

from vaehub.testing.core import CHECKS, Check, Result
from vaehub.testing.suite import Case, cases, check, conformance

__all__ = ["CHECKS", "Case", "Check", "Result", "cases", "check", "conformance"]
