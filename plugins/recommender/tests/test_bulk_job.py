"""Jobs with a stand-in for the model: what is written, what is skipped, what is done again, and that pieces do not matter."""

from __future__ import annotations

import json
import threading
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from vaehub.errors import UsageError
from vaehub.jobs.manifest import Manifest
from vaehub.jobs.sharded import Work, run_sharded
from vaehub_recommender.bulk.output import Output, RankedBatch
from vaehub_recommender.bulk.recommend import FORM, HISTORIES
from vaehub_recommender.tables import Columns, History, Ids, histories

ITEMS = Ids.of([f"film {n}" for n in range(9)])
K = 4


def table(users, seed=0):
    """Some films for each user, rows of a user together."""
    rng = np.random.default_rng(seed)
    pairs = [(user, f"film {item}") for user in users for item in rng.choice(12, 3, replace=False)]
    return pd.DataFrame(pairs, columns=["user", "item"])


def best(history):
    """A stand-in: the films of least number that the user has not seen; those of an odd number of users are one fewer."""
    seen = history.matrix.toarray() > 0
    order = np.argsort(seen, axis=1, kind="stable")[:, :K]
    items = np.where(np.take_along_axis(seen, order, 1), -1, order)
    return RankedBatch(
        Ids(history.users).arrow(), items, -items.astype(np.float32), (~seen.any(1)).astype(np.int8), int(history.unknown.sum())
    )


class Stand:
    """What is done with each shard; it counts the shards read, and may break."""

    def __init__(self, batch=1000, skip_bad=False):
        self.batch, self.read_shards = batch, []
        self.work = Work(self.read, self.rank, partial(Output, ITEMS.arrow()), "users", skip_bad)

    def read(self, path):
        self.read_shards.append(path.name)
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: torn") from error
        users = frame["user"].unique()
        for at in range(0, max(1, len(users)), self.batch):
            yield histories(frame[frame["user"].isin(users[at : at + self.batch])], ITEMS, Columns())
        if "late" in path.name:
            raise UsageError(f"{path}: torn at the end")

    def rank(self, history):
        yield best(history)

    def run(self, folder, force=False, made_by=None):
        job = HISTORIES.plan(folder / "in", folder / "out")
        manifest = Manifest.open(job, FORM, {"model": "m", "k": K} if made_by is None else made_by, force)
        run_sharded(job, manifest, self.work)


@pytest.fixture
def folder(tmp_path):
    """Three shards; user 3 is in two of them."""
    (tmp_path / "in/deep").mkdir(parents=True)
    table([1, 2, 3]).to_parquet(tmp_path / "in/a.parquet")
    table([3, 4]).to_parquet(tmp_path / "in/b.parquet")
    table([], 0).astype({"user": int, "item": str}).to_parquet(tmp_path / "in/deep/empty.parquet")
    return tmp_path


def outputs(folder):
    return {path.relative_to(folder / "out").as_posix(): pd.read_parquet(path) for path in (folder / "out").rglob("*.parquet")}


def manifest_of(folder):
    return json.loads((folder / "out/_manifest.json").read_text())


def test_a_table_for_each_shard_and_a_manifest(folder):
    Stand().run(folder)
    found = outputs(folder)
    assert sorted(found) == ["a.parquet", "b.parquet", "deep/empty.parquet"]
    assert found["a.parquet"].dtypes.astype(str).to_dict() == {
        "user": "int64",
        "item": "str",
        "rank": "int64",
        "score": "float32",
        "reason": "category",
    }
    assert list(found["deep/empty.parquet"]) == list(found["a.parquet"])
    assert found["b.parquet"]["user"].unique().tolist() == [3, 4]
    entry = manifest_of(folder)["shards"]["a.parquet"]
    assert entry["output"] == "a.parquet"
    assert entry["bytes"] == (folder / "out/a.parquet").stat().st_size
    assert entry["counts"]["users"] == 3
    assert entry["counts"]["rows"] == len(found["a.parquet"])
    assert entry["counts"]["unknown"] == (~table([1, 2, 3])["item"].isin(ITEMS.values)).sum()


def test_ranks_count_from_one_and_seen_items_are_absent(folder):
    Stand().run(folder)
    given, found = table([1, 2, 3]), outputs(folder)["a.parquet"]
    assert not set(map(tuple, given.to_numpy())) & set(map(tuple, found[["user", "item"]].to_numpy()))
    for _, own in found.groupby("user"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert (own["score"].diff().dropna() <= 0).all()


def test_pieces_and_shards_do_not_matter(tmp_path):
    frame = table(range(40))
    results = []
    for name, shards, batch in (("one", 1, 1000), ("seven", 7, 3), ("single", 3, 1)):
        (tmp_path / name / "in").mkdir(parents=True)
        for number, users in enumerate(np.array_split(np.arange(40), shards)):
            frame[frame["user"].isin(users)].to_parquet(tmp_path / name / f"in/{number}.parquet")
        Stand(batch).run(tmp_path / name)
        found = outputs(tmp_path / name)
        results.append(pd.concat([found[key] for key in sorted(found)], ignore_index=True))
    for other in results[1:]:
        pd.testing.assert_frame_equal(results[0], other)


def test_what_is_done_is_not_done_again_unless_it_changed(folder):
    Stand().run(folder)
    before = {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*.parquet")}
    again = Stand()
    again.run(folder)
    assert again.read_shards == []
    table([7]).to_parquet(folder / "in/b.parquet")
    (folder / "out/a.parquet").unlink()
    (folder / "out/deep/empty.parquet").write_bytes(b"torn")
    partly = Stand()
    partly.run(folder)
    assert partly.read_shards == ["a.parquet", "b.parquet", "empty.parquet"]
    assert outputs(folder)["b.parquet"]["user"].unique().tolist() == [7]
    assert all(path.stat().st_mtime_ns > old for path, old in before.items())


@pytest.mark.parametrize(
    ("change", "says"), [({"model": "other", "k": K}, "model='m', now 'other'"), ({"model": "m", "k": 9}, "k=4, now 9")]
)
def test_another_model_or_option_needs_force(folder, change, says):
    Stand().run(folder)
    with pytest.raises(UsageError, match=says):
        Stand().run(folder, made_by=change)
    stand = Stand()
    stand.run(folder, force=True, made_by=change)
    assert len(stand.read_shards) == 3
    assert manifest_of(folder)["made_by"] == change


def test_a_shard_that_is_gone_needs_force_and_then_its_output_goes_too(folder):
    Stand().run(folder)
    (folder / "in/a.parquet").unlink()
    with pytest.raises(UsageError, match=r"1 of its shards are no longer there \(a.parquet"):
        Stand().run(folder)
    Stand().run(folder, force=True)
    assert sorted(outputs(folder)) == ["b.parquet", "deep/empty.parquet"]


def test_an_unreadable_shard_stops_the_job_and_leaves_nothing_of_itself(folder):
    table([8, 9]).to_parquet(folder / "in/late.parquet")
    before = threading.active_count()  # other tests of this process may have left some
    with pytest.raises(UsageError, match=r"late\.parquet: torn at the end"):
        Stand().run(folder)
    assert sorted(outputs(folder)) == ["a.parquet", "b.parquet", "deep/empty.parquet"]
    assert not list((folder / "out").rglob(".*"))
    assert threading.active_count() == before


def test_an_unreadable_shard_is_skipped_if_asked_and_tried_again(folder):
    (folder / "in/bad.parquet").write_bytes(b"PAR1 no")
    table([8, 9]).to_parquet(folder / "in/late.parquet")
    with pytest.warns(UserWarning, match="torn") as told:
        Stand(skip_bad=True).run(folder)
    assert [str(w.message).split("/")[-1] for w in told] == [
        "bad.parquet: torn; left out",
        "late.parquet: torn at the end; left out",
    ]
    assert sorted(manifest_of(folder)["skipped"]) == ["bad.parquet", "late.parquet"]
    assert "late.parquet" not in outputs(folder)
    table([5]).to_parquet(folder / "in/bad.parquet")
    (folder / "in/late.parquet").unlink()
    Stand(skip_bad=True).run(folder)
    assert manifest_of(folder)["skipped"] == {}


def test_a_shard_that_turned_bad_does_not_leave_its_old_output(folder):
    Stand(skip_bad=True).run(folder)
    (folder / "in/a.parquet").write_bytes(b"PAR1 no")
    with pytest.warns(UserWarning, match="left out"):
        Stand(skip_bad=True).run(folder)
    assert sorted(outputs(folder)) == ["b.parquet", "deep/empty.parquet"]


def test_nothing_but_bad_shards_is_an_error(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.parquet").write_bytes(b"no")
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(UsageError, match="none of 1 shards could be read"),
    ):
        Stand(skip_bad=True).run(tmp_path)


def test_a_fault_of_the_model_is_raised_and_nothing_half_is_left(folder):
    stand = Stand()

    def broken(history):
        yield best(history)
        raise RuntimeError("out of memory")

    stand.work = Work(stand.read, broken, partial(Output, ITEMS.arrow()), "users", skip_bad=True)
    with pytest.raises(RuntimeError, match="out of memory"):
        stand.run(folder)
    assert outputs(folder) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "x", "made_by": {}, "shards": {}}', '{"shards": {"a": {"bytes": 1}}}']
)
def test_a_damaged_manifest_is_told_and_can_be_replaced(folder, content):
    (folder / "out").mkdir()
    (folder / "out/_manifest.json").write_text(content)
    with pytest.raises(UsageError, match="manifest"):
        Stand().run(folder)
    Stand().run(folder, force=True)
    assert len(outputs(folder)) == 3


def test_users_of_any_type_come_back_as_they_went_in():
    empty = csr_array((2, 9), dtype=np.float32)
    for users in (pd.Index([7, 8], dtype="int16"), pd.Index(["x", "y"]), pd.Index(pd.to_datetime(["2024-01-01", "2025-01-01"]))):
        batch = best(History(users, empty, np.zeros(2, np.int64))).table(ITEMS.arrow())
        assert batch.column("user").to_pandas().unique().tolist() == users.tolist()
        assert batch.schema.field("user").type == pa.array(users).type
        assert batch.column("reason").to_pylist() == ["popular"] * 8
