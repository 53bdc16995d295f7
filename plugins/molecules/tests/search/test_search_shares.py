"""Proposers share the calls by what they bring; the pool is screened; a search can do without a model."""

import numpy as np
import pandas as pd
import pytest
from rdkit.Chem import MolFromSmiles

from vaehub.errors import UsageError
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.search import Constraints, Hybrid, HybridOptions, Pool, SearchState, optimize
from vaehub_molecules.search.bandit import Bandit, hits
from vaehub_molecules.search.batch import diverse_batch
from vaehub_molecules.search.buffer import Answer, Buffer, Call, Proposal
from vaehub_molecules.search.proposers import Parents
from vaehub_molecules.search.screen import Screen
from vaehub_molecules.search.surrogate import fit

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "c1ccoc1", "c1ccsc1", "C1CCNCC1"]


def nitrogens(smiles):
    return float(sum(letter in "nN" for letter in smiles))


def state_of(scores, pool=(), seed=0):
    """A search after calls {smiles: (by, score)}; a score of None is a failed call."""
    buffer = Buffer()
    answers = {smiles: Answer(error="failed") if score is None else Answer((score,)) for smiles, (_, score) in scores.items()}
    buffer.add([Call(Proposal(smiles, by), answers[smiles], 0.0) for smiles, (by, _) in scores.items()])
    return SearchState(None, ("a",), (), Pool(list(pool)), Constraints(), Policy(), seed, 1000, buffer)


def test_a_hit_is_among_the_best_tenth_when_it_is_answered():
    scores = np.arange(300.0)
    assert hits(scores).all()
    assert hits(-scores).tolist() == [True] * 10 + [False] * 290
    shuffled = np.random.default_rng(0).permutation(3000).astype(float)
    assert 20 <= hits(shuffled)[2000:].sum() <= 60  # a call of 20 to 30 is among the best 100: about 40
    assert not hits(np.array([np.nan, 1.0, np.nan]))[[0, 2]].any()


def test_the_bandit_follows_success_and_tries_what_it_forgot():
    calls = {f"{'C' * i}O": ("good" if i % 2 else "poor", float(i) if i % 2 else -1.0) for i in range(1, 81)}
    slots = Bandit(memory=80).slots(state_of(calls), ["good", "poor"], 100)
    assert sum(slots.values()) == 100
    assert slots["good"] >= 95
    forgotten = Bandit(memory=80).slots(state_of({s: ("poor", score) for s, (_, score) in calls.items()}), ["good", "poor"], 100)
    assert forgotten["good"] > 30


def test_a_batch_keeps_to_the_slots_and_to_different_scaffolds():
    smiles = [f"{head}{ring}" for ring in RINGS for head in ("C", "N", "O", "F")]
    candidates = [Proposal(text, "pool" if i % 2 else "edits") for i, text in enumerate(smiles)]
    mean = np.arange(24.0)[::-1].copy()
    rows = diverse_batch(candidates, mean, np.zeros(24), {"pool": 2, "edits": 6}, boldest=1.0, alike=0.25)
    owners = [candidates[row].by for row in rows]
    assert (owners.count("pool"), owners.count("edits"), len(set(rows))) == (2, 6, 8)
    assert max(np.unique([row // 4 for row in rows], return_counts=True)[1]) <= 2
    assert rows[0] in (0, 1)


def test_a_batch_uses_and_explores():
    candidates = [Proposal(f"C{ring}", "pool") for ring in RINGS[:4]]
    mean, deviation = np.array([3.0, 2.9, 1.0, 0.0]), np.array([0.0, 0.1, 3.0, 0.1])
    assert diverse_batch(candidates, mean, deviation, {"pool": 2}, boldest=1.0, alike=1.0) == [0, 2]


def test_slots_that_a_proposer_cannot_fill_go_to_others():
    candidates = [Proposal(f"C{ring}", "edits") for ring in RINGS]
    assert sorted(diverse_batch(candidates, np.zeros(6), np.ones(6), {"pool": 3, "edits": 1}, 1.0, 1.0)) == [0, 1, 2, 3]


def test_the_pool_is_screened_by_the_surrogate():
    pool = [f"{head}{ring}" for head in ("C", "N", "O", "F", "CC", "NC", "OC", "CCC", "NCC") for ring in RINGS]
    called = {smiles: ("pool", nitrogens(smiles)) for smiles in pool[::4]}
    state = state_of(called, pool)
    surrogate = fit(state.pool.rows(range(0, len(pool), 4)), np.array([score for _, score in called.values()]))
    draft = Screen(looked_at=1000).draft(state, Parents([], None, surrogate), 8)
    left = [smiles for smiles in pool if smiles not in called]
    assert set(draft.texts) <= set(left)
    assert np.mean([nitrogens(s) for s in draft.texts]) > np.mean([nitrogens(s) for s in left]) + 0.5


def test_a_search_without_a_model_beats_a_screen(space):
    def search(seed):
        return optimize(None, nitrogens, 60, Hybrid(HybridOptions(ratio=5)), pool=space.smiles, seed=seed, workers=0)

    found = search(0)
    chance = [
        np.sort(np.random.default_rng(i).permutation(list(map(nitrogens, space.smiles)))[:60])[-10:].mean() for i in range(50)
    ]
    assert found.best.score.head(10).mean() > max(chance)
    assert set(found.trace.by) == {"pool", "edits", "crossover"}
    pd.testing.assert_frame_equal(found.trace.drop(columns="time"), search(0).trace.drop(columns="time"))


def test_a_search_without_a_model_begins_around_leads_and_needs_a_pool():
    found = optimize(None, nitrogens, 30, start=["Cc1ccncc1"], pool=["CCO", "CCN", "c1ccccc1"], workers=0)
    assert found.trace.by.tolist()[0] == "lead"
    assert len(found.trace) == 30
    with pytest.raises(UsageError, match="pool: is needed where run is None"):
        optimize(None, nitrogens)
    with pytest.raises(UsageError, match="run: this method needs a model"):
        optimize(None, nitrogens, 30, "evolve", pool=["CCO", "CCN"], workers=0)


def test_a_search_climbs_heads_that_are_fitted_to_its_calls(space):
    found = optimize(space, nitrogens, 60, Hybrid(HybridOptions(ratio=3)), pool=space.smiles[::3], workers=0)
    assert space.property_names == ("length",)
    assert {"pool", "edits", "gradient"} <= set(found.trace.by)


def test_molecules_stay_drug_sized_where_nobody_says_otherwise():
    def size(smiles):
        return float(MolFromSmiles(smiles).GetNumHeavyAtoms())

    def largest(limits):
        pool = ["C" * 30 + "O", "C" * 37 + "N", "CCCCc1ccccc1"]
        method = Hybrid(HybridOptions(initial=3, ratio=2))
        return optimize(None, size, 40, method, constraints=limits, pool=pool, workers=0).best.score[0]

    assert largest(None) == 38
    assert 38 < largest(Constraints(max_heavy=60)) <= 60
