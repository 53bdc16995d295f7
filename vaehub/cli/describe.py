"""`vaehub options`, `schema`, `parts`, `configs` and `init`: what can be written in a config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vaehub.cli.common import print_json, print_table
from vaehub.errors import UsageError
from vaehub.hints import did_you_mean
from vaehub.host.discovery import KINDS
from vaehub.host.registry import Component, registry

if TYPE_CHECKING:
    from vaehub.config.describe import Option

SECTIONS = ("train", "optimizer", "trainer")


def topics() -> list[str]:
    """What options can be asked of."""
    return [*SECTIONS, *KINDS, *registry().components]


def config_names() -> list[str]:
    """The configs that are called by name."""
    from vaehub.config.shipped import shipped

    return list(shipped())


def options(
    of: Annotated[
        str | None,
        typer.Argument(
            metavar="[train|optimizer|trainer|KIND|KIND/NAME]",
            help="Whose options: a section, all parts of a kind such as likelihood, or one part such as likelihood/normal.",
            show_default="the top of a config",
            autocompletion=topics,
        ),
    ] = None,
) -> None:
    """List the options of a config: type, default, and what each does.

    Example: vaehub options likelihood/normal
    """
    from vaehub.config.describe import setting_options, top_options, trainer_options

    match of:
        case None:
            print_options(top_options())
        case "trainer":
            print_options(trainer_options())
        case "train" | "optimizer":
            print_options(setting_options(of))
        case _:
            for component in parts_of(of):
                print_part(component)


def parts_of(topic: str) -> list[Component]:
    """The part of this key, or all of this kind. Raises UsageError where there is none."""
    found = registry().components
    if topic in found:
        return [found[topic]]
    if topic in KINDS:
        return [component for key, component in found.items() if key.startswith(f"{topic}/")]
    kind, slash, name = topic.partition("/")
    if slash and kind in KINDS:
        raise UsageError(f"no {kind} called '{name}': {did_you_mean(name, registry().names(kind))}")
    raise UsageError(f"no options of '{topic}': {did_you_mean(topic, topics())}")


def print_part(component: Component) -> None:
    """One part: its key, what it is, and its options."""
    from vaehub.config.describe import part_options

    kind, _, name = component.key.partition("/")
    print(f"{component.key} ({component.plugin}): {summary(component)}")
    found = part_options(kind, name)
    print_options(found) if found else print("no options")
    print()


def print_options(found: list[Option]) -> None:
    """One option on a line."""
    print_table(
        ("option", "type", "default", "what it does"),
        [(option.name, option.type, option.default, option.help) for option in found],
    )


def summary(component: Component) -> str:
    """The first line of a part's docstring, or why it cannot be used."""
    from vaehub.config.docstrings import summary_of

    kind, _, name = component.key.partition("/")
    try:
        return summary_of(registry().load(kind, name))
    except UsageError as error:
        return f"(cannot be used: {error})"


def schema() -> None:
    """Print a JSON schema of configs, by which editors complete, explain and check them.

    With `# yaml-language-server: $schema=vaehub.schema.json` as the first line of a config, editors with the YAML language server use it.

    Example: vaehub schema > vaehub.schema.json
    """
    from vaehub.config.json_schema import config_schema

    print_json(config_schema())


def parts(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]", help=f"One of {', '.join(KINDS)}.", show_default="all", autocompletion=lambda: list(KINDS)
        ),
    ] = None,
) -> None:
    """List the parts that models are made of: name, plugin, and what each is.

    Example: vaehub parts likelihood
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"no kind of part is called '{kind}': {did_you_mean(kind, KINDS)}")
    found = [component for some in ([kind] if kind else KINDS) for component in parts_of(some)]
    print_table(("part", "plugin", "what it is"), [(component.key, component.plugin, summary(component)) for component in found])


def configs() -> None:
    """List the configs that come with the plugins, which are called by name: `vaehub train mnist`.

    Example: vaehub configs
    """
    from vaehub.config.shipped import shipped

    print_table(("config", "plugin", "what it trains"), [(c.name, c.plugin, c.summary) for c in shipped().values()])


def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="See vaehub configs.", show_default=False, autocompletion=config_names)
    ],
) -> None:
    """Print a config that comes with a plugin, to start one's own from.

    Example: vaehub init mnist > my.yaml
    """
    from vaehub.config.shipped import shipped_config

    print(shipped_config(name).path.read_text("utf-8"), end="")
