"""How the results of a search were made, in a file beside them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaehub import files, report

if TYPE_CHECKING:
    from vaehub_molecules.search.goal import Goal
    from vaehub_molecules.search.result import Result
    from vaehub_molecules.use.latent_space import LatentSpace

FORMAT = "vaehub-provenance/1"
OPTIONS = {"elements": "element", "weights": "weight"}  # names of options on the command line, where they are others


def provenance_of(
    result: Result, goal: Goal, space: LatentSpace | None, folder: Path, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that decided the course of a search, and what came of it, as JSON.

    Arguments:
        result: what was found.
        goal: what was sought.
        space: that was searched; None where there was no model.
        folder: of the results.
        settings: all that decided the course of the search, by name.
    """
    named = list(result.lead_names) or [""] * len(result.leads)
    return {
        "format": FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(space, folder, settings),
        "objectives": [{"name": each.name, "what it is": each.describe, "code": each.code} for each in goal.measured],
        "settings": dict(settings),
        "leads": [{"smiles": smiles, "name": name} for smiles, name in zip(result.leads, named, strict=True)],
        "model": {} if space is None else {"path": str(space.run.path or ""), "digest": settings["model"]},
        "versions": {} if space is None else report.versions(space.run),
        "counts": result.counts,
    }


def write_provenance(provenance: Mapping[str, Any], folder: Path) -> None:
    """Write provenance.json."""
    files.atomic_write(folder / "provenance.json", (json.dumps(provenance, indent=1, default=str) + "\n").encode())


def command(space: LatentSpace | None, folder: Path, settings: Mapping[str, Any]) -> str:
    """The search as it is asked for on the command line."""
    words = ["vaehub", "molecules", "optimize", str((space.run.path if space is not None else None) or "MODEL")]
    minimised = bool(settings.get("minimize"))
    for name in settings["objective"]:
        words += ["--objective", str(name).removeprefix("min:") if minimised else str(name)]
    words += ["--minimize"] if minimised else []
    words += option("weights", [f"{weight:g}" for weight in settings.get("weights", ())])
    for name in ("combine", "cond", "start file", "pool file", "budget", "method", "seed"):
        words += option(name.removesuffix(" file"), settings.get(name))
    for name, value in settings["constraints"].items():
        words += option(name, value)
    return shlex.join([*words, "-o", str(folder)])


def option(name: str, value: Any) -> list[str]:
    """The words of an option; none where it was not set."""
    if value in (None, (), [], ""):
        return []
    several: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
    if name == "cond":
        several = [",".join(map(str, several))]
    flag = f"--{OPTIONS.get(name, name).replace('_', '-')}"
    return [word for one in several for word in (flag, str(one))]
