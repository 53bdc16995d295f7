"""What re-ranking costs and gives: NDCG@20 against likeness within lists, distance from the user's genres, and popularity, on MovieLens 100K.

EASE is trained on the users who are learnt from and lists of 20 are made for the strangers of every split (see protocol.py); the table has means over
splits. Likeness: mean cosine of two items of a list by who has them in training. Calibration error: KL(p, q~) of genres of history and list
(Steck, 2018), with alpha = 0.01. Popularity: mean share of training users who have an item of the list. All but the first are better when lower.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from measure import CONFIGS, row, table
from protocol import SEED, options_of, split
from scipy.sparse import csr_array

from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.rerank import MMR, Calibration, PopularityPenalty, Reranker
from vaehub_recommender.rerank.calibration import SMOOTHING
from vaehub_recommender.splits import Split

K = 20
WAYS: dict[str, list[Reranker]] = {
    "as ranked": [],
    **{f"MMR({share})": [MMR(share)] for share in (0.9, 0.7, 0.5, 0.3)},
    **{f"Calibration({strength})": [Calibration("genre", strength)] for strength in (0.3, 0.6, 0.8, 0.95)},
    **{f"PopularityPenalty({strength})": [PopularityPenalty(strength)] for strength in (0.05, 0.1, 0.2, 0.4)},
    "MMR(0.7), Calibration(0.6), PopularityPenalty(0.05)": [MMR(0.7), Calibration("genre", 0.6), PopularityPenalty(0.05)],
}
FIGURES = ("NDCG@20", "likeness", "calibration error", "popularity")


def genres_of(path: str) -> pd.DataFrame:
    """item, genre: from u.item of the archive, where each of the last 19 columns is a flag."""
    films = pd.read_csv(path, sep="|", header=None, encoding="latin-1")
    flags = films.iloc[:, 5:].to_numpy(bool)
    return pd.DataFrame({"item": films[0], "genre": ["|".join(f"genre {g}" for g in np.flatnonzero(one)) for one in flags]})


def shares(genres: pd.Series) -> np.ndarray:
    """p(g|i) (I, G) of the items."""
    flags = genres.str.get_dummies("|").to_numpy(float)
    return flags / np.maximum(flags.sum(1, keepdims=True), 1)


def figures(lists: np.ndarray, rows: Split, kinds: np.ndarray) -> list[float]:
    """The four figures of lists (B, K)."""
    train = rows.train.tocsc()
    counts = np.diff(train.indptr)
    products = (train.T @ train).toarray() / np.sqrt(np.outer(counts, counts))
    likeness = np.mean([(products[np.ix_(one, one)].sum() - K) / (K * (K - 1)) for one in lists])
    own = rows.test.history @ kinds
    own /= own.sum(1, keepdims=True)
    listed = kinds[lists].sum(1)
    mixed = (1 - SMOOTHING) * listed / listed.sum(1, keepdims=True) + SMOOTHING * own
    divergence = np.where(own > 0, own * np.log(np.where(own > 0, own, 1) / np.maximum(mixed, 1e-300)), 0).sum(1)
    ndcg = metrics(lists, rows.test.targets, [f"ndcg@{K}"]).mean().item()
    return [ndcg, float(likeness), float(divergence.mean()), float((counts / train.shape[0])[lists].mean())]


def main() -> None:
    """A row for every way."""
    parser = options_of(__doc__)
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    films = genres_of(str(options.data / "ml100k" / "u.item"))
    found: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for seed in range(SEED, SEED + options.splits):
        log, rows = split("ml-100k", options.data, seed)
        ids = log.items.take(rows.items)
        pairs = rows.train.tocoo()
        frame = pd.DataFrame({"user": pairs.row, "item": ids[pairs.col]})
        known = films.set_index("item").reindex(ids).reset_index(names="item").fillna("")
        model = Recommender(CONFIGS / "recommender_ease.yaml", **{"decoder.penalty": 200}).fit(frame, items=known)
        histories = [ids[one.indices].tolist() for one in map(csr_array, rows.test.history)]
        for name, rerank in WAYS.items():
            lists = pd.Index(ids).get_indexer(model.recommend(histories, k=K, rerank=rerank)["item"]).reshape(-1, K)
            found[name].append(figures(lists, rows, shares(known["genre"])))
    table("lists", *FIGURES)
    for name, all_splits in found.items():
        row(name, *map(float, np.mean(all_splits, 0)))


if __name__ == "__main__":
    main()
