"""What the host must know of a config: the parts that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class PartName(Protocol):
    """A part of a config."""

    @property
    def kind(self) -> str:
        """Such as "decoder"."""

    @property
    def name(self) -> str:
        """Under which it is registered."""


class RunConfig(Protocol):
    """A config, as far as plugins are concerned; `vaehub.config.load.Config` is one."""

    def parts(self) -> Sequence[PartName]:
        """Every part that is used, nested ones too."""
