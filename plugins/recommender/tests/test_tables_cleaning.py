"""From frames to logs: what counts, what is merged, what is refused."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaehub.errors import UsageError
from vaehub_recommender.tables import Columns, interaction_log, log, read_table, training_log

DATA = Path(__file__).parents[3].parent / "shared/data"
NAN = np.nan


def frame(**columns):
    return pd.DataFrame({"user": ["u", "v", "u"], "item": [3, 1, 1]} | columns)


def dense(found):
    return found.matrix.toarray().tolist()


def test_pairs_become_rows():
    found = training_log(frame(), Columns())
    assert found.users.values.tolist() == ["u", "v"]
    assert found.items.values.tolist() == [1, 3]
    assert dense(found) == [[1, 1], [1, 0]]
    assert found.times is None
    assert found.tally.lines() == ["3 rows: 3 interactions of 2 users with 2 items"]


def test_duplicates_are_merged_and_counted():
    double = pd.concat([frame(weight=[2, 1, 3.5], time=[5, 6, 7])] * 2 + [frame(weight=1.0, time=[1, 1, 9])])
    plain = training_log(double, Columns())
    assert dense(plain) == [[1, 1], [1, 0]]
    assert plain.tally.duplicates == 6
    assert plain.times.tolist() == [9 * 10**9, 5 * 10**9, 6 * 10**9]
    assert dense(training_log(double, Columns(weight="weight"))) == [[8, 5], [3, 0]]
    assert plain.tally.lines()[1] == "6 duplicate rows merged"


def test_ratings_choose_rows_and_weigh_nothing():
    found = interaction_log(frame(rating=[5, 3.5, 4]), Columns(min_rating=4, weight="rating"))
    assert dense(found) == [[1, 1]]
    assert found.tally.below_rating == 1
    assert dense(interaction_log(frame(rating=[5, -3, 0]), Columns())) == [[1, 1], [1, 0]]
    flags = interaction_log(frame(liked=[True, False, True]), Columns(weight="liked", min_rating=1))
    assert flags.tally.interactions == 2
    assert interaction_log(frame(rating=["True", "false", "TRUE"]), Columns(min_rating=1)).tally.interactions == 2
    assert interaction_log(frame(rating=pd.Categorical([4, 5, 3])), Columns(min_rating=4)).tally.interactions == 2


NAMES = {
    "movielens": ["userId", "movieId", "rating", "timestamp"],
    "capitals": ["USER_ID", "Item ID", "Rating", "Timestamp"],
    "shop": ["customer_id", "sku", "count", "date"],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_columns_are_found_by_their_usual_names(names):
    assert Columns(min_rating=1).resolve(["x", *names]) == Columns(*names, min_rating=1)
    assert Columns().resolve(names) == Columns(names[0], names[1], None, names[3])


def test_a_time_in_doubt_is_not_used():
    assert Columns().resolve(["user", "item", "date", "time"]).time is None
    with pytest.warns(UserWarning, match=r"'time' is not used as time.*row 1: .* is no time"):
        assert training_log(frame(time=[1, NAN, 2]), Columns()).times is None


STAMPS = pd.Series(pd.to_datetime(["2021-01-01", "2021-01-02", "2021-01-03"]))
SECONDS = (STAMPS - pd.Timestamp(0)) // pd.Timedelta("1s")
TIMES = {
    "stamps": STAMPS,
    "a zone": STAMPS.dt.tz_localize("UTC"),
    "text": STAMPS.astype(str),
    "dates": STAMPS.dt.date,
    "seconds": SECONDS,
    "fractions": SECONDS + 0.0,
    "milliseconds": SECONDS * 1000,
    "microseconds": SECONDS * 10**6,
    "nanoseconds": SECONDS * 10**9,
    "nullable": SECONDS.astype("Int64"),
    "arrow": SECONDS.astype("int64[pyarrow]"),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_of_any_kind_are_nanoseconds(times):
    found = training_log(frame(when=times), Columns(time="when"))
    assert found.times.tolist() == STAMPS.dt.as_unit("ns").astype("int64").iloc[[2, 0, 1]].tolist()


BAD = {
    "no frame": ([(1, 2)], {}, "list given; give a DataFrame"),
    "no rows": (frame()[:0], {}, "no rows"),
    "no columns": (pd.DataFrame(index=[1]), {}, r"no column looks like the user column \(columns: none\); name it with user="),
    "no user column": (
        frame().rename(columns={"user": "who"}),
        {},
        r"no column looks like the user column.*'who', 'item'.*user=",
    ),
    "two user columns": (frame(user_id=1), {}, r"'user' and 'user_id' could both be the user column"),
    "an absent column": (frame(), {"item": "itm"}, r"item='itm': no such column.*did you mean 'item'"),
    "one name twice": (pd.DataFrame([[1, 2, 3]], columns=["user", "user", "item"]), {"user": "user"}, "there 2 times"),
    "one column for two": (frame(), {"user": "item"}, "'item' is named for two"),
    "a rating that is not there": (frame(), {"min_rating": 4}, "no column looks like the weight column.*weight="),
    "a user missing": (frame(user=["u", None, None]), {}, r"row 1, 2: column 'user': .* is no id; drop such rows: frame.dropna"),
    "many missing": (pd.DataFrame({"user": 1, "item": [NAN] * 9}), {}, "row 0, 1, 2 and 6 more"),
    "a list for a user": (frame(user=[[1], [2], [3]]), {}, r"row 0: \[1\] \(list\) is no id"),
    "a list among items": (frame(item=[[1], "x", [3]]), {}, "history 1: 'x' is no list of items"),
    "a negative weight": (frame(weight=[1, -2, 3]), {"weight": "weight"}, r"row 1: column 'weight': -2 is no weight.*min_rating"),
    "a zero weight": (frame(weight=[1, 2, 0.0]), {"weight": "weight"}, "row 2: column 'weight': 0.0 is no weight"),
    "no finite weight": (frame(weight=[np.inf, 1, NAN]), {"weight": "weight"}, "row 2: column 'weight': nan is no number"),
    "an infinite weight": (frame(weight=[np.inf, 1, 2]), {"weight": "weight"}, "row 0: column 'weight': inf is no weight"),
    "too large a weight": (frame(weight=[1e300, 1, 2]), {"weight": "weight"}, "row 0: .* is no weight"),
    "text for a weight": (frame(weight=["1", "many", "2"]), {"weight": "weight"}, "row 1: column 'weight': .* is no number"),
    "nothing of that rating": (frame(rating=1), {"min_rating": 4}, "none of 3 rows has rating >= 4"),
    "one user": (frame(user=1), {}, "all 3 rows are of one user"),
    "one item": (frame(item=1), {}, "all 3 rows are of one item"),
    "a time missing": (frame(when=[1, NAN, 2]), {"time": "when"}, "row 1: column 'when': nan is no time"),
    "no times": (
        frame(when=["soon", "later", "now?"]),
        {"time": "when"},
        "row 0, 1, 2: column 'when': 'soon' cannot be read as a time",
    ),
    "a time that is none": (
        frame(when=["2024-01-01", "01/13/2024", "now?"]),
        {"time": "when"},
        "row 2: column 'when': 'now\\?' cannot",
    ),
    "day or month first": (
        frame(when=["13/01/2024", "01/13/2024", "01/02/2024"]),
        {"time": "when"},
        "row 1: .*begins with the month",
    ),
    "flags for times": (frame(when=[True, False, True]), {"time": "when"}, "row 0: column 'when': True cannot be read as times"),
}


@pytest.mark.parametrize(("given", "columns", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_named(given, columns, message):
    with pytest.raises(UsageError, match=message) as error:
        training_log(given, Columns(**columns))
    assert "\n" not in str(error.value)


def test_one_user_is_no_reason_not_to_collect():
    assert interaction_log(frame(user=1), Columns()).tally.users == 1


def test_rows_end_beyond_two_to_the_31():
    assert log.indptr_of(np.full(3, 2**30)).tolist() == [0, 2**30, 2**31, 3 * 2**30]
    assert log.indptr_of(np.ones(2, np.int32)).dtype == np.int64
    matrix = training_log(frame(), Columns()).matrix
    for made in (matrix[[1, 0]], matrix[:, [1]], matrix.copy(), matrix @ matrix.T, matrix.tocoo().tocsr()):
        assert made.indptr.dtype == np.int64


def test_pairs_beyond_two_to_the_31_do_not_collide():
    users, items = np.array([70_000, 0, 70_000]), np.array([70_000, 1, 69_999])
    merged = log.merge(users, items, (70_001, 70_001))
    assert merged.matrix.nnz == 3
    assert merged.matrix[[70_000]].indices.tolist() == [69_999, 70_000]


def test_sums_of_weights_stay_finite():
    given = pd.DataFrame({"user": [1, 1, 2], "item": [1, 1, 2], "weight": [3e38, 3e38, 1]})
    assert np.isfinite(training_log(given, Columns(weight="weight")).matrix.data).all()


@pytest.mark.skipif(not DATA.exists(), reason="no data beside the checkout")
def test_real_tables():
    columns = Columns(weight="ge4", min_rating=1)
    movies = training_log(read_table(DATA / "ml1m/interactions.parquet", columns), columns)
    assert (movies.tally.users, movies.tally.items, movies.tally.interactions) == (6038, 3533, 575_281)
    assert movies.users.values.dtype == np.int16
    web = training_log(read_table(DATA / "msweb/interactions.parquet"), Columns())
    assert web.tally.duplicates == 1997


def test_a_million_rows_are_understood_soon():
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame({"user": rng.integers(0, 100_000, 10**6), "item": rng.integers(0, 20_000, 10**6)})
    for given, limit in ((numbers, 2.5), (numbers.astype(str), 7.5)):  # five times what is asked for: the machine may be busy
        start = time.process_time()
        training_log(given, Columns())
        assert time.process_time() - start < limit


def test_whole_numbers_that_are_dates_are_read_as_such():
    with pytest.warns(UserWarning, match="'when': 20240101, … are read as dates"):
        found = training_log(frame(when=[20240101, 20240229, 20231231]), Columns(time="when"))
    assert pd.to_datetime(found.times).strftime("%Y-%m-%d").tolist() == ["2023-12-31", "2024-01-01", "2024-02-29"]
    seconds = training_log(frame(when=[20240101, 20240230, 20231231]), Columns(time="when"))  # 30 February is no date
    assert sorted(seconds.times.tolist()) == [20231231 * 10**9, 20240101 * 10**9, 20240230 * 10**9]


def test_a_day_that_may_be_a_month():
    with pytest.warns(UserWarning, match="'02/01/2024', … may begin with the day or the month; read as month first"):
        found = training_log(frame(when=["02/01/2024", "03/01/2024", "04/01/2024"]), Columns(time="when"))
    assert pd.to_datetime(found.times).month.tolist() == [4, 2, 3]
    sure = training_log(frame(when=["02/01/2024", "13/01/2024", "04/01/2024"]), Columns(time="when"))
    assert pd.to_datetime(sure.times).strftime("%d.%m.").tolist() == ["04.01.", "02.01.", "13.01."]


def test_complex_times_are_no_times():
    frame = pd.DataFrame({"user": [1, 2], "item": [1, 2], "time": np.array([1 + 0j, 2 + 0j])})
    with pytest.raises(UsageError, match="is no time"):
        training_log(frame, Columns(time="time"))


def test_complex_weights_are_no_numbers():
    frame = pd.DataFrame({"user": [1, 2], "item": [1, 2], "rating": np.array([1 + 0j, 2 + 0j])})
    with pytest.raises(UsageError, match="is no number"):
        training_log(frame, Columns(weight="rating"))
