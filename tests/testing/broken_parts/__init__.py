"""Parts with one fault each, and the conformance checks that must name it."""

from broken_parts import classes, domains, latents, likelihoods, networks, objectives  # noqa: F401 - importing them lists their faults
from broken_parts.faults import FAULTS, TARGETS
from vaehub import hookimpl

FAULTS["command/broken silent"] = {"command_has_help"}
FAULTS["command/broken missing"] = {"command_is_readable"}


def silent():
    return None


@hookimpl
def vaehub_components() -> dict[str, str]:
    return dict(TARGETS)


@hookimpl
def vaehub_commands() -> dict[str, str]:
    return {"broken silent": ":silent", "broken missing": ":missing"}
