"""Strong generalisation of "Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814, on MovieLens.

Ratings of at least 4 stars, users with 5 or more of them; strangers, whose histories the model has never seen, for validation and as many for
the test; 80 % of such a history is given, the rest is to be found. The draws follow the order of the rows in the file, as in the paper's code,
whereas the plugin's own `splits.strong` does not depend on it: the same protocol, other items held out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp

from vaehub_recommender.splits import HeldOut, Split
from vaehub_recommender.tables import Columns, Log, training_log

SEED = 98765  # of the first split, as in the paper's code; the others follow
FEWEST, HELD = 5, 0.2
MEASURES = ("ndcg@100", "recall@20", "recall@50")


class Ratings(NamedTuple):
    """A table of ratings: its file, the column that says what was liked and from which value on, strangers of each kind, and splits."""

    file: str
    liked: str
    least: int
    strangers: int
    splits: int


RATINGS = {
    "ml-1m": Ratings("ml1m/interactions.parquet", "ge4", 1, 600, 5),
    "ml-100k": Ratings("ml100k/ratings.parquet", "rating", 4, 100, 10),
}


def split(name: str, data: Path, seed: int) -> tuple[Log, Split]:
    """All that was liked, and who of those is trained on, chosen by and tested on."""
    ratings = RATINGS[name]
    table = pd.read_parquet(data / ratings.file)
    table = table[table[ratings.liked] >= ratings.least]
    log = training_log(table, Columns("user_id", "item_id", None, None, None))
    pairs = pd.DataFrame({"user": log.users.positions(table["user_id"]), "item": log.items.positions(table["item_id"])})
    return log, strong(pairs[pairs.groupby("user")["item"].transform("size") >= FEWEST], ratings.strangers, seed)


def strong(pairs: pd.DataFrame, strangers: int, seed: int) -> Split:
    """The split of pairs (user, item) in the order of their file."""
    users = pairs["user"].unique()
    np.random.default_rng(seed).shuffle(users)
    test, val, rest = np.split(users, [strangers, 2 * strangers])
    train = pairs[pairs["user"].isin(rest)]
    rows, items = np.unique(train["user"]), np.unique(train["item"])
    known = pairs[pairs["item"].isin(items)]
    held = [hold_out(known[known["user"].isin(who)], items, draw) for who, draw in ((val, 1), (test, 2))]
    dropped = int((~pairs["user"].isin(rest)).sum() - (~known["user"].isin(rest)).sum())
    return Split(rows, matrix(train, rows, items), items, held[0], held[1], known_users=False, dropped=dropped)


def hold_out(pairs: pd.DataFrame, items: np.ndarray, seed: int) -> HeldOut:
    """A fifth of the items of everyone who has five or more."""
    rng = np.random.default_rng(seed)
    pairs = pairs[pairs.groupby("user")["item"].transform("size") >= FEWEST].sort_values("user", kind="stable")
    rows, sizes = np.unique(pairs["user"], return_counts=True)
    starts = np.cumsum(sizes) - sizes
    chosen = [start + rng.choice(n, int(HELD * n), replace=False) for start, n in zip(starts, sizes, strict=True)]
    out = np.isin(np.arange(len(pairs)), np.concatenate(chosen))
    return HeldOut(rows, matrix(pairs[~out], rows, items), matrix(pairs[out], rows, items))


def matrix(pairs: pd.DataFrame, rows: np.ndarray, items: np.ndarray) -> sp.csr_array:
    """Pairs as CSR (users `rows`, `items`)."""
    at = np.searchsorted(rows, pairs["user"]), np.searchsorted(items, pairs["item"])
    return sp.csr_array((np.ones(len(pairs), np.float32), at), shape=(len(rows), len(items)))


def write(rows: Split, folder: Path) -> None:
    """What a peer trains on and what it is to rank, as its own process reads it."""
    for part, histories in (("train", rows.train), ("val", rows.val.history), ("test", rows.test.history)):
        sp.save_npz(folder / f"{part}.npz", histories)


def options_of(about: str | None) -> argparse.ArgumentParser:
    """The options that every script on MovieLens has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument(
        "--cache", type=Path, default=Path("benchmarks.json"), help="results so far; what is there is not computed again"
    )
    return parser
