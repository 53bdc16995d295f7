"""Where configs come from: overrides, trainer options, files; and that anything is either a config or a UsageError."""

from __future__ import annotations

import json
import os
import string
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub.config.load import load_config
from vaehub.errors import UsageError
from vaehub.host.registry import use_file

CONFIGS = sorted(Path(__file__).parents[2].joinpath("configs").glob("*.yaml"))


@pytest.fixture(autouse=True, scope="module")
def odd_parts():
    """Register the parts of odd.py."""
    use_file(Path(__file__).with_name("odd.py"))


def refused(*overrides, **changes):
    """The message of the error."""
    with pytest.raises(UsageError) as error:
        load_config({"domain": "toy", **changes}, overrides)
    return str(error.value)


def test_overrides():
    base = {"domain": "toy", "decoder": {"name": "mlp", "hidden": [3]}, "posterior": {"name": "odd", "rate": 0.5}}
    config = load_config(
        base, ["latent=5", "decoder.hidden=[10,11]", "objective.samples=4", "optimizer.lr=1e-2", "domain.rows=9"]
    )
    assert config.latent == 5
    assert config.decoder.options["hidden"] == (10, 11)
    assert config.objective.options["samples"] == 4
    assert config.optimizer.lr == 0.01
    assert config.domain.options["rows"] == 9
    assert base["decoder"] == {"name": "mlp", "hidden": [3]}
    assert load_config(base, ["posterior=odd"]).posterior.options["rate"] == 0.5
    assert load_config(base, ["posterior=diag_normal"]).posterior.options == {}
    assert load_config(base, ["posterior.name=diag_normal"]).posterior.options == {}
    assert load_config(base, ["posterior={name: odd, count: 3}"]).posterior.options["rate"] == 0.1
    assert (
        load_config(base, ["likelihood=zero_inflated", "likelihood.base=negative_binomial"]).likelihood.options["base"].name
        == "negative_binomial"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latent", "write it as key=value"),
        ("=3", "write it as key=value"),
        ("a..b=3", "write it as key=value"),
        ("latent =3", "write it as key=value"),
        ("latent={", "override 'latent={'"),
        ("latent.size=3", "override 'latent.size=3': 'latent' is 7, which has no options"),
        ("decoder.hidden={a: 1, a: 2}", "key 'a' is given twice"),
        ("latnt=3", "latnt: unknown option; did you mean 'latent'?"),
        ("decoder.hiddn=[3]", "decoder.hiddn: unknown option; did you mean 'hidden'?"),
    ],
)
def test_bad_overrides(text, message):
    assert message in refused(text, latent=7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_epochs": 3}, "trainer.max_epochs: is set by vaehub: use train.epochs"),
        ({"callbacks": []}, "trainer.callbacks: is set by vaehub: use the hook vaehub_callbacks"),
        ({"acelerator": "cpu"}, "trainer.acelerator: unknown option; did you mean 'accelerator'?"),
        ({"gradient_clip_vl": 1}, "trainer.gradient_clip_vl: unknown option; did you mean 'gradient_clip_val'?"),
        ({"precision": {1, 2}}, "trainer.precision: "),
    ],
)
def test_trainer_options_are_checked(options, message):
    assert message in refused(trainer=options)


def test_trainer_options_are_kept_over_the_defaults():
    config = load_config({"domain": "toy", "trainer": {"gradient_clip_val": 1, "precision": "bf16-mixed", "devices": None}})
    assert config.trainer == {"precision": "bf16-mixed", "accelerator": "auto", "gradient_clip_val": 1, "devices": None}
    assert load_config(config.to_dict()) == config


DOTTED = [
    "antigravity.Thing",
    "antigravity:fly",
    "vaehub.model.nets:MLPDecoder",
    "vaehub.model.nets.MLPDecoder",
    "os.system",
    "../evil",
    "mlp\n",
    "",
]


@pytest.mark.parametrize("name", DOTTED)
@pytest.mark.parametrize("kind", ["domain", "encoder", "posterior", "decoder", "likelihood", "prior", "objective"])
def test_names_that_look_like_code_import_nothing(kind, name):
    before = set(sys.modules)
    assert f"no {kind} called" in refused(**{kind: name})
    assert f"no {kind} called" in refused(**{kind: {"name": name}})
    given = {"domain": "toy", kind: {**load_config({"domain": "toy"}).to_dict()[kind], "_target_": "antigravity.x"}}
    assert f"{kind}._target_: unknown option" in refused(**given)
    assert set(sys.modules) == before
    assert "antigravity" not in sys.modules


def write(tmp_path, text):
    """A config file with this text."""
    path = tmp_path / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_is_named_in_its_errors(tmp_path):
    path = write(tmp_path, "domain: toy\nlatent: 0\n")
    with pytest.raises(UsageError, match=f"{path}: latent: should be"):
        load_config(path)
    assert load_config(str(path), ["latent=1"]).latent == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain: toy\nlatent: 2\nlatent: 3\n", "line 3: key 'latent' is given twice"),
        ("domain: {name: toy, rows: 1, rows: 2}", "line 1: key 'rows' is given twice"),
        ("domain: [toy\nlatent: 2", "line 2"),
        ("domain: &a toy\nprior: *a\n", "line 2: alias *a"),
        ("domain: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("domain: 2024-99-99", "not readable as YAML"),
        ("", "should hold a mapping such as 'domain: mnist', not NoneType"),
        ("- a\n- b", "not list"),
        (b"\xff\xfe\x00d", "is not UTF-8 text"),
        ("domain: \x00", "not readable as YAML"),
        ("# " + "x" * 2**20, "more than the 1,048,576 that are read"),
        ("domain: " + "[" * 5000, "not readable as YAML"),
        ("? [a]\n: b", "line 1"),
    ],
)
def test_files_that_are_no_config(tmp_path, text, message):
    with pytest.raises(UsageError) as error:
        load_config(write(tmp_path, text))
    assert message in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_missing_file_names_its_neighbour(tmp_path):
    path = write(tmp_path, "domain: toy")
    with pytest.raises(
        UsageError, match=rf"cannot read the config {tmp_path}/cc.yaml: no such file; check the path; did you mean '{path}'\?"
    ):
        load_config(tmp_path / "cc.yaml")
    with pytest.raises(UsageError, match="is a folder; give a file"):
        load_config(tmp_path)


def test_every_shipped_config_is_valid():
    assert CONFIGS
    for path in CONFIGS:
        config = load_config(path)
        assert load_config(config.to_dict()) == config


WORDS = st.sampled_from(
    [
        "a",
        "name",
        "mlp",
        "toy",
        "odd",
        "normal",
        "zero_inflated",
        "base",
        "hidden",
        "rate",
        "widths",
        "lr",
        "betas",
        "precision",
        "no",
        "1e-3",
        "nesting",
        "inner",
        "other",
        "wired",
        "epochs",
        "seed",
        "free",
        "table",
        "cosine",
        "accelerator",
        "max_epochs",
        "a.b:C",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(1, 9)
    | st.floats()
    | WORDS
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.dates()
    | st.builds(object)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4) | st.dictionaries(LEAVES, inner, max_size=2)
    ),
    max_leaves=6,
)
SECTIONS = [
    "domain",
    "encoder",
    "posterior",
    "decoder",
    "likelihood",
    "prior",
    "objective",
    "latent",
    "optimizer",
    "train",
    "trainer",
]
PART = st.sampled_from(["mlp", "odd", "normal", "zero_inflated", "nesting", "wired", "toy", "elbo", "vamp"])
MAPPINGS = st.dictionaries(
    st.sampled_from(SECTIONS) | WORDS,
    VALUES | st.dictionaries(WORDS, VALUES, max_size=3).flatmap(lambda options: PART.map(lambda name: {"name": name, **options})),
    max_size=5,
)
SOME = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def check_valid_or_refused(source, overrides=()):
    """The property: a config that survives being written and read, or a UsageError, and nothing else."""
    try:
        config = load_config(source, overrides)
    except UsageError:
        return
    plain = json.loads(json.dumps(config.to_dict(), allow_nan=False))
    again = load_config(plain)
    assert again == config
    assert again.to_dict() == plain


@SOME
@given(MAPPINGS)
def test_any_mapping_is_a_config_or_a_usage_error(mapping):
    check_valid_or_refused({"domain": "toy"} | mapping)


OPTIONS = st.sampled_from(["rate", "count", "word", "choice", "widths", "pair", "scale", "path", "table", "flag", "json", "free"])


@pytest.mark.slow
@SOME
@given(st.dictionaries(OPTIONS, VALUES, max_size=3))
def test_any_option_of_a_part_is_valid_or_refused(options):
    check_valid_or_refused({"domain": "toy", "posterior": {"name": "odd", **options}})


KEYS = st.builds(str.__add__, st.sampled_from(SECTIONS) | WORDS, st.sampled_from(["", ".name", ".hidden", ".base", ".lr"]))


@SOME
@given(st.lists(st.tuples(KEYS, WORDS | st.text(string.printable, max_size=8)), max_size=3))
def test_any_override_is_applied_or_refused(overrides):
    check_valid_or_refused({"domain": "toy"}, [f"{key}={value}" for key, value in overrides])


@SOME
@given(st.binary(max_size=40) | st.text(max_size=60).map(str.encode) | VALUES.map(lambda value: repr(value).encode()))
def test_any_file_is_a_config_or_a_usage_error(tmp_path_factory, content):
    check_valid_or_refused(write(tmp_path_factory.getbasetemp(), content))


def test_a_pipe_is_refused_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(UsageError, match=r"pipe\.yaml: is a pipe, not a file"):
        load_config(tmp_path / "pipe.yaml")


def test_half_of_a_character_pair_is_named(tmp_path):
    with pytest.raises(UsageError, match="half of a character pair"):
        load_config(write(tmp_path, 'domain: "\\ud800"'))
