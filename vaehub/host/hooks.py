"""What a plugin may define. All hooks return strings or are called late, so that listing plugins imports none of their code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pytorch_lightning import Callback

    from vaehub.host.names import RunConfig

# the commands of vaehub itself: no group of a plugin's commands may be called so
RESERVED = (
    *("train", "evaluate", "doctor", "report", "score", "sample", "encode", "decode", "reconstruct", "interpolate"),
    *("compare", "configs", "init", "options", "schema", "parts", "plugins", "new", "check"),
)

hookspec = pluggy.HookspecMarker("vaehub")
hookimpl = pluggy.HookimplMarker("vaehub")


@hookspec
def vaehub_components() -> dict[str, str]:  # type: ignore[empty-body]
    """Parts by kind and name: `{"likelihood/zinb": "pkg.module:ZINB"}`; in a file given by --plugin, ":ZINB" is a class of that file."""


@hookspec
def vaehub_commands() -> dict[str, str]:  # type: ignore[empty-body]
    """Commands by group and name: `{"timeseries impute": "pkg.cli:impute"}`, each a function that typer can read."""


@hookspec
def vaehub_groups() -> dict[str, str]:  # type: ignore[empty-body]
    """What `vaehub --help` says of a group of commands: `{"timeseries": "Fill gaps, forecast, find anomalies."}`."""


@hookspec
def vaehub_models() -> dict[str, str]:  # type: ignore[empty-body]
    """Trained models that come with the plugin, for `vaehub.load`: `{"molecules/drugs": "models/drugs/model.safetensors"}`, a path in its package."""


@hookspec
def vaehub_callbacks(config: RunConfig) -> list[Callback]:  # type: ignore[empty-body]
    """Lightning callbacks to add to a training run with this config."""
