"""Every argument of the recommender of a wrong kind: one clear line, or it is taken."""

from __future__ import annotations

import pytest

from vaehub.errors import UsageError
from vaehub.testing.arguments import cases, refusal
from vaehub_recommender import Recommender

FITS = {"user": None, "item": None, "weight": None, "time": None, "min_rating": None, "users": None, "items": None, "seen": None}
RULES = {"candidates": None, "block": None, "filter": None, "available": None, "at": None}
METHODS = {
    "recommend": {"users": None, "k": 2, "exclude_seen": True, **RULES},
    "similar_items": {"items": "ITEM", "k": 2, **RULES},
    "score": {"users": None, "items": "ITEM"},
    "similar_users": {"users": None, "k": 2},
    "explain": {"user": ["ITEM"], "item": "ITEM", "k": 2},
    "embed": {"users": None},
    "evaluate": {"protocol": "strong"},
    "save": {"path": "saved"},
}
CASES = [case for case in cases(METHODS) if case[:2] != ("evaluate", "protocol") or case[2] != "frame"]


@pytest.mark.parametrize(("name", "argument", "kind"), CASES)
@pytest.mark.filterwarnings("ignore::UserWarning")  # users and items that are not known are told as warnings
def test_methods(name, argument, kind, recommender, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    item = recommender.fitted.items.values[0]
    given = {key: item if value == "ITEM" else [item] if value == ["ITEM"] else value for key, value in METHODS[name].items()}
    said = refusal(getattr(recommender, name), given, argument, kind)
    assert said is None or "\n" not in said


@pytest.mark.parametrize(("name", "argument", "kind"), cases({"fit": {"df": None, **FITS}}))
def test_fitting(name, argument, kind, liked, monkeypatch):
    monkeypatch.setattr("vaehub_recommender.recommender.learn", lambda *arguments: None)  # what is tested comes before
    said = refusal(Recommender().fit, {**FITS, "df": liked}, argument, kind)
    assert said is None or "\n" not in said
    assert said or argument not in ("df", "users", "items") or kind in ("None", "frame")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda r: r.recommend(k=2.5), "k: should be a whole number of at least 1, not 2.5"),
        (
            lambda r: r.partial_fit("x.csv"),
            "df: should be a DataFrame .pandas, polars, Arrow. or a sparse matrix, not 'x.csv'; read the file first",
        ),
        (lambda r: r.evaluate("stong"), "did you mean 'strong'"),
        (
            lambda r: r.evaluate(5),
            "protocol: should be 'strong', 'last', 'random', 'temporal', 'new_items', 'new_users' or a DataFrame",
        ),
        (lambda r: Recommender.load(5), "path: should be a path, not 5"),
        (lambda r: r.recommend(candidates=5), "candidates: should be a list of items"),
    ],
)
def test_what_is_said(call, said, recommender):
    with pytest.raises(UsageError, match=said):
        call(recommender)
