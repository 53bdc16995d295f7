"""Estimates from a log of another policy: by hand where they can be, and right on average where they cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError
from vaehub_recommender.judge import OffPolicy
from vaehub_recommender.recommender import Recommender

REWARDS, SHARES = np.array([1.0, 0.0, 1.0, 0.5]), np.array([0.5, 0.25, 0.1, 0.5])
PLACES, LENGTHS = np.array([1, 2, 0, 4]), np.array([10, 10, 10, 3])


def estimates(*names: str, clip: float | None = None) -> pd.DataFrame:
    return OffPolicy(REWARDS, SHARES, PLACES, LENGTHS, names, clip).table()


def test_the_figures_by_hand() -> None:
    """Weights for k = 2: (1/2)/0.5 = 1, (1/2)/0.25 = 2, 0, 0."""
    table = estimates("ips@2", "snips@2")
    assert table.loc["ips@2", "mean"] == pytest.approx((1 * 1 + 2 * 0) / 4)
    assert table.loc["snips@2", "mean"] == pytest.approx(1 / 3)
    assert table.loc["ips@2", "se"] == pytest.approx(np.std([1, 0, 0, 0], ddof=1) / 2)
    assert table.loc["snips@2", "se"] == pytest.approx(np.sqrt((1 * (2 / 3)) ** 2 + (2 * (1 / 3)) ** 2) / 3)
    assert table["effective_rows"].tolist() == [9 / 5] * 2
    assert table["greatest_weight"].tolist() == [2.0] * 2


def test_a_short_list_shows_each_item_more_often() -> None:
    """k = 4 of a list of 3: what is in the list is shown with 1/3, else with 1/4."""
    assert estimates("ips@4").loc["ips@4", "mean"] == pytest.approx((0.5 * 1 + 1 * 0 + (1 / 3) / 0.5 * 0.5) / 4)


def test_cut_weights_are_counted() -> None:
    table = estimates("ips@1", "ips@2", clip=1.5)
    assert table["cut"].tolist() == [1, 1]  # 1/0.5 = 2, and 2
    assert table["mean"].tolist() == pytest.approx([1.5 / 4, 1 / 4])


def test_a_log_that_says_nothing_gives_no_number() -> None:
    table = OffPolicy(REWARDS, SHARES, np.zeros(4, int), LENGTHS, ("ips@1", "snips@1")).table()
    assert table.loc["ips@1", "mean"] == 0
    assert np.isnan(table.loc["snips@1", "mean"])
    assert table["effective_rows"].tolist() == [0, 0]


def test_the_mean_over_logs_is_what_the_policy_brings() -> None:
    """Items are shown with known probabilities, and liked by known ones: the value of any policy is known."""
    rng, shown, liked = np.random.default_rng(0), np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.5, 0.9])
    found = []
    for _ in range(400):
        items = rng.choice(3, 200, p=shown)
        places = np.array([0, 2, 1])[items]  # the list is item 2, item 1
        rewards = (rng.random(200) < liked[items]).astype(float)
        found.append(OffPolicy(rewards, shown[items], places, np.full(200, 2), ("ips@1", "snips@1", "ips@2")).table()["mean"])
    means, errors = pd.concat(found, axis=1).mean(axis=1), pd.concat(found, axis=1).sem(axis=1)
    for name, value in (("ips@1", 0.9), ("snips@1", 0.9), ("ips@2", 0.7)):
        assert abs(means[name] - value) < 4 * errors[name]


@pytest.fixture
def log(recommender: Recommender) -> pd.DataFrame:
    """The first three items of every list were shown at equal odds among all items; the second one is liked."""
    lists = recommender.recommend(k=3)
    return lists[["user", "item"]].assign(reward=(lists["rank"] == 2).astype(int), share=1 / len(recommender.fitted.items))


def test_a_log_is_joined_with_the_lists(recommender: Recommender, log: pd.DataFrame) -> None:
    strangers = log.head(5).assign(user="nobody")
    judged = recommender.evaluate(pd.concat([log, strangers]), ["snips@1", "snips@2", "snips@3"], propensity="share")
    assert judged.table()["mean"].tolist() == pytest.approx([0, 1 / 2, 1 / 3])
    assert (judged.left_out, len(judged.rewards)) == (5, len(log))
    assert any("5 of users who are not known" in line for line in judged.lines())
    assert judged.to_json()["estimates"][0]["estimate"] == "snips@1"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"share": 0.0}, {}, "row 0.*is no probability above 0"),
        ({"share": 1.5}, {}, "is no probability"),
        ({"reward": np.inf}, {}, "column 'reward': .*is not finite"),
        ({"user": "nobody"}, {}, "none of the .* logged rows is of a user"),
        ({}, {"propensity": "odds"}, "propensity='odds': no such column"),
        ({}, {"reward": "clicks"}, "reward='clicks': no such column"),
        ({}, {"metrics": ["ndcg@10"]}, "with propensities it is ips@k or snips@k"),
        ({}, {"metrics": ["ips"]}, "how many places"),
        ({}, {"clip": 0}, "clip"),
        ({}, {"splits": 3}, "splits=3, at=None: a frame is judged as it is"),
    ],
)
def test_what_is_no_log_is_refused(recommender: Recommender, log: pd.DataFrame, change, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        recommender.evaluate(log.assign(**change), **{"propensity": "share", **options})


def test_propensities_of_a_protocol_are_refused(recommender: Recommender) -> None:
    with pytest.raises(UsageError, match="propensity='share': goes with a frame"):
        recommender.evaluate("strong", propensity="share")
