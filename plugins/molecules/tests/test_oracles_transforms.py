"""Windows, sigmoids, steps and directions: what they make of a value, and how they are written."""

import math
import pickle

import pytest

from vaehub.errors import UsageError
from vaehub_molecules.oracles import batch, load_objective, oracle, summed, weighted
from vaehub_molecules.oracles.transforms import Sigmoid, Step, Window, parse_transform
from vaehub_molecules.search.goal import goal_of

ETHANOL = "CCO"  # 46.07 g/mol


@pytest.mark.parametrize(
    ("text", "value", "score"),
    [
        ("200..450", 200, 1.0),
        ("200..450", 450, 1.0),
        ("200..450", 512.5, math.exp(-0.5)),  # a quarter of the width away
        ("200..450", 137.5, math.exp(-0.5)),
        ("..90", -1000, 1.0),
        ("..90", 90 + 22.5, math.exp(-0.5)),
        ("-2..", -2.5, math.exp(-0.5)),
        ("0..", -0.25, math.exp(-0.5)),
        ("sigmoid(1,3)", 1, 1 / (1 + math.exp(3))),
        ("sigmoid(1,3)", 2, 0.5),
        ("sigmoid(-6,-10)", -10, 1 / (1 + math.exp(-3))),
        ("sigmoid(0,1)", 1e300, 1.0),
        ("step(20..90)", 90, 1.0),
        ("step(20..90)", 90.01, 0.0),
        ("step(..90)", -5, 1.0),
    ],
)
def test_a_value_becomes_a_desirability(text, value, score):
    assert parse_transform(text)(value) == pytest.approx(score)


def test_no_value_stays_none():
    assert all(math.isnan(transform(math.nan)) for transform in (Window(0, 1), Step(0, 1), Sigmoid(0, 1)))


@pytest.mark.parametrize(
    "text", ["200..450", "..90", "1..", "-1..1", "sigmoid(1,3)", "sigmoid(-6.5,-10)", "step(..90)", "step(20..90)"]
)
def test_it_is_written_as_it_is_read(text):
    assert str(parse_transform(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mw:450..200", "a high end that is above it"),
        ("mw:..", "a low end, a high end"),
        ("mw:1..2e", "'2e' is no number"),
        ("mw:sigmoid(3)", "two different ends"),
        ("mw:sigmoid(3,3)", "two different ends"),
        ("mw:sigmoid(a,3)", "'a' is no number"),
        ("mw:step(3)", "a low end"),
        ("mww:200..450", "no objective called 'mww'; did you mean 'mw'"),
        ("min:qedd", "no objective called 'qedd'"),
    ],
)
def test_what_makes_no_sense_is_told(text, said):
    with pytest.raises(UsageError, match=said) as error:
        load_objective(text)
    assert "\n" not in str(error.value)


def test_any_objective_can_have_one():
    like = load_objective("similarity:CCO:..0.6")
    assert (like.name, like.score(ETHANOL)) == ("similarity:CCO:..0.6", pytest.approx(math.exp(-0.5 * (0.4 / 0.15) ** 2)))
    assert load_objective("mw:40..50").score(ETHANOL) == 1
    assert load_objective("min:mw").score(ETHANOL) == pytest.approx(-46.07, abs=0.01)
    assert load_objective("min:mw:40..50").score(ETHANOL) == -1
    assert pickle.loads(pickle.dumps(like)) == like


def test_what_was_measured_stays_beside_the_values():
    goal = goal_of(["mw:100..200", "min:mw", "qed"], combination="sum", weights=[1, 1, 2])
    assert goal.measured == (oracle("mw"), oracle("qed"))
    assert (goal.columns, goal.measured_columns) == (("score",), ("mw", "qed"))
    values, measured = goal(ETHANOL)
    weight, qed = oracle("mw").score(ETHANOL), oracle("qed").score(ETHANOL)
    assert measured == (weight, qed)
    assert values == pytest.approx((0.25 * Window(100, 200)(weight) - 0.25 * weight + 0.5 * qed,))
    assert goal_of(["qed", "logp"]).measured_columns == ()
    assert goal_of(["qed", "logp"])(ETHANOL).measured == ()


def test_combinations_within_combinations_take_their_own_values():
    both = weighted([load_objective("mw:..40"), summed([oracle("qed"), oracle("hbd")])])
    expected = (load_objective("mw:..40").score(ETHANOL) * (oracle("qed").score(ETHANOL) + 1) / 2) ** 0.5
    assert both.score(ETHANOL) == goal_of(both)(ETHANOL).values[0] == pytest.approx(expected)


def test_everything_may_be_minimised():
    goal = goal_of(["sa", "mw"], minimise=True)
    assert goal.names == goal.columns == ("min:sa", "min:mw")
    assert goal.measured_columns == ("sa", "mw")


def test_columns_are_different():
    one, two = batch(len), batch(max)
    assert goal_of([load_objective("min:qed"), "qed"]).measured_columns == ("qed",)
    assert len({*goal_of([one, two], combination="sum").labels}) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"combination": "pareto", "weights": [1, 1]}, "of a Pareto front there are none"),
        ({"combination": "summ"}, "combine='summ'.*did you mean 'sum'"),
        ({"combination": "sum", "weights": [1]}, "2 objectives and 1 weights"),
    ],
)
def test_combinations_without_sense_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        goal_of(["qed", "logp"], **options)
