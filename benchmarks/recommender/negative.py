"""Whether what users rated low is a signal: the linear part applied to signed histories, on MovieLens 100K, strong generalisation.

EASE is trained on ratings of 4 and more. A stranger's score is (x+ + factor x-) B with x- the items rated below 4; the factor is the best of
several of both signs on validation users. What was rated low is seen, so all but the first column leave it out of the lists.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from measure import row, table
from protocol import RATINGS, SEED, options_of, split
from scipy.sparse import csr_array

from vaehub_recommender.closed_form import gram, solve
from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.judge.uncertainty import over_splits
from vaehub_recommender.splits import HeldOut

PENALTY = 200.0
FACTORS = (-1.0, -0.5, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def ndcg(scores: np.ndarray, held: HeldOut, seen: csr_array) -> float:
    """Mean NDCG@100 of the lists by scores (B, I)."""
    lists = np.argsort(-np.where(seen.toarray() > 0, -np.inf, scores), 1, kind="stable")[:, :100]
    return float(metrics(lists, held.targets, ["ndcg@100"]).mean().item())


def main() -> None:
    """A row for every split, and the means."""
    parser = options_of(__doc__)
    options = parser.parse_args()
    ratings = RATINGS["ml-100k"]
    frame = pd.read_parquet(options.data / ratings.file)
    low = frame[frame[ratings.liked] < ratings.least]
    table("split", "may be listed again", "left out", "with the factor", "factor")
    found = []
    for seed in range(SEED, SEED + ratings.splits):
        log, rows = split("ml-100k", options.data, seed)
        at = log.users.positions(low["user_id"]), pd.Index(log.items.take(rows.items)).get_indexer(low["item_id"])
        there = (at[0] >= 0) & (at[1] >= 0)
        disliked = csr_array((np.ones(there.sum()), (at[0][there], at[1][there])), shape=(len(log.users), len(rows.items)))
        weights = solve(gram(rows.train), PENALTY)[0].numpy()
        val, test = (
            {
                f: ndcg((held.history + f * disliked[held.users]) @ weights, held, held.history + disliked[held.users])
                for f in FACTORS
            }
            for held in (rows.val, rows.test)
        )
        best = max(FACTORS, key=lambda factor: val[factor])
        found.append((ndcg(rows.test.history @ weights, rows.test, rows.test.history), test[0.0], test[best], best))
        row(seed, *found[-1])
    row("mean", *map(float, np.mean(found, 0)))
    gain = pd.DataFrame({"ndcg@100": [signed - plain for _, plain, signed, _ in found]})
    interval = over_splits(gain, ratings.strangers / rows.train.shape[0]).loc["ndcg@100"]
    print(f"\nwith the factor - left out: {gain.mean().item():+.4f}, 95 % {interval.low:+.4f} … {interval.high:+.4f}")


if __name__ == "__main__":
    main()
