"""Filters by attribute, windows of time, and scores of pairs."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaehub import UsageError
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.rules import open_at, passing, time_of

FILMS = pd.DataFrame(
    {
        "year": [1985, 1994, 2001, None],
        "genre": ["Comedy", "Comedy|Drama", "Drama", None],
        "free": [True, False, True, False],
        "made": pd.to_datetime(["1985-01-01", "1994-06-01", "2001-01-01", None]),
        "release day": ["mon", "tue", "mon", "sun"],
        "tags": [["a", "b"], ["b"], [], None],
        "stock": pd.Categorical([3, 0, 3, 1]),
    }
)
TRUE = {
    "year >= 1990 and year < 2001": [1],
    "1990 <= year <= 2001": [1, 2],
    "year == 1985 or year == 2001": [0, 2],
    "not year >= 1990": [0, 3],
    "year != 1985": [1, 2, 3],
    "year == None": [3],
    "genre is not None": [0, 1, 2],
    "genre == 'Comedy'": [0],
    "'Comedy' in genre": [0, 1],
    "'Comedy' not in genre": [2, 3],
    "genre in ['Comedy', 'Drama']": [0, 2],
    "genre not in ('Comedy',)": [1, 2, 3],
    "free": [0, 2],
    "not free and year > 1": [1],
    "made >= '1994-06-01'": [1, 2],
    "`release day` == 'mon'": [0, 2],
    "genre == '`x`' or `release day` == \"sun\"": [3],
    "'b' in tags": [0, 1],
    "stock == 3": [0, 2],
    "year > -1": [0, 1, 2],
    "2000 < year": [2],
    "genre < 'D'": [0, 1],
}


@pytest.mark.parametrize(("text", "rows"), TRUE.items(), ids=TRUE)
def test_what_an_expression_is_true_for(text, rows) -> None:
    assert np.flatnonzero(passing(text, FILMS)).tolist() == rows


FALSE = {
    "yeer > 1990": "no column 'yeer' of items; did you mean 'year'",
    "year > '1990'": r"column 'year' holds 1985.0 \(float\), and is compared with '1990' \(str\)",
    "genre == 3": r"column 'genre' holds 'Comedy' \(str\), and is compared with 3 \(int\)",
    "1 in year": "column 'year' holds",
    "made > 'soon'": "column 'made' holds times, 'soon' is none",
    "year": "column 'year' holds no flags",
    "year >": "cannot be read",
    "year > 1990; free": "cannot be read",
    "__import__('os').system('true')": "is not understood",
    "year.max() > 3": "is not understood",
    "(lambda: 1)() > year": "is not understood",
    "year > year": "is not understood",
    "[y for y in year]": "is not understood",
    "year + 1 > 1990": "is not understood",
    "genre in genre": "is not understood",
    "True": "is not understood",
    "": "should be an expression",
    "(" * 4000 + "free" + ")" * 4000: "cannot be read",
    "free and " * 2000 + "free": "characters, at most",
}


@pytest.mark.parametrize(("text", "said"), FALSE.items(), ids=[text[:30] for text in FALSE])
def test_what_no_filter_is(text, said) -> None:
    with pytest.raises(UsageError, match=f"filter: .*{said}") as error:
        passing(text, FILMS)
    assert "\n" not in str(error.value)


WORDS = [
    "year",
    "genre",
    "free",
    "made",
    "stock",
    "tags",
    "`release day`",
    "nothing",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "not",
    "and",
    "or",
    "is",
]
WORDS += [
    "(",
    ")",
    "[",
    "]",
    ",",
    "1990",
    "-1",
    "2.5",
    "1e999",
    "'Comedy'",
    '"',
    "'",
    "`",
    "None",
    "True",
    "lambda:",
    ".",
    "@",
    "2j",
    "\\",
    "\0",
    "\n",
]


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join) | st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_filter_or_one_line_of_error(text) -> None:
    try:
        said = f"filter: {passing(text, FILMS).dtype}"
    except UsageError as error:
        said = str(error)
    assert said.startswith("filter: ")
    assert "\n" not in said


def test_windows_are_open_from_their_beginning_until_before_their_end() -> None:
    windows = pd.DataFrame({"Available From": ["2024-01-01", None, None], "until": ["2024-02-01", "2024-01-15", None]})
    expected = {"2023-12-31": [1, 2], "2024-01-01": [0, 1, 2], "2024-01-15": [0, 2], "2024-02-01": [2]}
    assert {at: np.flatnonzero(open_at(windows, time_of(at))).tolist() for at in expected} == expected
    assert time_of(pd.Timestamp("2024-01-01", tz="Europe/Berlin")) == time_of("2023-12-31T23:00:00Z")
    assert abs(time_of("now") - pd.Timestamp.now("UTC").value) < 10**11
    with pytest.raises(UsageError, match="at: 'soon' is no time"):
        time_of("soon")
    with pytest.raises(UsageError, match="no column of windows"):
        open_at(FILMS, 0)


@pytest.fixture(scope="module")
def films(liked) -> tuple[Recommender, pd.DataFrame]:
    """A recommender that knows genre, number and windows of its films, but for one."""
    names = sorted(liked.item.unique())
    items = pd.DataFrame(
        {"item": names, "genre": [name.split()[0] for name in names], "number": [int(name[-2:]) for name in names]}
    )
    items["from"], items["until"] = "2024-01-01", np.where(items.number % 2, "2025-01-01", None)
    config = {
        "domain": {"name": "recommender", "history": True},
        "encoder": {"name": "bag", "hidden": [8]},
        "latent": 4,
        "decoder": {"name": "ease", "penalty": 20, "base": {"name": "catalogue", "hidden": []}},
        "likelihood": "implicit_multinomial",
        "train": {"epochs": 1, "batch_size": 50, "score_rows": 0},
    }
    with pytest.warns(UserWarning, match="1 of 72 ids have no row"):
        return Recommender(config).fit(liked, items=items[1:]), items[1:]


RULES = {
    "filter": ({"filter": "genre == 'Noir' and number <= 6"}, lambda items: (items.genre == "Noir") & (items.number <= 6)),
    "at": ({"at": "2025-06-01"}, lambda items: items.number % 2 == 0),
    "before": ({"at": "2023-06-01"}, lambda items: items.number < 0),
    "both": ({"at": "2025-06-01", "filter": "number > 3"}, lambda items: (items.number % 2 == 0) & (items.number > 3)),
}


@pytest.mark.parametrize(("rule", "passes"), RULES.values(), ids=RULES)
@pytest.mark.filterwarnings("ignore:no item passes")
def test_lists_and_neighbours_are_those_that_pass(films, rule, passes, tmp_path) -> None:
    model, items = films
    allowed = set(items[passes(items)].item) | ({"Crime film 01"} if "filter" not in rule else set())  # of which nothing is known
    full = model.recommend(k=100)
    expected = full[full.item.isin(allowed)]
    found = model.recommend(k=100, **rule)
    assert found[["user", "item"]].to_numpy().tolist() == expected[["user", "item"]].to_numpy().tolist()
    near = model.similar_items(["Noir film 01", "War film 01"], k=100)
    close = model.similar_items(["Noir film 01", "War film 01"], k=100, **rule)
    assert close.similar.tolist() == near[near.similar.isin(allowed)].similar.tolist()
    model.save(tmp_path / "saved")
    pd.testing.assert_frame_equal(Recommender.load(tmp_path / "saved").recommend(k=100, **rule), found, check_exact=True)


def test_windows_of_a_table_of_their_own(films) -> None:
    model, _ = films
    windows = pd.DataFrame(
        {"item": ["Noir film 01", "Noir film 01", "War film 01"], "until": ["2020-01-01", "2030-01-01", "2020-01-01"]}
    )
    full = model.recommend(k=100)
    found = model.recommend(k=100, available=windows, at="2024-01-01")
    assert found.item.tolist() == full[full.item != "War film 01"].item.tolist()
    assert "War film 01" not in set(model.recommend(k=100, available=windows).item)  # now
    with pytest.raises(UsageError, match="available: the model knows none of 3"):
        model.recommend(available=windows.assign(item="x"))
    table = pa.Table.from_pandas(windows, preserve_index=False)
    assert "War film 01" not in set(model.recommend(k=100, available=table).item)
    with pytest.raises(UsageError, match="available: should be a DataFrame"):
        model.recommend(available=["x"])


def test_a_table_of_windows_alone(liked, linear_config) -> None:
    names = sorted(liked.item.unique())
    windows = pd.DataFrame({"item": names, "until": [f"2024-01-{1 + n % 28:02d} {n % 24:02d}:00" for n in range(len(names))]})
    model = Recommender(linear_config).fit(liked, items=windows)
    left = windows[pd.to_datetime(windows["until"]) > "2024-01-15"]
    assert set(model.recommend(k=100, at="2024-01-15").item) == set(left.item)


def test_neighbours_of_candidates_that_are_not_blocked(films) -> None:
    model, _ = films
    near = model.similar_items("Noir film 01", k=100)
    some, never = near.similar.tolist()[:9], near.similar.tolist()[:4]
    assert model.similar_items("Noir film 01", candidates=some, block=never).similar.tolist() == some[4:]
    with pytest.raises(UsageError, match="block: items by user, and there are no users here"):
        model.similar_items("Noir film 01", block={"a": ["Noir film 01"]})


def test_nothing_is_known_of_items(recommender) -> None:
    for rule in ({"filter": "year > 1"}, {"at": "2024-01-01"}):
        with pytest.raises(UsageError, match="nothing is known of the items"):
            recommender.recommend(**rule)


def test_scores_are_those_of_lists(recommender, liked) -> None:
    lists = recommender.recommend(
        {"new": ["Noir film 01"], "none": []} | {"viewer 0003": ["War film 01"]}, k=100, exclude_seen=False
    )
    found = recommender.score({"new": ["Noir film 01"], "none": [], "viewer 0003": ["War film 01"]}, sorted(liked.item.unique()))
    both = found.merge(lists, on=["user", "item"])
    assert len(both) == len(lists) == len(found)
    assert (both.score_x == both.score_y).all()


def test_scores_of_pairs_come_in_their_order(recommender) -> None:
    lists = recommender.recommend(k=3).sample(frac=1, random_state=0).reset_index(drop=True)
    pd.testing.assert_frame_equal(recommender.score(lists), lists[["user", "item", "score"]], check_exact=True)
    with pytest.raises(UsageError, match="item 'x' is unknown"):
        recommender.score(lists.assign(item="x"))
    with pytest.raises(UsageError, match="users: should be a DataFrame"):
        recommender.score(["viewer 0001"])


def test_a_number_that_no_column_can_hold_is_one_line() -> None:
    for text in ("year >= " + "9" * 400, "year == -" + "9" * 400):
        with pytest.raises(UsageError, match=r"^filter: .*cannot be read"):
            passing(text, FILMS)


def test_backslashes_of_a_text_raise_no_warnings() -> None:
    assert not passing(r"'\d' in genre", FILMS).any()


@pytest.mark.parametrize("blank", ["", "  ", "NaT"])
def test_a_blank_is_no_time(blank) -> None:
    with pytest.raises(UsageError, match=r"^at: .* is no time"):
        time_of(blank)
    with pytest.raises(UsageError, match="row 1: column 'until'"):
        open_at(pd.DataFrame({"until": ["2024-01-01", blank]}), 0)
