"""Writes docs/surface.md: what a plugin may import from vaehub. Run it from the root: python docs/surface.py"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).with_name("surface.md")
ROOMS = {  # module -> how a plugin imports it
    "vaehub.files": "from vaehub import files",
    "vaehub.jobs": "from vaehub import jobs",
    "vaehub.report": "from vaehub import report",
    "vaehub.cli": "from vaehub import cli",
    "vaehub.evaluation": "from vaehub import evaluation",
    "vaehub.arguments": "from vaehub import arguments",
    "vaehub.hints": "from vaehub import hints",
    "vaehub.signals": "from vaehub import signals",
    "vaehub.sparse": "from vaehub import sparse",
    "vaehub.model": "from vaehub.model import ELBO",
    "vaehub.model.nets": "from vaehub.model import nets",
}
HEAD = """# What a plugin may import

A plugin is built on the names of this page alone, and a test holds the plugins of this repository to it. These names are kept: what
changes here changes the minor version, and plugins depend on `vaehub>=0.2,<0.3`. Whatever else a module of vaehub holds may change
without notice.

The parts of the contract come flat, `from vaehub import Domain, Spec`; facilities come as the room that they are in,
`from vaehub import files, report`, and are called as `files.guarded(path)` and `report.Section(...)`.

This page is written by `python docs/surface.py` from the docstrings.
"""


CONSTANTS = {  # what has no docstring of its own
    "Json": "A JSON object: `dict[str, Any]`.",
    "Logs": "Figures that an objective logs: a name and a tensor for each.",
    "Part": "The type of an option that is a part itself, which users name in the config.",
    "hookimpl": "Marks a function of a plugin module as a hook.",
    "CHUNK_ROWS": "Rows of a table that are read at once.",
    "MAX_BYTES": "Bytes that a file may have where nothing else is said.",
    "MISSING_WORDS": "Words that a table may write for a missing value.",
    "SUFFIXES": "Suffixes of the tables that are read and written.",
    "HALF": "A canvas of half the width of a page.",
    "NARROW": "A canvas for a phone.",
    "WIDE": "A canvas as wide as a page.",
    "LIGHT": "The colours of light mode by name; a page shows their twins in dark mode.",
    "Tone": "What a tile or a finding says of itself: nothing, good, note, warning or error.",
    "AsJson": "The option `--json`.",
    "Force": "The option `--force`.",
    "OptionalOutput": "The option `-o/--output` that has a default.",
    "Output": "The option `-o/--output`.",
    "RunPath": "The argument RUN.",
    "Seed": "The option `--seed`.",
    "Check": "A function that looks for one fault of a run.",
    "ACTIVATIONS": "The modules of the activations.",
    "Activation": "The type of an option that names an activation.",
    "Dropout": "The type of an option in [0, 1).",
} | dict.fromkeys(
    (*("BAND", "BLUE", "CARD", "FAINT", "GOOD", "GREEN", "INK", "ORANGE", "RED", "REST", "RULE", "WARNING"),),
    "A colour of charts, which has a twin in dark mode.",
)


def first_line(module: str, name: str) -> str:
    """What a name is, in one line. Raises KeyError where nothing is said of it."""
    value = getattr(import_module(module), name)
    documented = name not in CONSTANTS and (inspect.isclass(value) or inspect.isroutine(value))
    return (value.__doc__ or "").strip().split("\n")[0] if documented else CONSTANTS[name]


def table(module: str) -> str:
    """The names of a module, and what each is."""
    names = import_module(module).__all__
    rows = [f"| `{name}` | {first_line(module, name).replace('|', chr(92) + '|')} |" for name in sorted(names)]
    return "\n".join(["| name | what it is |", "| --- | --- |", *rows])


def page() -> str:
    """The whole page."""
    sections = [f"## The contract: `from vaehub import ...`\n\n{table('vaehub')}"]
    for module, line in ROOMS.items():
        purpose = (import_module(module).__doc__ or "").split("\n")[0]
        sections.append(f"## `{line}`\n\n{purpose}\n\n{table(module)}")
    return "\n\n".join([HEAD.rstrip(), *sections]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
