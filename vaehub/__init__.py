"""vaehub: variational autoencoders from exchangeable parts. Importing it is cheap: torch comes with the first name that needs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaehub.autoencoder import Autoencoder
    from vaehub.base import (
        Batch,
        Codec,
        Data,
        Decoder,
        Domain,
        Encoder,
        Example,
        Json,
        Kind,
        Likelihood,
        Logs,
        Model,
        Objective,
        Outcome,
        Part,
        Posterior,
        Prior,
        Spec,
        Step,
        Terms,
    )
    from vaehub.config.load import load_config
    from vaehub.data.in_memory import InMemory
    from vaehub.data.rows import Subset, TensorData
    from vaehub.data.seeds import seeded
    from vaehub.errors import RunFailed, UsageError
    from vaehub.evaluation.judge import Judge
    from vaehub.facts import Described
    from vaehub.host.hooks import hookimpl
    from vaehub.model.vae import VAE
    from vaehub.run import Run, load
    from vaehub.trained import TrainedModel
    from vaehub.training.fit import train

__version__ = "0.2.0"
_HOMES = {
    "autoencoder": ("Autoencoder",),
    "base": (
        *("Batch", "Codec", "Data", "Decoder", "Domain", "Encoder", "Example", "Json", "Kind", "Likelihood", "Logs", "Model"),
        *("Objective", "Outcome", "Part", "Posterior", "Prior", "Spec", "Step", "Terms"),
    ),
    "config.load": ("load_config",),
    "data.in_memory": ("InMemory",),
    "data.rows": ("Subset", "TensorData"),
    "data.seeds": ("seeded",),
    "errors": ("RunFailed", "UsageError"),
    "evaluation.judge": ("Judge",),
    "facts": ("Described",),
    "host.hooks": ("hookimpl",),
    "model.vae": ("VAE",),
    "run": ("Run", "load"),
    "trained": ("TrainedModel",),
    "training.fit": ("train",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [
    "VAE",
    "Autoencoder",
    "Batch",
    "Codec",
    "Data",
    "Decoder",
    "Described",
    "Domain",
    "Encoder",
    "Example",
    "InMemory",
    "Json",
    "Judge",
    "Kind",
    "Likelihood",
    "Logs",
    "Model",
    "Objective",
    "Outcome",
    "Part",
    "Posterior",
    "Prior",
    "Run",
    "RunFailed",
    "Spec",
    "Step",
    "Subset",
    "TensorData",
    "Terms",
    "TrainedModel",
    "UsageError",
    "hookimpl",
    "load",
    "load_config",
    "seeded",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'vaehub' has no attribute {name!r}")
    return getattr(import_module(f"vaehub.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
