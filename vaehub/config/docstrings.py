"""What docstrings say of the options: the section `Arguments:` of a class or of its constructor, one entry an option."""

from __future__ import annotations

import inspect
import re
from itertools import takewhile

SECTION = re.compile(r"Arg(ument)?s:")
ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?: +(.*)")


def arguments_of(docstring: str) -> dict[str, str]:
    """The entries of the section `Arguments:` by name, each on one line.

    >>> arguments_of("Draw rows.\\n\\nArguments:\\n    n: How many,\\n        at least 1.\\n    seed: Of the noise.\\n")
    {'n': 'How many, at least 1.', 'seed': 'Of the noise.'}
    """
    lines = iter(inspect.cleandoc(docstring).splitlines())
    if not any(SECTION.fullmatch(line.strip()) for line in lines):
        return {}
    section = inspect.cleandoc("\n" + "\n".join(takewhile(lambda line: not line or line[0] == " ", lines)))
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        entry = ENTRY.fullmatch(line)
        if entry:
            name, found[entry[1]] = entry[1], entry[2]
        elif name:
            found[name] += f" {line.strip()}"
    return {name: text.strip() for name, text in found.items()}


def help_of(cls: type[object]) -> dict[str, str]:
    """What is said of each option of a part: in the docstring of its class, or of its constructor."""
    return arguments_of(cls.__init__.__doc__ or "") | arguments_of(inspect.getdoc(cls) or "")


def summary_of(cls: type[object]) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]
