"""The domain: from a table to rows, splits and figures, and back."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub.config.load import load_config
from vaehub.errors import UsageError
from vaehub.evaluation.doctor import diagnose
from vaehub.sparse import dense
from vaehub_recommender.api.config import HYBRID
from vaehub_recommender.closed_form import gram, solve
from vaehub_recommender.codec import InteractionCodec
from vaehub_recommender.domain import Recommendation
from vaehub_recommender.popularity import Popularity
from vaehub_recommender.recommender import Recommender

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def table(tmp_path):
    """150 users of three tastes with names as ids, times, and a rating below 4 for a quarter of the rows."""
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"film {i}") for u in range(150) for i in 8 * (u % 3) + rng.choice(14, 10, replace=False)]
    frame = pd.DataFrame(rows, columns=["who", "what"])
    frame["stars"] = rng.choice([1, 4, 4, 5], len(frame))
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.permutation(len(frame)), unit="min")
    frame.to_parquet(tmp_path / "likes.parquet")
    users = pd.DataFrame(
        {"who": [f"u{u}" for u in range(150)], "age": rng.integers(18, 80, 150), "club": rng.choice(["a", "b"], 150)}
    )
    users.to_csv(tmp_path / "users.csv", index=False)
    films = pd.DataFrame({"what": [f"film {i}" for i in range(30)], "genre": [f"g{i // 8}|long" for i in range(30)]})
    films.to_csv(tmp_path / "films.csv", index=False)
    return tmp_path


def a_domain(table, **options):
    return Recommendation(path=str(table / "likes.parquet"), user="who", item="what", **options)


@pytest.mark.parametrize(("split", "options"), [("strong", {"held_out": 20}), ("last", {"time": "when"}), ("random", {})])
@pytest.mark.filterwarnings("ignore:.*lie before the last training interaction.*:UserWarning")
def test_what_is_held_out_is_never_shown(table, split, options):
    domain = a_domain(table, split=split, **options)
    for name in ("val", "test"):
        held, rows = domain.source.held_out(name), domain.data(name)
        shown = dense(rows[torch.arange(len(rows))].x).numpy()
        assert held.targets.shape == shown.shape == (len(rows), len(domain.codec.ids))
        assert held.targets.nnz
        assert not (held.targets.toarray() * shown).any()


def test_strangers_are_in_one_split_only(table):
    split = a_domain(table, held_out=20).source.split
    users = [set(part) for part in (split.users, split.val.users, split.test.users)]
    assert not (users[0] & users[1] | users[0] & users[2] | users[1] & users[2])
    assert len(users[1]) == len(users[2]) == 20


def test_ratings_below_the_least_are_left_out(table):
    every, good = a_domain(table), a_domain(table, weight="stars", min_rating=4)
    frame = pd.read_parquet(table / "likes.parquet")
    assert every.source.log.matrix.nnz == len(frame)
    assert good.source.log.matrix.nnz == int((frame.stars >= 4).sum())
    assert set(good.source.log.matrix.data) == {1.0}


def test_what_is_known_of_users_and_items_reaches_the_model(table):
    domain = a_domain(table, users=str(table / "users.csv"), items=str(table / "films.csv"), held_out=20, history=True)
    side = domain.codec.spec.cond - domain.codec.spec.size
    assert side == 3
    rows = domain.data("train")
    batch = rows[torch.arange(5)]
    ages = pd.read_csv(table / "users.csv").age
    given = ages.iloc[[int(domain.source.log.users.take(domain.source.split.users[[n]])[0][1:]) for n in range(5)]]
    expected = (given - ages.mean()) / ages.std(ddof=0)
    assert any(np.allclose(dense(batch.cond)[:, column], expected, atol=0.02) for column in range(side))
    assert rows.facts.item_features.shape == (len(domain.codec.ids), 4 + 1)


def test_a_model_knows_its_items_again(table, tmp_path):
    domain = a_domain(table, users=str(table / "users.csv"), held_out=20)
    fresh = InteractionCodec.from_json(domain.codec.spec, json.loads(json.dumps(domain.codec.to_json())))
    assert fresh.spec == domain.codec.spec
    rows = fresh.rows({"new": ["film 3", "film 1", "no such film"]})
    names = fresh.ids.take(rows.items.numpy()).tolist()
    assert names == ["film 1", "film 3"]
    assert rows[torch.tensor([0])].cond.tolist() == [[0.0] * 3]


def test_a_damaged_header_is_named():
    with pytest.raises(UsageError, match="ids in this model: damaged"):
        InteractionCodec.from_json(vaehub.Spec((3,)), {"items": {}})


def test_no_table_is_named():
    with pytest.raises(UsageError, match=r"domain\.path: which table"):
        _ = Recommendation().codec


@pytest.fixture
def run(table, tmp_path):
    config = HYBRID | {
        "latent": 4,
        "encoder": {"name": "recvae", "width": 16, "layers": 2},
        "train": {"epochs": 3, "batch_size": 40},
    }
    config["domain"] = {
        "name": "recommender",
        "path": str(table / "likes.parquet"),
        "user": "who",
        "item": "what",
        "held_out": 20,
    }
    config["domain"]["history"] = True
    config["train"] |= {"monitor": "val_ndcg", "score_rows": 0}
    return vaehub.train(config, out=tmp_path / "run", progress=False)


def test_training_watches_the_ranking_and_evaluation_shows_the_baselines(run):
    history = pd.read_csv(run.path / "metrics.csv")
    assert history.val_ndcg.between(0, 1).all()
    figures = run.evaluate("test", samples=2)
    assert 0 < figures["popularity ndcg@100"] < figures["EASE ndcg@100"] <= 1
    assert figures["ndcg@100"] > figures["popularity ndcg@100"]
    assert np.isfinite(figures["nll"])


def test_the_share_of_the_linear_part_is_found_and_saved(run):
    again = vaehub.load(run.path)
    assert float(again.vae.decoder.share) == float(run.vae.decoder.share)
    assert float(again.vae.decoder.dense_weights().abs().sum()) > 0


def test_histories_in_a_file_are_encoded(run, table):
    pd.read_parquet(table / "likes.parquet").head(20).to_csv(table / "some.csv", index=False)
    codes = run.encode(run.codec.read(table / "some.csv"))
    assert codes.shape == (2, 4)
    assert np.isfinite(codes).all()


@pytest.mark.slow
def test_the_doctor_and_the_report_read_sparse_rows(run):
    assert diagnose(run) is not None
    assert run.report().stat().st_size > 10_000


def test_ease_alone_is_what_the_shipped_config_trains(table, tmp_path):
    overrides = [f"domain.path={table / 'likes.parquet'}", "domain.user=who", "domain.item=what", "domain.held_out=20"]
    run = vaehub.train(CONFIGS / "recommender_ease.yaml", overrides, out=tmp_path / "ease", progress=False)
    assert run.vae.decoder.base is None
    assert load_config(run.config.to_dict()).to_dict() == run.config.to_dict()
    figures = run.evaluate("test", samples=1)
    weights, _ = solve(gram(run.domain.source.split.train), 500.0)
    torch.testing.assert_close(run.vae.decoder.weights, weights.float())
    assert figures["ndcg@100"] == pytest.approx(figures["EASE ndcg@100"], abs=0.05)


def test_a_mixture_trained_on_the_bound_is_reported_too(table, tmp_path):
    overrides = [
        f"domain.path={table / 'likes.parquet'}",
        "domain.user=who",
        "domain.item=what",
        "domain.held_out=20",
        "latent=3",
    ]
    overrides += ["objective=elbo", "encoder={name: bag, hidden: [8]}", "train.epochs=2", "train.validate_every=1"]
    run = vaehub.train(CONFIGS / "recommender.yaml", overrides, out=tmp_path / "mixed", progress=False)
    assert diagnose(run) is not None


@pytest.mark.filterwarnings("ignore:no users are known:UserWarning")
def test_popularity_is_known_without_the_table(run, table):
    counts = np.bincount(run.domain.source.split.train.indices)
    (table / "likes.parquet").unlink()
    lists = Recommender.load(run.path).recommend({"nobody": []}, k=5)
    assert set(lists["reason"]) == {"popular"}
    best = counts[run.codec.ids.positions(lists["item"])]
    assert best.tolist() == sorted(counts, reverse=True)[:5]


def test_counts_of_more_users_add_up_with_new_items_behind():
    more = Popularity(3, np.array([1, 2])).plus(Popularity(2, np.array([1, 0, 2])))
    assert (more.users, more.counts.tolist()) == (5, [2, 2, 2])


def test_a_bad_row_is_told_with_its_table(tmp_path):
    path = tmp_path / "likes.csv"
    path.write_text("user,item,w\n1,3,3\n2,5,-1\n")
    with pytest.raises(UsageError, match=r"likes\.csv: row 1: column 'w': -1 is no weight"):
        _ = Recommendation(path=str(path), weight="w").codec
