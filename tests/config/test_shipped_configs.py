"""Configs that are called by name, and overrides in every form."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import vaehub
from vaehub.cli.app import main
from vaehub.config.load import load_config
from vaehub.config.shipped import shipped
from vaehub.errors import UsageError

CONFIGS = Path(__file__).parents[2] / "configs"


def test_every_config_of_the_clone_has_a_name_a_line_and_the_plugin_of_its_domain():
    assert list(shipped()) == sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    plugins = {"fashion": "images", "mnist": "images", "arrays": "builtin"}
    for config in shipped().values():
        first = config.name.split("_")[0]
        assert len(config.summary) > 20
        assert config.plugin == plugins.get(first, first)


def test_a_name_is_the_file_and_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    assert load_config("mnist").to_dict() == load_config(CONFIGS / "mnist.yaml").to_dict()
    monkeypatch.chdir(tmp_path)
    Path("mnist").write_text("domain: mnist\nlatent: 7")
    assert load_config("mnist").latent == 7


def test_an_unknown_name_gets_the_nearest_and_the_list():
    with pytest.raises(
        UsageError, match=r"no config called 'timeseries_mask': did you mean 'timeseries_masked'\? known: .*mnist"
    ):
        load_config("timeseries_mask")


def test_configs_and_init_print_them(capsys):
    assert main(["configs"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["config", "plugin"]
    assert [row.split()[0] for row in rows] == list(shipped())
    assert main(["init", "mnist"]) == 0
    assert capsys.readouterr().out == (CONFIGS / "mnist.yaml").read_text()


FORMS = {
    "texts": (["latent=3", "train.epochs=5", "decoder.hidden=[8]", "objective.samples=4"], {}),
    "mapping": ({"latent": 3, "train": {"epochs": 5}, "decoder": {"hidden": [8]}, "objective": {"samples": 4}}, {}),
    "dotted": ({"latent": 3, "train.epochs": 5, "decoder.hidden": [8], "objective.samples": 4}, {}),
    "keywords": ((), {"latent": 3, "train": {"epochs": 5}, "decoder": {"hidden": [8]}, "objective": {"samples": 4}}),
    "both": ({"latent": 9, "train.epochs": 5, "decoder": {"hidden": [8]}}, {"latent": 3, "objective": {"samples": 4}}),
}


@pytest.mark.parametrize("form", FORMS)
def test_overrides_mean_the_same_in_every_form(form, small):
    overrides, options = FORMS[form]
    config = load_config(small(), overrides, **options)
    wanted = small(latent=3, decoder={"name": "mlp", "hidden": [8]}, objective={"name": "elbo", "samples": 4})
    wanted["train"] = wanted["train"] | {"epochs": 5}
    assert config.to_dict() == load_config(wanted).to_dict()


def test_a_part_of_another_name_loses_the_options_of_the_one_it_replaces():
    given = {"domain": "toy", "likelihood": {"name": "normal", "scale": 0.1}}
    config = load_config(given, {"likelihood": {"min_scale": 0.01, "name": "laplace"}})
    assert config.likelihood.plain() == {"name": "laplace", "scale": "learnt", "min_scale": 0.01}
    assert load_config(given, {"likelihood": {}, "train": {}}).likelihood.plain()["scale"] == 0.1


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ("latent=3", r"overrides: should be a list such as \['latent=3'\] or a mapping such as .*, not 'latent=3'"),
        (5, "overrides: should be a list"),
        ([3], "override 3: write it as key=value"),
        (["latent"], "override 'latent': write it as key=value"),
        ({3: 3}, "override 3: should be the name of an option"),
        ({"likelihood": "gaussian"}, "no likelihood called 'gaussian': did you mean 'normal'"),
        ({"likelihood": "bce"}, "did you mean 'bernoulli'"),
        ({"objective": "vae"}, "did you mean 'elbo'"),
        ({"posterior": "gaussian"}, "did you mean 'diag_normal'"),
        ({"decoder": {"activation": "LeakyReLU"}}, "did you mean 'relu'"),
        ({"likelihood": "xqzzy"}, "known: bernoulli, categorical, .*zero_inflated"),
    ],
)
def test_overrides_that_are_wrong_are_refused_with_advice(overrides, said):
    with pytest.raises(UsageError, match=said):
        load_config({"domain": "toy"}, overrides)


def test_training_takes_options_as_keywords_and_a_config_with_overrides(small, tmp_path):
    config = load_config(small())
    run = vaehub.train(config, {"latent": 3}, tmp_path / "run", progress=False, train={"epochs": 1})
    assert (run.config.latent, run.config.train.epochs) == (3, 1)
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["latent"] == 3
