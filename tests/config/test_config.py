"""Configs: defaults, what is refused and how it is said, nested parts, and from a config to objects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from vaehub.base import Spec
from vaehub.config.build import build_domain, build_objective, build_vae
from vaehub.config.load import load_config
from vaehub.errors import UsageError
from vaehub.host.registry import use_file
from vaehub.model.likelihoods import Normal
from vaehub.model.nets import MLPDecoder


@pytest.fixture(autouse=True, scope="module")
def odd_parts():
    """Register the parts of odd.py."""
    use_file(Path(__file__).with_name("odd.py"))


def refused(*overrides, **changes):
    """The message of the error."""
    with pytest.raises(UsageError) as error:
        load_config({"domain": "toy", **changes}, overrides)
    return str(error.value)


def test_a_bare_domain_is_a_config_with_every_default_filled_in():
    config = load_config({"domain": "toy"})
    plain = config.to_dict()
    assert plain["domain"] == {"name": "toy", "classes": False, "gaps": 0.0, "poison": False, "rows": 400}
    assert plain["latent"] == 2
    assert plain["train"]["epochs"] == 30
    assert plain["trainer"] == {"precision": "32-true", "accelerator": "auto"}
    assert json.loads(json.dumps(plain)) == plain
    assert load_config(plain) == config
    assert load_config(yaml.safe_load(yaml.safe_dump(plain))) == config


def test_domain_is_required():
    with pytest.raises(UsageError, match="domain: is required"):
        load_config({})
    with pytest.raises(UsageError, match=r"domain: give the name of a domain, one of: .*toy"):
        load_config({"domain": {"rows": 3}})


def test_all_errors_are_told_at_once_with_path_value_and_suggestion():
    text = refused(
        latent=0,
        encoder="mpl",
        decoder={"name": "mlp", "hiden": [3], "hidden": [10, "x"]},
        posterior={"name": "odd", "count": 0},
        optimizer={"lr": -1},
        train={"epoch": 3},
        likelihood={"name": "zero_inflated", "base": {"name": "poison"}},
        bogus=1,
    )
    assert text.startswith("config: 9 errors\n")
    for line in (
        "latent: should be greater than or equal to 1, not 0",
        "encoder: no encoder called 'mpl': did you mean 'mlp'?",
        "decoder.hiden: unknown option; did you mean 'hidden'?",
        "decoder.hidden[1]: should be a valid integer, unable to parse string as an integer, not 'x'",
        "posterior.count: should be greater than or equal to 1, not 0",
        "optimizer.lr: should be greater than 0, not -1",
        "train.epoch: unknown option; did you mean 'epochs'?",
        "likelihood.base: no likelihood called 'poison': did you mean 'poisson'?",
        "bogus: unknown option; known: ",
    ):
        assert f"\n  {line}" in text


def test_one_error_is_one_line():
    assert refused(latent=-3) == "config: latent: should be greater than or equal to 1, not -3"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("rate: 1e-3", {"rate": 1e-3}),
        ("scale: 1e-3", {"scale": 1e-3}),
        ("count: '7'", {"count": 7}),
        ("widths: [8, 9]", {"widths": (8, 9)}),
        ("flag: on", {"flag": True}),
        ("pair: [2, 1e-1]", {"pair": (2, 0.1)}),
        ("path: a/b.csv", {"path": Path("a/b.csv")}),
        ("table: {a: 1e2}", {"table": {"a": 100.0}}),
        ("choice: 'no'", {"choice": "no"}),
        ("{json: 1, _hidden: 2, model_size: 3}", {"json": 1, "_hidden": 2, "model_size": 3}),
        ("free: [1, {a: b}]", {"free": [1, {"a": "b"}]}),
    ],
)
def test_yaml_is_read_by_the_type_that_the_signature_asks_for(options, expected):
    config = load_config({"domain": "toy", "posterior": {"name": "odd", **yaml.safe_load(options)}})
    assert {key: config.posterior.options[key] for key in expected} == expected
    assert load_config(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "choice: no",
            "posterior.choice: should be 'no' or 'yes', not False (YAML reads no, off, yes and on as false and true: put it",
        ),
        ("word: off", "posterior.word: should be a valid string, not False (YAML reads no, off,"),
        ("word: 12:30:00", "posterior.word: should be a valid string, not 45000 (YAML reads it as no string: put it in quotes)"),
        ("word: 2024-01-01", "put it in quotes"),
        ("count: yes", "posterior.count: should be a number; YAML reads yes"),
        ("widths: [on]", "posterior.widths[0]: should be a number; YAML reads yes"),
        ("rate: .nan", "posterior.rate: should be a finite number, not nan"),
        ("rate: .inf", "posterior.rate: should be a finite number, not inf"),
        ("count: 1.5", "posterior.count: should be a valid integer"),
        ("scale: -1", "posterior.scale: should be greater than 0, not -1 or should be 'learnt', not -1"),
        ("flag: 2", "posterior.flag: should be a valid boolean"),
        ("table: {a: b}", "posterior.table.a: should be a valid number"),
        ("widths: 3", "posterior.widths: should be a valid tuple, not 3"),
        ("free: 2024-01-01", "posterior.free: "),
    ],
)
def test_yaml_oddities_are_explained(options, message):
    assert message in refused(posterior={"name": "odd", **yaml.safe_load(options)})


@pytest.mark.parametrize("value", [3, [1], {"name": 3}, {"name": None, "x": 1}, {3: 4}, True, 1.5])
def test_a_part_that_is_no_part(value):
    assert "decoder" in refused(decoder=value)


@pytest.mark.parametrize("section", ["optimizer", "train", "trainer"])
@pytest.mark.parametrize("value", [3, [1], "x", {3: 4}])
def test_a_section_that_is_no_section(section, value):
    assert f"{section}" in refused(**{section: value})


def test_nested_parts():
    config = load_config({"domain": "toy", "prior": {"name": "nesting", "inner": {"name": "normal", "min_scale": 0.5}}})
    assert config.prior.options["inner"].options["min_scale"] == 0.5
    assert config.prior.options["other"] is None
    assert load_config(config.to_dict()) == config
    assert [part.name for part in config.parts()].count("normal") == 1
    prior = build_vae(config, Spec((4,))).prior
    assert isinstance(prior.inner, Normal)
    assert prior.other is None
    assert "prior.inner: is required" in refused(prior="nesting")
    wrong = refused(prior={"name": "nesting", "inner": {"name": "normal", "min_scal": 1}})
    assert "prior.inner.min_scal: unknown option; did you mean 'min_scale'?" in wrong


def test_the_default_of_a_nested_part_is_shown_by_name():
    config = load_config({"domain": "toy", "likelihood": "zero_inflated"})
    assert config.to_dict()["likelihood"] == {"name": "zero_inflated", "base": {"name": "poisson"}}


def test_an_objective_gives_its_nested_parts_the_spec():
    config = load_config({"domain": "toy", "objective": "wired"})
    assert build_objective(config, Spec((4,))).base.spec == Spec((4,))


def test_an_objective_in_another_gives_its_own_nested_parts_the_spec():
    config = load_config({"domain": "toy", "objective": "doubled"})
    assert build_objective(config, Spec((4,))).base.base.spec == Spec((4,))


def test_what_a_constructor_refuses_is_a_usage_error():
    config = load_config({"domain": "toy", "objective": {"name": "wired", "strict": True}})
    with pytest.raises(UsageError, match="objective wired: strict cannot be"):
        build_objective(config, Spec((4,)))


def test_build():
    config = load_config({"domain": {"name": "toy", "classes": True}, "latent": 3, "decoder": {"name": "mlp", "hidden": [7]}})
    domain = build_domain(config)
    vae = build_vae(config, domain.codec.spec)
    assert isinstance(vae.decoder, MLPDecoder)
    assert vae(domain.data("train")[torch.arange(2)], samples=2).z.shape == (2, 2, 3)


def test_an_option_without_its_section_is_told_where_it_stands():
    with pytest.raises(UsageError, match=r"epochs: unknown option; did you mean 'train\.epochs'\?"):
        load_config({"domain": "toy", "epochs": 3})
