"""Where things are on disk; nothing here needs torch, so that a wrong path is told at once."""

from __future__ import annotations

from pathlib import Path

from vaehub.errors import UsageError


def model_file(path: Path) -> Path:
    """The model file of a run: the best, or the last where training broke before there was a best.

    Arguments:
        path: RUN/; a file is taken as it is.

    Raises:
        UsageError: there is none.

    >>> model_file(Path("no/run"))
    Traceback (most recent call last):
    vaehub.errors.UsageError: no/run: no such run; train one with `vaehub train CONFIG --output no/run`
    """
    if not path.exists():
        raise UsageError(f"{path}: no such run; train one with `vaehub train CONFIG --output {path}`")
    if path.is_file():
        return path
    for name in ("model.safetensors", "last.safetensors"):
        if (path / name).is_file():
            return path / name
    raise UsageError(f"{path}: no model file here; is this the folder of a finished run?")


def require_input(path: Path) -> None:
    """Refuse a path where there is nothing to read.

    Arguments:
        path: of the file.

    Raises:
        UsageError: there is nothing.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file; check the path")


def require_output(path: Path) -> None:
    """Refuse a path where no file can be written, before there is work to be lost.

    Arguments:
        path: of the file.

    Raises:
        UsageError: it is a folder, or lies below a file.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give the name of a file")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise UsageError(f"{path}: {above.name} is a file, not a folder; choose another path")
