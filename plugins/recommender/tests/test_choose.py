"""Choosing a model on validation users."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from vaehub import UsageError
from vaehub_recommender import Recommender
from vaehub_recommender.api.config import recommender_config
from vaehub_recommender.api.learn import fit_split
from vaehub_recommender.choose import Choice, search
from vaehub_recommender.choose.ease_scores import ByItems, ByUsers, ease_scores
from vaehub_recommender.choose.folds import by_user, folded
from vaehub_recommender.choose.linear import best_trial, ease_trials, mixed_trial, neighbour_trials
from vaehub_recommender.choose.network import SMALL
from vaehub_recommender.closed_form import gram, solve
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.held_out import HeldOut, Split
from vaehub_recommender.tables import Columns, training_log

QUICK = {"train.epochs": 2}
NOTHING = {"user": None, "item": None}


@pytest.fixture(scope="module")
def log(liked):
    return training_log(liked, Columns())


@pytest.fixture(scope="module")
def split(log) -> Split:
    return fit_split(log, 0)


@pytest.fixture(scope="module")
def chosen(liked) -> Recommender:
    return Recommender(**QUICK).fit(liked)


@pytest.mark.parametrize("way", [ByItems, ByUsers])
@pytest.mark.parametrize(("penalty", "dropout"), [(20.0, 0.0), (5.0, 0.5)])
def test_both_ways_to_the_scores_of_ease_are_those_of_its_weights(split, way, penalty, dropout) -> None:
    products = gram(split.train)
    weights = solve(products, penalty + dropout / (1 - dropout) * products.diagonal())[0].numpy()
    seen = split.val.history.toarray() > 0
    found = way(split.train, split.val.history)(penalty, dropout)
    np.testing.assert_allclose(found[~seen], (split.val.history @ weights)[~seen], atol=1e-4)


def test_a_search_that_memory_does_not_hold_is_refused(split, monkeypatch) -> None:
    monkeypatch.setattr("vaehub_recommender.memory.free_memory", lambda: 1e3)
    with pytest.raises(UsageError, match=r"comparing penalties of ease between \d+ items: takes"):
        ease_scores(split.train, split.val.history)


def test_the_search_for_a_penalty_goes_on_near_the_best(split) -> None:
    trials = list(ease_trials(split.train, split.val, lambda: False))
    penalties = [trial.options["penalty"] for trial in trials]
    first = max(trials[:4], key=lambda trial: trial.ndcg.mean()).options["penalty"]
    assert penalties[:4] == [10, 50, 250, 1000]
    assert penalties[4:6] == pytest.approx([first / 2.2, first * 2.2], rel=5e-3)
    assert best_trial(iter(trials)).ndcg.mean() == max(trial.ndcg.mean() for trial in trials)
    assert len(list(ease_trials(split.train, split.val, lambda: True))) == 1  # time is up: one is there all the same


def test_penalties_go_with_the_scale_of_the_weights(split) -> None:
    times = 50.0
    plain = [trial.options["penalty"] for trial in ease_trials(split.train, split.val, lambda: False)]
    held = HeldOut(split.val.users, split.val.history * times, split.val.targets)
    scaled = [trial.options["penalty"] for trial in ease_trials(csr_array(split.train * times), held, lambda: False)]
    assert scaled == pytest.approx([penalty * times**2 for penalty in plain], rel=0.01)


def test_a_mixture_is_no_worse_than_its_first_part(split) -> None:
    knn = best_trial(neighbour_trials(split.train, split.val))
    ease = best_trial(ease_trials(split.train, split.val, lambda: False))
    assert mixed_trial(knn, ease, split.val).ndcg.mean() >= knn.ndcg.mean()


def test_few_strangers_are_asked_for_every_item_in_turn(split) -> None:
    whole, held = split.val, folded(split, 0).val
    every = (whole.history + whole.targets).toarray()
    for user, items in zip(whole.users, every, strict=True):
        rows = held.users == user
        np.testing.assert_array_equal(held.targets[np.flatnonzero(rows)].toarray().sum(0), items)
        np.testing.assert_array_equal((held.targets + held.history)[np.flatnonzero(rows)].toarray(), [items] * rows.sum())


def test_users_who_are_trained_on_are_asked_once(split) -> None:
    known = Split(split.users, split.train, split.items, split.val, split.test, True, 0)
    assert folded(known, 0) is known


def test_rows_of_a_user_are_averaged_and_rows_that_ask_for_nothing_are_not_there() -> None:
    targets = csr_array(np.array([[1.0, 0], [0, 0], [0, 1], [1, 1]]))
    held = HeldOut(np.array([7, 3, 3, 7]), csr_array((4, 2)), targets)
    assert by_user(np.array([0.2, 0.5, 0.4]), held).tolist() == pytest.approx([0.5, 0.3])


def searching(log, split, time_limit=None) -> search.Search:
    return search.Search(SplitLog(log, split, Columns(), NOTHING, True), QUICK, time_limit)


def test_a_dearer_model_is_taken_where_it_is_ahead_beyond_noise(log, split) -> None:
    found = searching(log, split)
    rows = len(found.inner.split.val)
    noise = np.random.default_rng(0).normal(0, 0.1, rows)
    found.offer("cheap", {}, {}, np.full(rows, 0.5))
    found.offer("no better", {}, {}, 0.5 + noise - noise.mean())
    assert found.best == "cheap"
    found.offer("better", {}, {}, 0.6 + noise - noise.mean())
    assert found.best == "better"
    assert [row.note for row in found.choice().tried] == ["", "left out: not ahead beyond noise", ""]
    assert found.choice().tried[2].gain == pytest.approx(0.1, abs=0.02)


def test_why_a_network_is_not_begun(log, split) -> None:
    found = searching(log, split)
    assert found.reason_against(SMALL, 100) == ""
    assert found.reason_against(SMALL, 1e9).endswith("give a time_limit in seconds to have it tried")
    assert found.reason_against(search.LARGE, 1) == "the small one does not pay"
    found.best = SMALL.name
    assert found.reason_against(search.LARGE, 1).startswith("few interactions (fewer than 400,000)")
    found.time_limit = 1e9
    assert found.reason_against(search.LARGE, 1) == ""
    assert "are left" in searching(log, split, 1e-3).reason_against(SMALL, 100.0)


def test_what_was_tried_is_kept_and_saved(chosen, tmp_path) -> None:
    choice = chosen.choice
    frame = choice.frame()
    assert frame["model"].tolist() == ["item-kNN", "EASE", "EASE + item-kNN", "small VAE + EASE", "VAE + EASE"]
    assert frame["chosen"].sum() == 1
    assert (frame["cpu_seconds"] >= 0).all()
    assert frame["ndcg@100"].notna().sum() >= 4
    assert chosen.facts()["chosen"] == choice.chosen == frame.loc[frame["chosen"], "model"].item()
    assert choice.lines()[0].startswith(f"Chosen by NDCG@100 of {choice.users} validation users: {choice.chosen}")
    chosen.save(tmp_path / "saved")
    again = Recommender.load(tmp_path / "saved")
    assert again.choice == choice
    assert again.recommend(k=5).equals(chosen.recommend(k=5))


def test_the_same_seed_makes_the_same_choice_and_the_same_lists(liked, chosen) -> None:
    again = Recommender(**QUICK).fit(liked)
    assert again.choice.frame().drop(columns="cpu_seconds").equals(chosen.choice.frame().drop(columns="cpu_seconds"))
    assert again.recommend(k=5).equals(chosen.recommend(k=5))


def test_a_protocol_chooses_anew_among_those_it_trains_on(chosen, monkeypatch) -> None:
    asked = []

    def choosing(domain, options, time_limit):
        asked.append((domain.split.train.shape[0], dict(options), time_limit))
        return search.choose(domain, options, time_limit)

    monkeypatch.setattr("vaehub_recommender.api.evaluate.choose", choosing)
    judged = chosen.evaluate("strong")
    assert judged.models == ["model", "EASE", "popularity"]
    assert asked == [(120, QUICK, None)]


def test_a_short_time_limit_leaves_the_network_out(liked) -> None:
    choice = Recommender(time_limit=1e-3).fit(liked).choice
    assert [row.ndcg is None for row in choice.tried] == [False, False, False, True, True]
    assert "not begun" in choice.lines()[-2]
    assert choice.time_limit == 1e-3


@pytest.mark.parametrize("limit", [0, -1, float("nan"), True, "10"])
def test_a_time_limit_that_is_none(liked, limit) -> None:
    with pytest.raises(UsageError, match="time_limit: should be a number of seconds above 0, or None"):
        Recommender(time_limit=limit).fit(liked)


@pytest.mark.parametrize(("config", "options"), [("ease", {}), (None, {"latent": 8}), ({"domain": "recommender"}, {})])
def test_a_time_limit_for_a_model_that_is_named(liked, config, options) -> None:
    with pytest.raises(UsageError, match="time_limit: bounds the search for a model"):
        Recommender(config, time_limit=5, **options).fit(liked)


def test_an_option_of_the_model_is_for_the_shipped_hybrid(liked) -> None:
    named = Recommender(latent=8, encoder={"name": "bag", "hidden": [16]}, **QUICK).fit(liked)
    assert named.choice is None
    assert named.fitted.run.config.decoder.name == "linear"
    assert named.fitted.run.config.latent == 8


def test_among_many_items_the_linear_part_is_sparse(log, split, monkeypatch) -> None:
    monkeypatch.setattr(search, "LARGEST", 10)
    monkeypatch.setattr(search, "UNASKED", 0)
    run, choice = search.choose(SplitLog(log, split, Columns(), NOTHING, True), {}, None)
    assert run.config.decoder.name == "sparse_linear"
    assert choice.chosen == "sparse linear"
    best = choice.frame()["ndcg@100"].iloc[:2].idxmax()
    assert run.config.decoder.options["penalty"] == search.SPARSE_SETTINGS[best][0]
    assert "give a time_limit" in choice.lines()[-1]


@pytest.mark.parametrize("name", ["ease", "knn", "mult_vae"])
def test_short_names_from_any_folder(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = recommender_config(f"recommender_{name}", {}, Columns())
    assert recommender_config(name, {}, Columns()).to_dict() == whole.to_dict()


def test_a_saved_recommender_of_before_has_no_choice(recommender, tmp_path) -> None:
    recommender.save(tmp_path / "saved")
    users = tmp_path / "saved" / "users.json"
    users.write_text(users.read_text().replace(', "choice": null', ""))
    assert Recommender.load(tmp_path / "saved").choice is None


def test_a_choice_as_json() -> None:
    choice = Choice((), "EASE", 3, 1.0, {"train.seed": 1}, 5.0)
    assert Choice.from_json(choice.to_json()) == choice
