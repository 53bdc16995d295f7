"""Nothing that is seen, blocked, unavailable or filtered is ever returned: through any door, in any container, with ids of any type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from vaehub_recommender.bulk.recommend import recommend
from vaehub_recommender.bulk.request import Request
from vaehub_recommender.recommender import Recommender

USERS, ITEMS = 24, 16
CONFIG = {
    "domain": {"name": "recommender", "history": True},
    "encoder": {"name": "bag", "hidden": [4]},
    "latent": 2,
    "decoder": {"name": "ease", "penalty": 5, "base": {"name": "catalogue", "hidden": []}},
    "likelihood": "implicit_multinomial",
    "train": {"epochs": 1, "batch_size": 12, "score_rows": 0},
}
IDS = {
    "numbers": lambda n: n * 3,
    "text": lambda n: f"i{n:02d}",
    "digits": lambda n: f"{n:03d}",
    "UUIDs": lambda n: UUID(int=n),
    "tuples": lambda n: ("shop", n),
    "dates": lambda n: pd.Timestamp("2024-01-01") + pd.Timedelta(days=n),
}
CONTAINERS = [
    list,
    set,
    tuple,
    lambda ids: iter(list(ids)),
    lambda ids: pd.Series(list(ids), dtype=object),
    lambda ids: dict.fromkeys(ids),
]
FLAT = [
    *CONTAINERS[:5],
    lambda ids: (one for one in list(ids)),
    lambda ids: pd.DataFrame({"item": pd.Series(list(ids), dtype=object)}),
]


@dataclass(frozen=True)
class World:
    """A recommender of items by number, the pairs that were seen, and what is known of the items."""

    model: Recommender
    frame: pd.DataFrame  # with numbers in the place of ids, beside them
    items: pd.DataFrame
    make: object

    def numbers(self, lists: pd.DataFrame, column: str = "item") -> set[int]:
        return {self.number[value] for value in lists[column]}

    @property
    def number(self) -> dict:
        return {self.make(n): n for n in range(ITEMS)}


@cache
def world(kind: str) -> World:
    rng = np.random.default_rng(3)
    make = IDS[kind]
    pairs = [(user, item) for user in range(USERS) for item in rng.choice(ITEMS, 6, replace=False)]
    frame = pd.DataFrame(pairs, columns=["u", "i"]).assign(rating=np.where(rng.random(len(pairs)) < 0.4, 1, 5))
    frame["user"], frame["item"] = (pd.Series([make(n) for n in frame[name]], dtype=object).infer_objects() for name in "ui")
    items = pd.DataFrame({"item": pd.Series([make(n) for n in range(ITEMS)], dtype=object).infer_objects(), "size": range(ITEMS)})
    items["from"], items["until"] = "2024-01-01", [None if n % 3 else "2024-06-01" for n in range(ITEMS)]
    model = Recommender(CONFIG).fit(frame[["user", "item", "rating"]], min_rating=4, items=items)
    return World(model, frame, items, make)


some = st.sets(st.integers(0, ITEMS - 1), min_size=1, max_size=ITEMS)
rules = st.fixed_dictionaries(
    {},
    optional={
        "block": some,
        "candidates": some,
        "least": st.integers(0, ITEMS - 2),
        "at": st.sampled_from(["2024-03-01", "2024-07-01"]),
    },
)
often = settings(max_examples=25, deadline=None)


def asked(place: World, rule: dict, container) -> tuple[dict, set[int]]:
    """The rule as a caller gives it, and the items that it leaves."""
    left, options = set(range(ITEMS)), {}
    for name in ("block", "candidates"):
        if name in rule:
            options[name] = container([place.make(n) for n in sorted(rule[name])])
            left = left - rule[name] if name == "block" else left & rule[name]
    if "least" in rule:
        options["filter"] = f"size >= {rule['least']} and not size == {ITEMS - 1}"
        left &= set(range(rule["least"], ITEMS - 1))
    if "at" in rule:
        options["at"] = rule["at"]
        left -= set(range(0, ITEMS, 3)) if rule["at"] == "2024-07-01" else set()
    return options, left


def lists_through(place: World, door: str, users: list[int], options: dict) -> pd.DataFrame:
    """Lists of known users, asked for by id, or by history in some form."""
    ids = [place.make(user) for user in users]
    mine = place.frame[place.frame.u.isin(users)]
    rated = {user: mine[mine.u == user].item.tolist() for user in users}
    forms = {
        "ids": ids,
        "iterator": iter(ids),
        "rated frame": mine[["user", "item", "rating"]],
        "dict": {place.make(user): rated[user] for user in users},
        "dict of iterators": {place.make(user): iter(rated[user]) for user in users},
        "frame of lists": pd.DataFrame({"user": pd.Series(ids, dtype=object), "item": [rated[user] for user in users]}),
        "lists": [rated[user] for user in users],
        "iterator of iterators": (iter(rated[user]) for user in users),
    }
    lists = place.model.recommend(forms[door], k=ITEMS, **options)
    by_place = door in ("lists", "iterator of iterators")
    order = list(dict.fromkeys(mine.u)) if door == "rated frame" else users
    names = {at if by_place else place.make(user): user for at, user in enumerate(users if by_place else order)}
    return lists.assign(u=[names[user] for user in lists.user])


DOORS = ["ids", "iterator", "rated frame", "dict", "dict of iterators", "frame of lists", "lists", "iterator of iterators"]


@pytest.mark.filterwarnings("ignore:no item passes")
@given(
    st.sampled_from(list(IDS)),
    st.sampled_from(DOORS),
    st.sampled_from(FLAT),
    rules,
    st.lists(st.integers(0, USERS - 1), min_size=1, max_size=5, unique=True),
)
@settings(often, max_examples=40)
def test_lists_hold_what_is_left_and_nothing_else(kind, door, container, rule, users) -> None:
    place = world(kind)
    options, left = asked(place, rule, container)
    lists = lists_through(place, door, users, options)
    for user in users:
        seen = set(place.frame[place.frame.u == user].i)
        assert place.numbers(lists[lists.u == user]) == left - seen


@pytest.mark.filterwarnings("ignore:no item passes")
@given(st.sampled_from(list(IDS)), st.sampled_from(FLAT), rules, st.integers(0, ITEMS - 1))
@often
def test_neighbours_hold_what_is_left_and_nothing_else(kind, container, rule, item) -> None:
    place = world(kind)
    options, left = asked(place, rule, container)
    near = place.model.similar_items([place.make(item)], k=ITEMS, **options)
    assert place.numbers(near, "similar") == left - {item}


@given(
    st.sampled_from(list(IDS)),
    st.sampled_from(CONTAINERS),
    st.dictionaries(st.integers(0, USERS - 1), some, min_size=1, max_size=4),
    st.booleans(),
)
@often
def test_blocks_by_user_are_for_them_alone(kind, container, blocks, as_frame) -> None:
    place = world(kind)
    named = {place.make(user): container([place.make(n) for n in sorted(items)]) for user, items in blocks.items()}
    if as_frame:
        pairs = [(place.make(user), place.make(n)) for user, items in blocks.items() for n in items]
        named = pd.DataFrame(
            {"user": pd.Series([u for u, _ in pairs], dtype=object), "item": pd.Series([i for _, i in pairs], dtype=object)}
        )
    lists = place.model.recommend(k=ITEMS, block=named)
    for user in range(USERS):
        found = place.numbers(lists[[one == place.make(user) for one in lists.user]])
        assert found == set(range(ITEMS)) - set(place.frame[place.frame.u == user].i) - blocks.get(user, set())


@given(
    st.lists(st.tuples(st.integers(0, USERS + 3), st.integers(0, ITEMS - 1), st.sampled_from([1, 5])), min_size=1, max_size=12)
)
@often
def test_more_interactions_are_seen_whatever_their_rating(rows) -> None:
    place = world("numbers")
    later = pd.DataFrame([(place.make(u), place.make(i), rating) for u, i, rating in rows], columns=["user", "item", "rating"])
    model = Recommender.of(place.model.fitted).partial_fit(later, epochs=0)
    everything = pd.concat([place.frame[["user", "item"]], later[["user", "item"]]])
    lists = model.recommend(k=ITEMS)
    assert not len(lists.merge(everything, on=["user", "item"]))
    known = everything[everything.user.isin(model.fitted.users.values)].drop_duplicates()
    assert len(lists) == known.user.nunique() * ITEMS - len(known)


@given(st.lists(st.sets(st.integers(0, 3 * ITEMS)), min_size=1, max_size=4), st.integers(0, 9))
@often
@pytest.mark.filterwarnings("ignore:.*unknown to the model")
def test_matrices_are_read_by_ids_where_these_are_numbers(rows, extra) -> None:
    place = world("numbers")
    width = max([3 * ITEMS, *(n + 1 for row in rows for n in row)]) + extra
    cells = [(at, n) for at, row in enumerate(rows) for n in row]
    at, columns = zip(*cells, strict=True) if cells else ((), ())
    lists = place.model.recommend(csr_array((np.ones(len(cells)), (list(at), list(columns))), shape=(len(rows), width)), k=ITEMS)
    for user, row in enumerate(rows):
        assert set(lists[lists.user == user].item) == {3 * n for n in range(ITEMS)} - row


@pytest.mark.filterwarnings("ignore:no item passes")
@pytest.mark.parametrize("kind", ["numbers", "text", "digits"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@given(rules, st.dictionaries(st.integers(0, USERS - 1), some, max_size=3))
@settings(often, max_examples=6)
def test_files_hold_what_is_left_and_nothing_else(tmp_path_factory, kind, suffix, rule, blocks) -> None:
    place, folder = world(kind), tmp_path_factory.mktemp("files")

    def write(frame: pd.DataFrame, name: str):
        path = folder / f"{name}{suffix}"
        frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path, index=False)
        return path

    place.model.save(folder / "model")
    histories = write(place.frame.sort_values("u")[["user", "item", "rating"]], "histories")
    options, left = asked(place, rule, list)
    tables = {name: write(pd.DataFrame({"item": options.pop(name)}), name) for name in ("block", "candidates") if name in options}
    if blocks:
        pairs = [(place.make(user), place.make(n)) for user, items in blocks.items() for n in items]
        tables["block"] = write(pd.DataFrame(pairs, columns=["user", "item"]), "mine")
        left |= rule.get("block", set()) & asked(place, {**rule, "block": set()}, list)[1]
    recommend(Request(folder / "model", k=ITEMS, **tables, **options), histories, folder / "out.parquet")
    lists = pd.read_parquet(folder / "out.parquet")
    for user in range(USERS):
        found = place.numbers(lists[lists.user.astype(str) == str(place.make(user))])
        assert found == left - set(place.frame[place.frame.u == user].i) - blocks.get(user, set())
