"""`vaehub options`, `parts`, `schema` and `plugins`: everything that a config may say, in words and for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaehub.cli.app import main
from vaehub.config.describe import part_options, setting_options, top_options, trainer_options, undocumented_options
from vaehub.config.json_schema import config_schema
from vaehub.config.load import load_config
from vaehub.config.passthrough import OURS
from vaehub.host.registry import registry

PARTS = [key for key, component in registry().components.items() if not component.plugin.endswith(".py")]
CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.fixture
def works(capsys):
    """Run a command that must succeed; gives what it printed."""

    def run(*words):
        assert main(list(words)) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("key", PARTS)
def test_every_option_of_every_part_has_a_line_of_help(key):
    options = part_options(*key.split("/"))
    assert undocumented_options(options) == []
    assert all("\n" not in option.help and len(option.help) < 350 for option in options)


@pytest.mark.parametrize("section", ["train", "optimizer"])
def test_every_setting_has_a_line_of_help(section):
    assert undocumented_options(setting_options(section)) == []
    assert undocumented_options(top_options()) == []


def test_options_of_the_trainer_are_those_of_lightning():
    import inspect

    from pytorch_lightning import Trainer

    signature = inspect.signature(Trainer)
    assert {option.name for option in trainer_options()} == set(signature.parameters) - OURS.keys()
    assert undocumented_options(trainer_options()) == []
    found = {option.name: option.default for option in trainer_options()}
    assert found["accumulate_grad_batches"] == "1"
    assert found["precision"] == '"32-true"'  # vaehub's own


def test_an_option_shows_type_default_and_help(works):
    header, scale, floor = works("options", "likelihood/normal").strip().splitlines()[1:]
    assert header.split() == ["option", "type", "default", "what", "it", "does"]
    assert scale.split("  ")[0] == "scale"
    assert "learnt | element" in scale
    assert "the units of x" in scale
    assert floor.split()[:4] == ["min_scale", "number,", "above", "0"]
    assert "0.001" in floor


def test_options_of_a_kind_are_those_of_all_its_parts(works):
    text = works("options", "prior")
    assert [key for key in PARTS if key.startswith("prior/") and f"{key} (" not in text] == []
    assert "prior/standard_normal (builtin): N(z; 0, I), whatever the condition.\nno options" in text


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("liklihood", "no options of 'liklihood': did you mean 'likelihood'?"),
        ("likelihood/gaussian", "no likelihood called 'gaussian': did you mean 'normal'?"),
        ("optimiser", "did you mean 'optimizer'?"),
    ],
)
def test_a_topic_that_is_none_gets_advice(topic, said, capsys):
    assert main(["options", topic]) == 2
    assert said in capsys.readouterr().err


def test_parts_are_listed_with_their_first_line(works):
    rows = works("parts", "objective").splitlines()[1:]
    assert [row.split()[0] for row in rows] == [key for key in registry().components if key.startswith("objective/")]
    assert any(row.split()[1] == "builtin" and "beta(t) KL" in row for row in rows)


def test_plugins_are_counted_and_one_is_shown_whole(works):
    counts = {row.split()[0]: row.split()[2:] for row in works("plugins").splitlines()[1:]}
    images = next(plugin for plugin in registry().plugins if plugin.name == "images")
    assert counts["images"] == [str(len(images.components)), str(len(images.commands)), "ok"]
    whole = works("plugins", "timeseries")
    assert "part     encoder/linear_gaussian" in whole
    assert "command  vaehub timeseries impute" in whole
    assert main(["plugins", "image"]) == 2


def fits(value, schema, defs):
    """Whether a value of JSON fits a schema, for the words that ours are made of."""
    if "$ref" in schema:
        return fits(value, defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return any(fits(value, member, defs) for member in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if "const" in schema:
        return value == schema["const"]
    match schema.get("type"):
        case "object":
            known = schema.get("properties", {})
            return (
                isinstance(value, dict)
                and (schema.get("additionalProperties", True) or set(value) <= set(known))
                and set(schema.get("required", ())) <= set(value)
                and all(fits(value[key], known[key], defs) for key in value if key in known)
            )
        case "array" if "prefixItems" in schema:
            return isinstance(value, list) and all(map(lambda v, s: fits(v, s, defs), value, schema["prefixItems"]))
        case "array":
            return isinstance(value, list) and all(fits(item, schema["items"], defs) for item in value)
        case "integer" | "number" as kind:
            return (
                isinstance(value, int if kind == "integer" else int | float)
                and not isinstance(value, bool)
                and schema.get("minimum", value) <= value <= schema.get("maximum", value)
                and schema.get("exclusiveMinimum", value - 1) < value < schema.get("exclusiveMaximum", value + 1)
            )
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "null":
            return value is None
    return True


@pytest.fixture(scope="module")
def schema():
    return json.loads(json.dumps(config_schema()))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_fit_the_schema(path, schema):
    assert fits(load_config(path).to_dict(), schema, schema["$defs"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"latent": 0},
        {"latnet": 3},
        {"train": {"epochs": "x"}},
        {"likelihood": "gaussian"},
        {"encoder": {"name": "mlp", "hiden": []}},
    ],
)
def test_mistakes_do_not_fit_the_schema(wrong, schema):
    assert fits({"domain": "mnist"}, schema, schema["$defs"])
    assert not fits({"domain": "mnist", **wrong}, schema, schema["$defs"])


def test_the_schema_explains_every_option(works):
    printed = json.loads(works("schema"))
    assert printed["properties"]["train"]["properties"]["epochs"]["description"] == "Passes over the training rows."
    normal = next(
        s for s in printed["$defs"]["likelihood"]["anyOf"] if s.get("properties", {}).get("name") == {"const": "normal"}
    )
    assert normal["properties"]["scale"]["description"].startswith("σ in the units of x")
