"""All checks of one plugin: as a list of results, or as tests for pytest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from vaehub.base import Likelihood, Spec
from vaehub.errors import UsageError
from vaehub.hints import did_you_mean
from vaehub.host.discovery import PluginInfo
from vaehub.host.registry import Component, registry
from vaehub.testing import (  # noqa: F401 - importing the modules registers their checks
    decoders,
    domains,
    encoders,
    files,
    likelihoods,
    modules,
    networks,
    objectives,
    parts,
    plugins,
    posteriors,
    priors,
)
from vaehub.testing.bench import Bench
from vaehub.testing.core import Check, Result, checks_of
from vaehub.testing.settings import Setting, settings


@dataclass(frozen=True)
class Case:
    """One check of one component."""

    check: Check
    bench: Bench

    def __str__(self) -> str:
        return f"{self.bench.key}-{self.check.name}"

    def run(self) -> Result:
        """The result."""
        return self.check.run(self.bench)


def check(name: str) -> list[Result]:
    """Results of all checks of the plugin `name`; "builtin" is the core. Raises UsageError where there is no such plugin."""
    return [case.run() for case in cases(name)]


def conformance(name: str) -> Callable[[Case], None]:
    """A test function for pytest, parametrised by all checks of the plugin `name`."""
    import pytest

    @pytest.mark.parametrize("case", cases(name), ids=str)
    def test(case: Case) -> None:
        result = case.run()
        if result.status == "skipped":
            pytest.skip(result.message)
        assert result.status == "ok", f"{case.check.purpose} {result.message}"

    return test


def cases(name: str) -> list[Case]:
    """All checks that fit the plugin and its components. Raises UsageError where there is no such plugin."""
    return [Case(check, bench) for bench in benches(find(name)) for check in checks_of(bench.kind)]


def find(name: str) -> PluginInfo:
    """The plugin of this name; the engine's own parts answer to "vaehub" as well as "builtin"."""
    known = {plugin.name: plugin for plugin in registry().plugins}
    sought = {"vaehub": "builtin"}.get(name, name)
    if sought not in known:
        raise UsageError(f"no plugin called '{name}': {did_you_mean(name, known)}")
    return known[sought]


def benches(info: PluginInfo) -> list[Bench]:
    """One for the plugin as a whole, one for each component, one for each command."""
    data = cache(partial(data_of, info.name))
    whole = Bench(f"plugin/{info.name}", info.name, lambda: object, data)
    components = [Bench(key, info.name, partial(load, key), data) for key in info.components]
    commands = [
        Bench(f"command/{key}", info.name, partial(registry().resolve, Component(key, target, info.name)), data)
        for key, target in info.commands.items()
    ]
    return [whole, *components, *commands]


def load(key: str) -> type[Any]:
    """The class of a component."""
    kind, _, name = key.partition("/")
    return registry().load(kind, name)


def data_of(plugin: str) -> list[Setting]:
    """The data to try the plugin's parts on: what its own domains offer, then made-up rows."""
    return settings(
        [bench.make for bench in own(plugin, "domain")], [partial(family, bench) for bench in own(plugin, "likelihood")]
    )


def own(plugin: str, kind: str) -> list[Bench]:
    """The plugin's components of one kind, on made-up data."""
    keys = [key for key, component in registry().components.items() if component.plugin == plugin and key.startswith(f"{kind}/")]
    return [Bench(key, plugin, partial(load, key), made_up) for key in keys]


@cache
def made_up() -> list[Setting]:
    """Data that no plugin has a hand in."""
    return settings([], [])


def family(bench: Bench, spec: Spec) -> Likelihood:
    """The likelihood on the bench, for data of this shape."""
    likelihood: Likelihood = bench.make(replace(made_up()[0], spec=spec))
    return likelihood
