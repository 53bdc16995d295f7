"""The trained models that come with plugins, called by name; nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

from vaehub.errors import UsageError
from vaehub.files.locate import model_file
from vaehub.hints import nearest
from vaehub.host.registry import registry


def located_model(path: Path) -> Path:
    """The model file of a run or, where nothing is at the path, of the model of this name that comes with a plugin.

    Arguments:
        path: RUN/, a model file, or a name such as "molecules/drugs".

    Raises:
        UsageError: there is none, or two plugins have a model of this name.

    >>> located_model(Path("no/run"))
    Traceback (most recent call last):
    vaehub.errors.UsageError: no/run: no such run; train one with `vaehub train CONFIG --output no/run`
    """
    shipped, name = registry().models, path.as_posix()
    if path.exists() or (name not in shipped and nearest(name, sorted(shipped)) is None):
        return model_file(path)
    if name in registry().clashes:
        raise UsageError(f"{registry().clashes[name]}: uninstall one, or choose with VAEHUB_PLUGINS")
    if name not in shipped:
        raise UsageError(f"{path}: no such run, and no model of this name; did you mean '{nearest(name, sorted(shipped))}'?")
    return model_file(Path(shipped[name].target))
