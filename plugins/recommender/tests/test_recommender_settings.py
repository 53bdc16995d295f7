"""The config of a recommender."""

from pathlib import Path

import pytest
import yaml

from vaehub import UsageError
from vaehub_recommender.api.config import HYBRID, recommender_config
from vaehub_recommender.tables import Columns

SHIPPED = Path(__file__).parents[3] / "configs" / "recommender.yaml"


def test_without_a_config_it_is_the_shipped_one() -> None:
    shipped = yaml.safe_load(SHIPPED.read_text())
    del shipped["domain"]["path"]
    assert recommender_config(shipped, {}, Columns()).to_dict() == recommender_config(HYBRID, {}, Columns()).to_dict()
    assert recommender_config(None, {}, Columns()).to_dict() == recommender_config(HYBRID, {}, Columns()).to_dict()


def test_options_by_dotted_or_nested_names() -> None:
    dotted = recommender_config(None, {"train.epochs": 5, "latent": 7}, Columns())
    assert dotted.to_dict() == recommender_config(None, {"train": {"epochs": 5}, "latent": 7}, Columns()).to_dict()
    assert (dotted.train.epochs, dotted.latent, dotted.train.batch_size) == (5, 7, 500)


def test_a_part_is_named_before_it_is_set() -> None:
    assert recommender_config(None, {"encoder": {"hidden": [4], "name": "bag"}}, Columns()).encoder.options["hidden"] == (4,)


def test_columns_become_options_of_the_domain() -> None:
    options = recommender_config(None, {}, Columns(user="who", item="what", min_rating=4)).domain.options
    assert (options["user"], options["item"], options["min_rating"], options["time"]) == ("who", "what", 4.0, None)


def test_an_option_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="epocs"):
        recommender_config(None, {"train.epocs": 5}, Columns())
