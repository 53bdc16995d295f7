"""Build hook of all packages: the files of configs/ that belong to a package travel in its wheel, as its folder `configs`.

A package names them by glob patterns in its pyproject.toml:

    [tool.hatch.build.targets.wheel.hooks.custom]
    path = "../../hatch_configs.py"
    configs = ["*mnist*.yaml"]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONFIGS = Path(__file__).parent / "configs"


class ConfigsHook(BuildHookInterface[Any]):
    """Adds the configs to a wheel; an editable install finds them in the clone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built; `version` is "standard" or "editable"."""
        if version == "editable":
            return
        (package,) = self.build_config.packages
        for pattern in self.config["configs"]:
            paths = sorted(CONFIGS.glob(pattern))
            if not paths:
                raise FileNotFoundError(f"{CONFIGS}: no config is called {pattern}")
            build_data["force_include"] |= {str(path): f"{package}/configs/{path.name}" for path in paths}
