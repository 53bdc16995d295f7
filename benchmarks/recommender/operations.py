"""What it costs to record a split, to update and to forget, and how exact these are; and what an exported index finds, on ML-1M.

python benchmarks/recommender/operations.py --data FOLDER
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from measure import CONFIGS
from protocol import RATINGS

import vaehub
from vaehub import UsageError
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.split_record import FILE, SplitRecord

USERS = 10  # who are forgotten or new
NAMES = {"user": "user_id", "item": "item_id"}


def ratings(data: Path) -> pd.DataFrame:
    """user_id and item_id of all that was liked."""
    kind = RATINGS["ml-1m"]
    table = pd.read_parquet(data / kind.file)
    return table.loc[table[kind.liked] >= kind.least, list(NAMES.values())].reset_index(drop=True)


def largest_difference(one: Recommender, other: Recommender) -> float:
    """Of the scores of 200 users on all items."""
    users = one.fitted.users.values[:200].tolist()
    lists = [model.recommend(users, k=10_000, exclude_seen=False) for model in (one, other)]
    first, second = (frame.set_index(["user", "item"])["score"] for frame in lists)
    return float((first - second.reindex(first.index)).abs().max())


def recorded(table: pd.DataFrame, folder: Path) -> None:
    """The split of a run in its folder."""
    table.to_parquet(folder / "ratings.parquet")
    options = {"domain.path": str(folder / "ratings.parquet"), **{f"domain.{key}": name for key, name in NAMES.items()}}
    start = process_time()
    run = vaehub.train(CONFIGS / "recommender_ease.yaml", options, out=folder / "run", progress=False)
    trained = process_time() - start
    start = process_time()
    SplitRecord.of(run.domain.source.log, run.domain.source.split).write(folder / "again.parquet")
    cost, size = process_time() - start, (folder / "run" / FILE).stat().st_size / 1e6
    print(f"record of a split: {cost:.2f} CPU s beside {trained:.1f} of the training of EASE, {size:.1f} MB")
    before = Recommender.load(folder / "run").evaluate().figures()["ndcg@100"]
    new = table[table.user_id.isin(table.user_id.unique()[:600])].assign(user_id=lambda frame: -frame.user_id)
    pd.concat([new, table]).to_parquet(folder / "ratings.parquet")
    with warnings.catch_warnings(action="ignore"):
        after = Recommender.load(folder / "run").evaluate().figures()["ndcg@100"]
    print(f"NDCG@100 of the run {before:.4f}, after 600 users more in its table {after:.4f}")


def forgotten(table: pd.DataFrame) -> None:
    """Some users, by a correction of the linear part and by training anew."""
    gone = table.user_id.unique()[:USERS].tolist()
    left = table[~table.user_id.isin(gone)]
    start = process_time()
    never = Recommender(CONFIGS / "recommender_ease.yaml").fit(left, **NAMES)
    fitted = process_time() - start
    model = Recommender(CONFIGS / "recommender_ease.yaml").fit(table, **NAMES)
    copy = Recommender.of(model.fitted)
    start = process_time()
    copy.forget(gone, refit=False)
    print(f"forget {USERS} users: {process_time() - start:.2f} CPU s, fit of the rest {fitted:.1f}")
    print(f"scores differ by {largest_difference(copy, never):.1e} from that fit")
    start = process_time()
    copy.partial_fit(table[table.user_id.isin(gone)], epochs=0)
    print(f"take them in again: {process_time() - start:.2f} CPU s")
    print(f"scores differ by {largest_difference(copy, model):.1e} from before")


def indexed(table: pd.DataFrame, folder: Path) -> None:
    """The lists of an index beside those of the model, of Mult-VAE after five epochs."""
    model = Recommender(CONFIGS / "recommender_mult_vae.yaml", **{"train.epochs": 5}).fit(table, **NAMES)
    users = model.fitted.users.values[:1000].tolist()
    expected = model.recommend(users, k=100, exclude_seen=False)
    vectors = model.user_vectors(users)
    for kind in ("exact", "faiss"):
        try:
            index = model.export_index(folder / kind, kind)
        except UsageError as error:
            print(error)
            continue
        start = process_time()
        found = index.search(vectors, k=100)
        seconds, same = process_time() - start, found.merge(expected, on=["user", "item"])
        size = sum(path.stat().st_size for path in (folder / kind).iterdir()) / 1e6
        gap = np.abs(same.score_x - same.score_y).max()
        print(f"index {kind}: {len(same) / len(expected):.4f} of the model's top 100, scores differ by {gap:.1e}")
        print(f"index {kind}: {seconds:.2f} CPU s for 1,000 users, {size:.1f} MB")


def main() -> None:
    """All of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    table = ratings(options.parse_args().data)
    with tempfile.TemporaryDirectory() as folder:
        recorded(table, Path(folder))
        forgotten(table)
        indexed(table, Path(folder))


if __name__ == "__main__":
    main()
