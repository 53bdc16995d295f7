"""What `Recommender().fit` costs on a generated table of 5,000 users x 2,000 items, and what it chose there.

Users of 20 tastes: a history is drawn by popularity, half of it within the taste. `--config` times a config instead.
"""

from __future__ import annotations

from argparse import ArgumentParser

import numpy as np
import pandas as pd
import pytorch_lightning  # noqa: F401  the first import takes seconds, which are no model's
from measure import clocks, row, table
from shapes import Shape, histories

from vaehub_recommender import Recommender

TASTES = 20


def likes(shape: Shape) -> pd.DataFrame:
    """user, item: half of every history is moved to items of the user's taste."""
    drawn = histories(shape).tocoo()
    users, items = (at.astype(np.int64) for at in drawn.coords)
    moved = np.random.default_rng(1).random(len(users)) < 0.5
    items[moved] += (users[moved] - items[moved]) % TASTES
    return pd.DataFrame({"user": users, "item": items % shape.items}).drop_duplicates()


def main() -> None:
    """One row."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--config")
    parser.add_argument("--shape", type=float, nargs=3, default=(5_000, 2_000, 30), metavar=("USERS", "ITEMS", "LENGTH"))
    options = parser.parse_args()
    users, items, length = options.shape
    frame = likes(Shape(int(users), int(items), length))
    started = clocks()
    recommender = Recommender(options.config).fit(frame)
    seconds, cpu = clocks() - started
    table("users x items, interactions", "seconds", "CPU s", "model")
    name = recommender.choice.chosen if recommender.choice else options.config
    row(f"{users:,.0f} x {items:,.0f}, {len(frame):,}", f"{seconds:.1f}", f"{cpu:.1f}", name)
    print(*(recommender.choice.lines() if recommender.choice else []), sep="\n")


if __name__ == "__main__":
    main()
