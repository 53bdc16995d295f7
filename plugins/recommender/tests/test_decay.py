"""Interactions that count less the older they are: in training, in histories, in files, and after more of them."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from vaehub import UsageError
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.interactions import Interactions
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.splits import last_out
from vaehub_recommender.tables import Columns, decayed, training_log
from vaehub_recommender.temporal import temporal

COLUMNS = Columns(time="time")
EASE = {
    "domain": {"name": "recommender", "history": True}, "latent": 1, "encoder": {"name": "bag", "hidden": [1]},
    "decoder": {"name": "ease", "penalty": 20, "base": None}, "likelihood": "implicit_multinomial", "train": {"epochs": 1, "score_rows": 0},
}  # fmt: skip
LOG = pd.DataFrame(
    {
        "user": ["a", "a", "a", "b", "b"],
        "item": ["x", "y", "z", "x", "y"],
        "time": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-21", "2024-01-11", "2024-01-11"]),
    }
)


def test_weights_halve_with_age():
    found = decayed(training_log(LOG, COLUMNS), half_life=10, recency=0)
    assert found.matrix.toarray().tolist() == [[0.25, 0.5, 1.0], [0.5, 0.5, 0.0]]


def test_weights_fall_with_the_place_from_the_last():
    found = decayed(training_log(LOG, COLUMNS), half_life=None, recency=1)
    assert np.allclose(found.matrix.toarray(), [[1 / 3, 1 / 2, 1], [1, 1, 0]])  # at the same time, the same place


def test_nothing_changes_where_neither_is_asked_for():
    log = training_log(LOG, COLUMNS)
    assert decayed(log, None, 0) is log
    with pytest.raises(UsageError, match="need times"):
        decayed(training_log(LOG.drop(columns="time"), Columns()), 10, 0)


@pytest.fixture(scope="module")
def model(liked):
    return Recommender(EASE, **{"domain.recency": 0.5}).fit(liked, time="time", half_life=100)


def test_a_known_user_has_the_list_of_the_same_history_by_hand(liked, model):
    users = liked["user"].unique()[:5].tolist()
    given = liked[liked["user"].isin(users)].sample(frac=1, random_state=0)
    by_hand = model.recommend(given, k=10).sort_values(["user", "rank"], ignore_index=True)
    pd.testing.assert_frame_equal(by_hand, model.recommend(users, k=10))


def test_the_linear_part_has_these_weights(liked, model):
    matrix = model.fitted.log.matrix.toarray()
    assert 0 < matrix[matrix > 0].min() < matrix.max() <= 1
    gram = torch.from_numpy(matrix.T @ matrix).double() + 20 * torch.eye(matrix.shape[1])
    inverse = torch.linalg.inv(gram)
    weights = -inverse / inverse.diagonal()
    assert torch.allclose(model.fitted.run.vae.decoder.weights[0, 1:], weights[0, 1:].float(), rtol=1e-3, atol=1e-5)


def test_lists_are_in_order(model):
    def lead(*history: str) -> float:
        found = model.recommend([list(history)], candidates=["War film 02", "Noir film 02"]).set_index("item")["score"]
        return found["War film 02"] - found["Noir film 02"]

    assert lead("Noir film 01", "War film 01") > lead("War film 01", "Noir film 01")


def test_through_a_file_and_with_more_data(liked, model, tmp_path):
    model.save(tmp_path / "model")
    again = Recommender.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.recommend(k=3), model.recommend(k=3))
    assert again.fitted.codec.decay == model.fitted.codec.decay
    more = pd.DataFrame(
        {"user": ["viewer 0001"] * 2, "item": ["War film 05", "Noir film 05"], "time": pd.to_datetime(["2025-01-01"] * 2)}
    )
    later = again.partial_fit(more, epochs=0)
    whole = training_log(pd.concat([liked, more]), COLUMNS)
    assert np.allclose(later.fitted.log.matrix.toarray(), decayed(whole, 100, 0.5).matrix.toarray())
    with pytest.raises(UsageError, match="time='time': no such column"):
        copy.copy(model).partial_fit(more.drop(columns="time"), epochs=0)


@pytest.mark.filterwarnings("ignore")
def test_what_is_held_out_takes_no_place(liked):
    """The last that a model is shown of a user weighs 1, whatever comes after it."""
    log = decayed(training_log(liked, COLUMNS), None, 0.5)
    for split in (last_out(log), temporal(log, 0.8)):
        domain = SplitLog(log, split, COLUMNS, {"user": None, "item": None}, False)
        for rows in (domain.split.train, domain.split.val.history, domain.split.test.history):
            assert np.allclose(rows.max(1).toarray(), 1)


def test_a_cut_in_time_counts_age_from_the_cut(liked):
    log = decayed(training_log(liked, COLUMNS), 30, 0)
    split = temporal(log, 0.5)
    assert np.isclose(split.train.data.max(), 1)


def test_the_encoder_tells_orders_apart_and_trains(liked):
    config = {"encoder": {"name": "recency", "hidden": [16]}, "decoder": {"name": "catalogue", "hidden": [16]}, "latent": 8}
    model = Recommender({**EASE, **config, "domain": {"name": "recommender", "recency": 0.5}}).fit(liked, time="time")
    one, other = model.embed([["Noir film 01", "War film 01"], ["War film 01", "Noir film 01"]]).to_numpy()
    assert not np.allclose(one, other)
    rows = Interactions.of(model.fitted.log.matrix[:4])[torch.arange(4)]
    encoder = model.fitted.run.vae.encoder
    dense = encoder(rows._replace(x=rows.x.to_dense())).mean
    assert torch.allclose(dense, encoder(rows).mean, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"weight": "plays", "weight_transform": "log"}])
@pytest.mark.parametrize("decoder", [EASE["decoder"], {"name": "ease", "penalty": 20, "base": {"name": "ease", "base": None}}])
def test_later_data_make_what_they_would_have_made_from_the_start(liked, options, decoder):
    """Two years later, at a half-life of 100 days: ages are counted from the latest interaction of all."""
    rng = np.random.default_rng(0)
    table = liked.assign(plays=2.0 if options else 1.0)
    fan = liked[liked["user"] == "viewer 0001"]
    more = pd.concat([fan.assign(user=f"later {n}").sample(6, random_state=n) for n in range(30)] + [fan.head(2)])
    more = more.assign(time=pd.Timestamp("2027-01-01") + pd.to_timedelta(rng.integers(0, 99, len(more)), "D"), plays=2.0)
    config = {**EASE, "decoder": decoder}
    grown = Recommender(config).fit(table, time="time", half_life=100, **options).partial_fit(more, epochs=0)
    whole = Recommender(config).fit(pd.concat([table, more]), time="time", half_life=100, **options)
    assert grown.fitted.codec.decay == whole.fitted.codec.decay == grown.fitted.log.decay
    assert grown.fitted.log.matrix.max() <= (1 if not options else np.log2(3)) + 1e-6
    order = grown.fitted.items.positions(whole.fitted.items.values)
    ours, theirs = grown.fitted.run.vae.decoder, whole.fitted.run.vae.decoder
    theirs.share = ours.share  # chosen where a model is trained
    assert torch.allclose(ours.all_linear_weights()[order][:, order], theirs.all_linear_weights(), atol=1e-5)
    asked = fan.assign(user="somebody")
    assert grown.recommend(asked, k=5)["item"].tolist() == whole.recommend(asked, k=5)["item"].tolist()
    again = grown.partial_fit(more.head(1).assign(user="one more", time=liked["time"].min()), epochs=0)
    assert again.fitted.codec.decay == whole.fitted.codec.decay
