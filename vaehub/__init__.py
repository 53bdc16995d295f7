"""vaehub: variational autoencoders from exchangeable parts. Importing it is cheap: torch comes with the first name that needs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaehub.base import Batch, Data, Decoder, Domain, Encoder, Likelihood, Objective, Posterior, Prior, Spec
    from vaehub.config.load import load_config
    from vaehub.errors import RunFailed, UsageError
    from vaehub.host.hooks import hookimpl
    from vaehub.model.vae import VAE, Terms
    from vaehub.run import Run, load
    from vaehub.training.fit import train

__version__ = "0.1.0"
__all__ = [
    "VAE",
    "Batch",
    "Data",
    "Decoder",
    "Domain",
    "Encoder",
    "Likelihood",
    "Objective",
    "Posterior",
    "Prior",
    "Run",
    "RunFailed",
    "Spec",
    "Terms",
    "UsageError",
    "hookimpl",
    "load",
    "load_config",
    "train",
]
_HOMES = {
    "hookimpl": "host.hooks",
    "load_config": "config.load",
    "RunFailed": "errors",
    "UsageError": "errors",
    "train": "training.fit",
    "Run": "run",
    "load": "run",
    "VAE": "model.vae",
    "Terms": "model.vae",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in __all__:
        raise AttributeError(f"module 'vaehub' has no attribute {name!r}")
    return getattr(import_module(f"vaehub.{_HOMES.get(name, 'base')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
