"""Standard errors, paired differences and intervals over splits, against scipy and cases worked by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.sparse import csr_array, random_array

from vaehub.errors import UsageError
from vaehub_recommender.held_out import HeldOut
from vaehub_recommender.judge import ByPopularity, Judged, compare, judge
from vaehub_recommender.judge.uncertainty import mean_and_error, over_splits, paired


def users(seed: int, n: int = 80) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).random((n, 2)), columns=["ndcg@100", "hit@10"])


def test_standard_errors_equal_scipy() -> None:
    table = users(0)
    assert mean_and_error(table)["se"].to_list() == pytest.approx(stats.sem(table.to_numpy()).tolist())


def test_paired_differences_equal_the_paired_t_test() -> None:
    a, b = users(1), users(2)
    row = paired(a, b).loc["hit@10"]
    expected = stats.ttest_rel(a["hit@10"], b["hit@10"]).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert row["difference"] == pytest.approx(a["hit@10"].mean() - b["hit@10"].mean())


def test_pairing_sees_what_two_intervals_do_not() -> None:
    a = users(3)
    b = a - 0.01 + 1e-3 * users(4)
    row = paired(a, b).loc["ndcg@100"]
    assert row["low"] > 0
    assert mean_and_error(a)["se"]["ndcg@100"] > a["ndcg@100"].mean() - b["ndcg@100"].mean()


def test_undefined_values_of_single_users_are_left_out() -> None:
    a, b = users(5), users(6)
    a.loc[3, "hit@10"] = np.nan
    kept = a.index != 3
    row = paired(a, b).loc["hit@10"]
    expected = stats.ttest_rel(a["hit@10"][kept], b["hit@10"][kept]).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))


def test_one_user_has_no_interval() -> None:
    row = paired(users(7, 1), users(8, 1)).loc["hit@10"]
    assert np.isfinite(row["difference"])
    assert np.isnan(row[["se", "low", "high"]].to_numpy(dtype=float)).all()


def test_interval_over_splits_worked_by_hand() -> None:
    # differences 1, 2, 3: mean 2, s = 1; n_test/n_train = 1/6: se² = 1/3 + 1/6 = 1/2
    row = over_splits(pd.DataFrame({"ndcg@100": [1.0, 2.0, 3.0]}), 1 / 6).loc["ndcg@100"]
    reach = stats.t.ppf(0.975, 2) * np.sqrt(1 / 2)
    assert row.to_list() == pytest.approx([2, np.sqrt(1 / 2), 2 - reach, 2 + reach])


def test_splits_that_share_training_data_give_wider_intervals_than_independent_ones() -> None:
    means = users(9, 5)
    wide, narrow = (over_splits(means, share) for share in (0.25, 0.0))
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).all()


def split(seed: int) -> Judged:
    """Popularity beside an order of items that is none."""
    rng = np.random.default_rng(seed)
    train, x = (random_array((n, 40), density=0.2, format="csr", dtype=np.float32, rng=rng) for n in (60, 20))
    out = rng.random(x.nnz) < 0.4
    coo = x.tocoo()
    parts = (csr_array((x.data[m], (coo.row[m], coo.col[m])), shape=x.shape) for m in (~out, out))
    held = HeldOut(np.arange(20), *parts)
    flat = csr_array(np.eye(40, dtype=np.float32))
    return judge({"popularity": ByPopularity(train), "alphabet": ByPopularity(flat)}, held, train, ["ndcg@10", "hit@3"])


def test_several_splits_are_told_as_one() -> None:
    splits = [split(seed) for seed in range(4)]
    several = compare(splits)
    means = [judged.table()["ndcg@10", "mean"]["popularity"] for judged in splits]
    assert several.table()["ndcg@10", "mean"]["popularity"] == pytest.approx(np.mean(means))
    assert several.table()["ndcg@10", "sd"]["popularity"] == pytest.approx(np.std(means, ddof=1))
    gains = [judged.differences().set_index("metric").loc["ndcg@10", "difference"] for judged in splits]
    row = several.differences().set_index("metric").loc["ndcg@10"]
    expected = over_splits(pd.DataFrame({"ndcg@10": gains}), 20 / 60).loc["ndcg@10"]
    assert row[["difference", "se", "low", "high"]].to_list() == pytest.approx(expected.to_list())
    assert row["ahead"] == sum(gain > 0 for gain in gains)


def test_lines_and_json_of_several_splits() -> None:
    several = compare([split(seed) for seed in range(3)])
    text = "\n".join(several.lines())
    assert "3 splits" in text
    assert "popularity minus the others over 3 splits" in text
    value = json.loads(json.dumps(several.to_json(), allow_nan=False))
    assert len(value["splits"]) == 3
    assert value["differences"][0]["against"] == "alphabet"


def test_one_model_alone_has_no_differences() -> None:
    alone = [Judged({"popularity": j.scorecards["popularity"]}, j.history, j.items, 0, 0.1) for j in map(split, range(2))]
    assert compare(alone).differences().empty
    assert compare(alone).to_json()["differences"] == []
    assert not any("minus" in line for line in [*compare(alone).lines(), *alone[0].lines()])


def test_mistakes_are_named() -> None:
    with pytest.raises(UsageError, match="1 split"):
        compare([split(0)])
    other = split(1)
    renamed = Judged({"else": other.scorecards["popularity"]}, other.history, other.items, 0, 0.1)
    with pytest.raises(UsageError, match="split 1 judged"):
        compare([split(0), renamed])
