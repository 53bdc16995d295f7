"""A cut in time: what is learnt lies before it, and nothing after it changes what was learnt."""

import numpy as np
import pandas as pd
import pytest

from vaehub import UsageError, load_config
from vaehub_recommender.domain import Recommendation
from vaehub_recommender.leakage import check_leakage
from vaehub_recommender.tables import Columns, training_log
from vaehub_recommender.temporal import temporal

AT = "2024-07-01"
COLUMNS = Columns(time="time")


def pairs(log, split, held=None):
    """The pairs of ids of training, or of what is held out."""
    rows, users = (split.train, split.users) if held is None else (held.targets, held.users)
    at = np.repeat(users, np.diff(rows.indptr))
    return set(zip(log.users.take(at), log.items.take(split.items[rows.indices]), strict=True))


@pytest.fixture(scope="module")
def log(liked):
    return training_log(liked, COLUMNS)


def test_training_is_before_validation_and_that_before_the_test(liked, log):
    split = temporal(log, AT)
    when = liked.set_index(["user", "item"])["time"]
    learnt, chosen, asked = (when.loc[list(pairs(log, split, held))] for held in (None, split.val, split.test))
    assert learnt.max() < chosen.min() <= chosen.max() < pd.Timestamp(AT) <= asked.min()
    assert check_leakage(split).clean
    assert split.known_users


def test_who_is_judged_is_shown_all_of_theirs_before_the_cut(liked, log):
    split = temporal(log, AT)
    before = liked[liked["time"] < AT]
    known = set(log.items.take(split.items))
    for row, user in enumerate(split.test.users):
        shown = set(log.items.take(split.items[split.test.history[[row]].indices]))
        assert shown == known & set(before[before["user"] == log.users.take([user])[0]]["item"])


def test_new_users_and_items_are_counted(liked):
    later = pd.DataFrame({"user": ["new", "new", "viewer 0001"], "item": ["Noir film 01", "unheard of", "unheard of"]})
    frame = pd.concat([liked, later.assign(time=pd.Timestamp("2026-01-01"))])
    notes = temporal(training_log(frame, COLUMNS), AT).notes
    plain = temporal(training_log(liked, COLUMNS), AT).notes

    def new(note):
        return int(note.split()[0])

    assert [new(a) - new(b) for a, b in zip(notes[1:], plain[1:], strict=True)] == [1, 1]


def test_nothing_of_the_future_changes_what_is_learnt(liked):
    """Whatever happens from the cut on, other items, other users: the same to learn from and to choose by."""
    future = liked["time"] >= AT
    shuffled = liked.copy()
    shuffled.loc[future, "item"] = shuffled.loc[future, "item"].sample(frac=1, random_state=0).to_numpy()
    other = pd.concat([shuffled, pd.DataFrame({"user": ["x"], "item": ["0 comes first"], "time": [pd.Timestamp("2024-12-31")]})])
    scores = []
    for table in (liked, other.drop_duplicates(["user", "item"])):
        log = training_log(table.sort_values("time"), COLUMNS)
        split = temporal(log, AT)
        scores.append((pairs(log, split), pairs(log, split, split.val), sorted(log.items.take(split.items))))
    assert scores[0] == scores[1]


def test_a_share_of_the_interactions(log):
    for share in (0.5, "0.8"):
        split = temporal(log, share)
        before = int(split.notes[0].split(": ")[1].split()[0].replace(",", ""))
        assert abs(before / log.matrix.nnz - float(share)) < 0.02


def test_evaluate_by_time(recommender):
    judged = recommender.evaluate("temporal", at=AT)
    assert judged.models == ["model", "EASE", "popularity"]
    assert any(line.startswith("  cut at 2024-07-01") for line in judged.lines())
    with pytest.raises(UsageError, match="only protocol 'temporal' has a cut"):
        recommender.evaluate("strong", at=AT)


def test_domain_option(liked, tmp_path):
    liked.to_csv(tmp_path / "likes.csv", index=False)
    domain = Recommendation(path=str(tmp_path / "likes.csv"), split="temporal", at=AT)
    assert domain.source.split.notes[0].startswith(f"cut at {AT}")
    read = load_config("recommender_ease", ["domain.split=temporal", f"domain.at={AT}"])  # YAML makes it a date
    assert read.domain.options["at"] == AT
    with pytest.raises(UsageError, match=r"set domain\.split=temporal"):
        Recommendation(at=AT)


@pytest.mark.parametrize(
    ("at", "message"),
    [("soon", "no time; give a date"), (True, "no time"), ("1999-01-01", "0 of .* before it; they are from 2024")],
)
def test_bad_cuts(log, at, message):
    with pytest.raises(UsageError, match=message):
        temporal(log, at)


def test_no_times(liked):
    with pytest.raises(UsageError, match="there are no times"):
        temporal(training_log(liked.drop(columns="time"), Columns()), AT)
