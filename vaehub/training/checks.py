"""What is checked before a run starts in a folder: the options it began with, and what replacing it must not take along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vaehub.config.load import Config, load_config
from vaehub.errors import UsageError
from vaehub.files.run_folder import CONFIG


def require_same(folder: Path, config: Config, progress: bool) -> None:
    """A resumed run goes on with the options that it began with; only train.epochs may be raised. Raises UsageError that lists others."""
    before, now = (dict(flat(c.to_dict())) for c in (load_config(folder / CONFIG), config))
    epochs = before["train.epochs"], now["train.epochs"]
    if epochs[1] > epochs[0]:
        before["train.epochs"] = epochs[1]
    other = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    if other:
        changes = ", ".join(f"{key}={before.get(key)} then and {now.get(key)} now" for key in other[:5])
        raise UsageError(
            f"{folder}: the run began with other options ({changes}); resume it with those, or start again with --force"
        )
    if epochs[1] > epochs[0] and progress:
        print(
            f"train.epochs is raised from {epochs[0]} to {epochs[1]}: the learning rate follows the schedule of {epochs[1]} epochs"
        )


def flat(options: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path with dots, value) of every option."""
    if isinstance(options, Mapping) and options:
        for key, value in options.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    else:
        yield path.removesuffix(".name"), options


def needed_files(config: Config, source: Path | None) -> list[tuple[str, Path]]:
    """(what it is, path) of what must survive whatever is replaced: the working directory, the config's own file, the data."""
    data = [value for _, value in flat(config.domain.plain()) if isinstance(value, str | Path) and exists(value)]
    return [
        ("the working directory", Path.cwd()),
        *([("the config", source)] if source is not None else []),
        *(("the data", Path(value)) for value in data),
    ]


def exists(text: str | Path) -> bool:
    """Whether an option's value is the path of something that is there."""
    try:
        return bool(str(text)) and Path(text).exists()
    except (OSError, ValueError):
        return False
