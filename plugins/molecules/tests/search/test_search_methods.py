"""Every method keeps the rules of the budget, depends on nothing but its state, and finds better molecules than chance."""

import numpy as np
import pytest

from vaehub.errors import UsageError
from vaehub_molecules.chem.canonical import canonical
from vaehub_molecules.search import Constraints, Hybrid, HybridOptions, Method, optimize
from vaehub_molecules.search.bo import TrustRegion
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.evolve import Evolve
from vaehub_molecules.search.gradient import Gradient

SMALL = {
    "hybrid": lambda: Hybrid(HybridOptions(smallest=15, ratio=5, elites=20, tune_every=40, tune_on=10)),
    "evolve": lambda: Evolve(20, 15),
    "gradient": lambda: Gradient(starts=8),
    "bo": lambda: TrustRegion(initial=20, batch=25, candidates=100, points=50),
}


def length(smiles):
    """Letters of a SMILES, which is what the stand-in's heads predict."""
    return float(sum(letter.isalpha() for letter in smiles))


def polar(smiles):
    """1 and the number of nitrogens and oxygens, which long molecules may have many or few of."""
    return 1.0 + sum(letter in "nNoO" for letter in smiles)


def search(space, method="hybrid", objective=length, **options):
    return optimize(
        space,
        objective,
        **{"method": SMALL[method]() if method in SMALL else method, "budget": 80, "workers": 0, "pool": space.smiles[::3]}
        | options,
    )


@pytest.fixture(scope="module")
def found(space):
    return {name: search(space, name) for name in SMALL}


@pytest.mark.parametrize("method", SMALL)
def test_the_budget_counts_unique_canonical_molecules(space, method):
    called = []

    def objective(smiles):
        called.append(smiles)
        return length(smiles)

    objective.__name__ = "length"
    result = search(space, method, objective)
    assert called == result.trace.smiles.tolist()
    assert len(called) == len(set(called)) == 80
    assert [canonical(smiles) for smiles in called] == called
    assert result.trace.call.tolist() == list(range(1, 81))
    assert sum(result.counts[reason] for reason in ("duplicate", "invalid") if reason in result.counts) > 0


def test_a_search_says_what_it_found(found):
    result = next(iter(found.values()))
    assert repr(result).startswith("Result(objectives=length, calls=80, budget=80, best=")
    assert result.best.smiles[0] in result._repr_html_()
    assert f"score={result.best.score[0]:.3f}" in repr(result)


@pytest.mark.parametrize("method", SMALL)
def test_two_searches_are_the_same_and_a_seed_makes_another(space, found, method):
    again, other = search(space, method), search(space, method, seed=1)
    assert again.trace.smiles.tolist() == found[method].trace.smiles.tolist()
    assert other.trace.smiles.tolist() != found[method].trace.smiles.tolist()


@pytest.mark.parametrize("method", SMALL)
def test_a_search_is_better_than_chance(space, found, method):
    scores = np.array([length(smiles) for smiles in space.smiles])
    chance = [np.sort(np.random.default_rng(i).permutation(scores)[:80])[-10:].mean() for i in range(200)]
    assert found[method].best.score.head(10).mean() > np.quantile(chance, 0.95)


def test_ascent_truly_improves_most_starts(found):
    assert found["gradient"].ascent_success > 0.8


@pytest.mark.parametrize("method", SMALL)
def test_constraints_hold_for_every_call(space, method):
    limits = Constraints(similarity=0.18, scaffold="c1ccccc1", max_heavy=11)
    result = search(space, method, start=["Cc1ccccc1"], constraints=limits, budget=30)
    limits = limits.with_leads(["Cc1ccccc1"])
    assert result.trace.smiles[0] == "Cc1ccccc1"
    assert not any(limits.violation(smiles) for smiles in result.trace.smiles)
    assert result.counts["scaffold"] > 0


def test_failed_calls_are_recorded_and_cost_a_call(space):
    def moody(smiles):
        if "N" in smiles:
            raise ValueError("no nitrogen")
        return float("nan") if "F" in smiles else length(smiles)

    result = search(space, "hybrid", moody)
    failed = result.trace[result.trace.error != ""]
    assert len(result.trace) == 80
    assert set(failed.error) <= {"ValueError: no nitrogen", "gave nan"}
    assert len(failed) == result.counts["errors"] > 0
    assert failed.score.isna().all()
    assert not result.best.smiles.str.contains("[NF]").any()


def test_an_objective_that_only_fails_ends_the_search(space):
    with pytest.raises(UsageError, match=r"none of the first \d+ calls gave a value; the first was .*: ZeroDivisionError"):
        search(space, "hybrid", lambda smiles: 1 / 0, budget=400)


def test_several_objectives_give_a_front(space):
    result = search(space, "hybrid", [length, polar])
    assert {"length", "polar"} <= set(result.trace.columns)
    assert 1 <= len(result.front) <= 80
    assert result.front.length.max() == result.trace.length.max()
    assert result.front.polar.max() == result.trace.polar.max()
    assert result.hypervolume() > 0
    assert result.hypervolume(np.array([100.0, 100.0])) == 0


def test_weights_make_one_objective_of_several(space):
    result = search(space, "hybrid", [length, polar], weights=[1, 3])
    expected = [(length(s) * polar(s) ** 3) ** 0.25 for s in result.trace.smiles]
    assert np.allclose(result.trace.score, expected)
    assert "length" not in result.trace


def test_a_product_that_is_always_zero_is_told_after_twenty_calls(space):
    """In the middle of a round: the first may be of hundreds of slow calls."""
    called = []

    def negative(smiles):
        called.append(smiles)
        return -length(smiles)

    told = "the weighted product of polar, negative is 0 for 20 of the first 20 molecules: a score that is not positive"
    with pytest.raises(UserWarning, match=told):  # in these tests a warning is an error
        search(space, "hybrid", [polar, negative], weights=[1, 1], budget=400)
    assert len(called) == 20


def test_a_search_ends_where_there_is_nothing_new(space):
    with pytest.warns(UserWarning, match="no new molecule in 25 rounds: the search ended after 3 calls"):
        result = search(space, Stubborn(), pool=space.smiles[:3], budget=5)
    assert len(result.trace) == 3


class Stubborn(Method):
    """A stranger's method that trusts nobody's rules: strings that are not canonical, repeated, invalid."""

    def propose(self, state):
        return [Proposal(text, "mine") for text in ("OCC", "CCO", "C(", "", "c1ccccc1", "C1=CC=CC=C1", "CCC")]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"objective": "qedd"}, "qed"),
        ({"objective": []}, "none is given"),
        ({"objective": [length, length]}, "a name is given twice"),
        ({"objective": [length, polar], "weights": [1]}, "weight"),
        ({"method": "hybird"}, "did you mean 'hybrid'"),
        ({"budget": 0}, "budget: should be a whole number of at least 1, not 0"),
        ({"budget": "many"}, "budget: should be a whole number of at least 1, not 'many'"),
        ({"seed": 1.5}, "seed: should be a whole number of at least 0"),
        ({"objective": 5}, "objective: should be a name such as 'qed', or a function of canonical SMILES, not 5"),
        ({"objective": None}, "objective: should be a name"),
        ({"method": 5}, "method: should be one of hybrid, gradient, bo, evolve"),
        ({"start": 5}, "start: should be a list, not 5"),
        ({"seconds": "long"}, "seconds: should be a number, not 'long'"),
        ({"out": 5}, "out: should be a path, not 5"),
        ({"start": ["C1CC"]}, "start: 'C1CC' is not accepted: a ring number without its pair"),
        ({"pool": []}, "has no molecule"),
        ({"pool": ["CC(C"]}, "pool: 'CC\\(C' is not accepted"),
        ({"constraints": Constraints(scaffold="[Se]")}, "scaffold='\\[Se\\]': no molecule of the leads and the pool"),
        ({"constraints": Constraints(similarity=0.4)}, "Give the leads"),
        ({"start": ["Cc1ccccc1"], "constraints": Constraints(scaffold="n")}, "the lead Cc1ccccc1 does not have it"),
    ],
)
def test_what_cannot_be_searched_is_told_in_one_line(space, options, line):
    with pytest.raises(UsageError, match=line) as error:
        search(space, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("run", ["runs/molecules", 5])
def test_a_run_that_is_none_is_refused(run):
    with pytest.raises(UsageError, match=r"run: should be a run, such as vaehub\.load"):
        optimize(run, length)


def test_ascent_needs_a_head_for_the_objective(space):
    with pytest.raises(UsageError, match="the model predicts length, not polar"):
        search(space, "gradient", polar)


def test_a_lead_that_the_model_cannot_read_is_still_scored(space):
    with pytest.warns(UserWarning, match="cannot read FC1CC1"):
        result = search(space, "hybrid", start=["FC1CC1", "Cc1ccccc1"])
    assert result.trace.smiles.tolist()[:2] == ["FC1CC1", "Cc1ccccc1"]
