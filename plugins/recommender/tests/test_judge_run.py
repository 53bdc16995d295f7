"""A trained run is judged on what its domain keeps from it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub.errors import UsageError
from vaehub.run import Run
from vaehub_recommender.domain import Recommendation
from vaehub_recommender.judge import evaluate_run, metrics
from vaehub_recommender.scores import scores_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs on users of three tastes, of whom one more thing is known."""
    folder: Path = tmp_path_factory.mktemp("run")
    options = Recommendation.example(folder)
    users = pd.DataFrame({"user": np.arange(120), "age": np.arange(120) % 3})
    users.to_csv(folder / "users.csv", index=False)
    config = {
        "domain": {"name": "recommender", **options, "users": str(folder / "users.csv")},
        "latent": 4,
        "encoder": "bag",
        "decoder": "catalogue",
        "likelihood": "implicit_multinomial",
        "train": {"epochs": 2},
    }
    return vaehub.train(config, out=folder / "run", progress=False)


@pytest.mark.parametrize("part", ["val", "test"])
@torch.no_grad()
def test_lists_are_those_of_the_model_for_the_held_out_users(run: Run, part: str) -> None:
    held = run.domain.source.held_out(part)
    batch = run.data(part)[torch.arange(len(held))]
    scores = scores_of(run.vae.decoder(run.vae.encoder(batch).mean, batch.cond))
    dense = scores.block(0, scores.items).numpy().copy()
    dense[held.history.toarray() > 0] = -np.inf
    judged = evaluate_run(run, part)
    expected = metrics(np.argsort(-dense, axis=1, kind="stable"), held.targets, ["ndcg@100", "hit@10"])
    assert judged.models == ["model", "EASE", "popularity"]
    pd.testing.assert_frame_equal(judged.scorecards["model"].users[["ndcg@100", "hit@10"]], expected)


def test_evaluate_prints_the_model_beside_the_baselines(run: Run) -> None:
    figures = run.evaluate("test", samples=2)
    assert figures["ndcg@100"] == pytest.approx(evaluate_run(run, "test").table()["ndcg@100", "mean"]["model"])
    assert {"nll", "EASE ndcg@100", "popularity ndcg@100"} <= figures.keys()


def test_training_rows_have_nothing_held_out(run: Run) -> None:
    with pytest.raises(UsageError, match="'train': nothing is held out"):
        evaluate_run(run, "train")
