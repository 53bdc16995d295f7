"""What else is known of users and items becomes numbers, the same ones for the same rows."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub.errors import UsageError
from vaehub_recommender.side_features import SideFeatures
from vaehub_recommender.tables import Ids
from vaehub_recommender.traits import Category, content_trait_of, item_trait_of

USERS = Ids.of(["u", "v", "w"])
FRAME = pd.DataFrame(
    {
        "user": ["w", "u", "v", "x"],
        "age": [30, 10, 20, 999],
        "sex": ["F", "M", None, "other"],
        "likes": ["A|B", "B", "", "C"],
        "since": pd.to_datetime(["2021-01-01", "2021-01-03", None, "2050-01-01"]),
        "pays": [True, False, True, True],
    }
)


def fitted(frame=FRAME):
    return SideFeatures.fit(frame, None, USERS)


def test_numbers_flags_dates_and_words():
    features, matrix = fitted()
    assert matrix.dtype == np.float32
    assert matrix.shape == (3, features.width) == (3, 7)
    assert np.allclose(matrix[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5))
    assert matrix[:, 1:5].tolist() == [[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 1]]
    assert matrix[:, 5].tolist() == [1, 0, -1]
    assert np.allclose(matrix[:, 6], np.array([-1, 0.5, 0.5]) * np.sqrt(2))


def test_rows_alone_are_the_same_as_together():
    features, matrix = fitted()
    assert features.of(FRAME)[[1, 2, 0]].tolist() == matrix.tolist()
    assert features.of(FRAME[1:2]).tolist() == matrix[:1].tolist()
    assert features.of(FRAME.assign(sex="unheard of"))[:, 1:3].sum() == 0
    assert features.of_ids(FRAME, Ids.of(["v"])).tolist() == matrix[1:2].tolist()


def test_features_come_back_from_json():
    features, matrix = fitted()
    again = SideFeatures.from_json(json.loads(json.dumps(features.to_json())))
    assert again == features
    assert again.of_ids(FRAME, USERS).tolist() == matrix.tolist()
    for damaged in ({}, {"column": "user"}, {"column": "user", "traits": [{"kind": "spam"}]}, {"column": "u", "traits": [1]}):
        with pytest.raises(UsageError, match="damaged"):
            SideFeatures.from_json(damaged)


def test_categories_of_numbers_are_words():
    features, _ = fitted(FRAME.assign(age=pd.Categorical(FRAME["age"])))
    assert features.traits[0].words == ("10", "20", "30")


def test_users_of_whom_nothing_is_known():
    with pytest.warns(UserWarning, match=r"1 of 3 ids have no row.*column 'user'"):
        _, matrix = fitted(FRAME[:2])
    assert matrix[1].tolist() == [0] * matrix.shape[1]


def test_free_text_is_left_out():
    many = pd.DataFrame({"item": range(200), "title": [f"no. {n}" for n in range(200)], "constant": 1, "year": range(200)})
    with pytest.warns(UserWarning, match="left out: 'title', 'constant'"):
        features, _ = SideFeatures.fit(many, None, Ids.of(range(200)))
    assert [trait.name for trait in features.traits] == ["year"]


BAD = {
    "no ids": (FRAME.drop(columns="user"), "no column looks like the user or item column"),
    "other ids": (FRAME.assign(user=1), r"column 'user': none of its ids \(1, …\) is among those of the interactions \('u', …\)"),
    "no rows": (FRAME[:0], r"none of its ids \(no rows"),
    "two rows": (pd.concat([FRAME, FRAME]), "column 'user': 'u' has 2 rows; keep one for each"),
    "nothing else": (FRAME[["user"]], "no column says anything of use"),
    "nothing of use": (FRAME[["user"]].assign(a=1), r"no column says anything of use \(left out: 'a'\)"),
    "a number too large": (FRAME.assign(age=[1, 2, 3e200, 4]), r"column 'age': 3e\+200 is too large"),
    "a name twice": (
        FRAME.set_axis(["user", "a", "a", "b", "c", "d"], axis=1),
        "column 'a': names of columns are text, each there once",
    ),
    "a name that is no text": (FRAME.rename(columns={"age": 0}), "column 0: names"),
}


@pytest.mark.parametrize(("frame", "message"), BAD.values(), ids=BAD)
def test_bad_tables_are_named(frame, message):
    with pytest.raises(UsageError, match=message) as error:
        fitted(frame)
    assert "\n" not in str(error.value)


def test_another_table_than_at_the_fit():
    features, _ = fitted()
    with pytest.raises(UsageError, match=r"column='sex': no such column"):
        features.of(FRAME.drop(columns="sex"))
    with pytest.raises(UsageError, match="column 'age' is str, the model was fitted with numbers"):
        features.of(FRAME.assign(age="young"))


CELLS = {
    "float64": st.floats(),
    "Int16": st.none() | st.integers(-3, 3),
    "boolean": st.none() | st.booleans(),
    "category": st.none() | st.sampled_from(["x", "y|z"]),
    "str": st.none() | st.text("ab| ", max_size=3),
    "object": st.sampled_from([None, 1, "1", 2.5, True, (1,), b"x", pd.NA]),
    "datetime64[ns, Europe/Rome]": st.none()
    | st.datetimes(pd.Timestamp("1990").to_pydatetime(), pd.Timestamp("2090").to_pydatetime()),
    "timedelta64[ns]": st.none() | st.integers(0, 9),
    "complex128": st.complex_numbers(max_magnitude=3),
    "double[pyarrow]": st.none() | st.floats(allow_nan=False),
}
COLUMN = st.sampled_from(list(CELLS)).flatmap(
    lambda kind: st.lists(CELLS[kind], min_size=4, max_size=4).map(lambda cells: (kind, cells))
)


@pytest.mark.filterwarnings("ignore:side information left out:UserWarning")
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(COLUMN, COLUMN)
def test_any_table_is_read_or_refused(first, second):
    frame = FRAME[["user"]].assign(first=pd.Series(first[1], dtype=first[0]), second=pd.Series(second[1], dtype=second[0]))
    message = refusal(frame)
    assert "\n" not in message
    if message:
        return
    features, matrix = fitted(frame)
    assert np.isfinite(matrix).all()
    assert features.of_ids(frame, USERS).tolist() == matrix.tolist()
    assert SideFeatures.from_json(json.loads(json.dumps(features.to_json()))) == features


def refusal(frame):
    """Why a table is refused, nothing where it is not."""
    try:
        fitted(frame)
    except UsageError as error:
        return str(error)
    return ""


def test_lists_of_words_are_words_between_bars():
    lists = pd.DataFrame({"user": list("uvw"), "g": [["Comedy", "Drama"], [], ["War", "Comedy"]]})
    bars = lists.assign(g=["Comedy|Drama", None, "War|Comedy"])
    features, matrix = SideFeatures.fit(lists, "user", Ids.of(list("uvw")))
    assert features.traits == (Category("g", ("Comedy", "Drama", "War")),)
    assert matrix.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 1]] == SideFeatures.fit(bars, "user", Ids.of(list("uvw")))[1].tolist()


def test_words_are_kinds_and_long_texts_by_whichever_trait():
    column = pd.Series([["War", "Noir"], None, ["War"]], name="g")
    assert content_trait_of(column) == item_trait_of(column) == Category("g", ("Noir", "War"))
    many = pd.Series([[f"word {n}", "film"] for n in range(60)] + [["film"], []], name="g")
    assert item_trait_of(many).encode(many[:1]).sum() > 0
