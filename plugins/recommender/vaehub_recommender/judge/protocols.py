"""Models put to the test: their lists for held-out users, batch by batch, beside the baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from vaehub import UsageError, evaluation, hints
from vaehub_recommender.closed_form import gram
from vaehub_recommender.domain import source_of
from vaehub_recommender.judge.baselines import ByEase, ByPopularity, Ranking
from vaehub_recommender.judge.items import LIST, Items
from vaehub_recommender.judge.judged import Judged
from vaehub_recommender.judge.metrics import USUAL, Integers, deepest, metrics
from vaehub_recommender.judge.scorecard import Scorecard
from vaehub_recommender.leakage import check_leakage
from vaehub_recommender.rank import Ranker, csr_tensor, top

if TYPE_CHECKING:
    from vaehub import TrainedModel
    from vaehub_recommender.held_out import HeldOut, Split

PENALTIES = (200.0, 300.0, 500.0, 1000.0)
PENALTY = 500.0  # where none is chosen
SEARCHED_ITEMS = 10_000  # up to here several penalties are tried: each takes 15 s on two cores
EASE_ITEMS = 25_000  # up to here there is EASE at all
CHOSEN_BY = "ndcg@100"


def judge(
    models: Mapping[str, Ranking],
    held: HeldOut,
    train: csr_array,
    names: Sequence[str] = USUAL,
    *,
    share: float | None = None,
    notes: Sequence[str] = (),
) -> Judged:
    """Measures of every model's lists for held-out users, made from their histories and never holding any of these.

    Arguments:
        models: {name: ranking}; a ranking gives scores of histories (B, I), some rows at a time.
        held: the users.
        train: (U, I) the interactions that the models learnt from, which say how popular an item is.
        names: measures, see `metrics`.
        share: n_test/n_train for comparisons of several splits; by default users over users.
        notes: what a reader should know.

    Raises:
        UsageError: no user has anything held out, or there is no model.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.splits import strong
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> split = strong(training_log(film_ratings(), Columns()).matrix, held_out=10)
        >>> judge({"popularity": ByPopularity(split.train)}, split.test, split.train, ["ndcg@10"]).models
        ['popularity']
    """
    lengths = np.diff(held.targets.indptr)
    if not models or not lengths.any():
        raise UsageError(
            f"judge: {len(models)} models, {lengths.sum()} items held out of {len(lengths)} users; give one or more of each"
        )
    items = Items.of(train)
    scorecards = {name: scorecard_of(ranking, held, items, names) for name, ranking in models.items()}
    history = pd.Series(np.diff(held.history.indptr))[lengths > 0]
    share = len(lengths) / train.shape[0] if share is None else share
    return Judged(scorecards, history, items, int((lengths == 0).sum()), share, tuple(notes))


def scorecard_of(ranking: Ranking, held: HeldOut, items: Items, names: Sequence[str]) -> Scorecard:
    """What one model gets."""
    parts, starts = [], []
    for rows, lists in ranked_lists(ranking, held.history, max(LIST, deepest(names))):
        parts.append(Scorecard.of(lists, held.history[rows], held.targets[rows], items, names))
        starts.append(rows.start)
    return Scorecard.together(parts, starts)


def ranked_lists(ranking: Ranking, seen: csr_array, k: int) -> Iterator[tuple[slice, Integers]]:
    """The k best items that are not in each history (B, I): rows and lists (b, min(k, I))."""
    k = min(k, seen.shape[1])
    for rows, scores in ranking(seen):
        device = scores.block(0, 1).device
        yield rows, top(scores, k, csr_tensor(seen[rows]).to(device))[1].cpu().numpy()


def evaluate(models: Mapping[str, Ranking], split: Split, part: str = "test", names: Sequence[str] = USUAL) -> Judged:
    """Models beside EASE and popularity on what is held out.

    Arguments:
        models: {name: ranking}, see `judge`.
        split: what was learnt from and what is held out.
        part: "val" or "test".
        names: measures, see `metrics`.

    Raises:
        UsageError: as `judge` does, for another part, and for a model called like a baseline.

    Example:
        >>> from vaehub_recommender.example import film_ratings
        >>> from vaehub_recommender.splits import strong
        >>> from vaehub_recommender.tables import Columns, training_log
        >>> split = strong(training_log(film_ratings(), Columns()).matrix, held_out=10)
        >>> evaluate({}, split, names=["ndcg@10"]).models
        ['EASE', 'popularity']
    """
    parts = {"val": split.val, "test": split.test}
    if part not in parts:
        raise UsageError(f"split {part!r}: nothing is held out of it to judge lists by; {hints.did_you_mean(part, parts)}")
    beside, note = baselines(split.train, split.val)
    taken = sorted(models.keys() & beside.keys())
    if taken:
        raise UsageError(f"model {taken[0]!r}: a baseline has this name; give it another")
    return judge(
        {**models, **beside},
        parts[part],
        split.train,
        names,
        share=tested_share(split, parts[part]),
        notes=[note, *leakage_notes(split)],
    )


def tested_share(split: Split, held: HeldOut) -> float:
    """n_test/n_train: of interactions where the users are trained on too, else of users."""
    return held.targets.nnz / split.train.nnz if split.known_users else len(held) / len(split.users)


def leakage_notes(split: Split) -> list[str]:
    """What the check of the split for leakage has found, line by line."""
    verdict, *counts = check_leakage(split).lines()
    return [f"Split: {verdict}", *(f"  {count}" for count in counts)]


def evaluate_run(run: TrainedModel, part: str, names: tuple[str, ...] = USUAL) -> Judged:
    """A trained run beside EASE and popularity on what its domain keeps from it, judged once; needs the training data."""
    return judged_once(run, part, names)


@evaluation.cached_per_run
def judged_once(run: TrainedModel, part: str, names: tuple[str, ...]) -> Judged:
    """The same, which has one key for the same names."""
    source = source_of(run.domain)
    rank = partial(Ranker(run).batches, side=source.data(part).side)
    return evaluate({"model": rank}, source.split, part, names)


def baselines(train: csr_array, val: HeldOut) -> tuple[dict[str, Ranking], str]:
    """EASE and popularity by name, and what is to be said of them."""
    popularity, items = ByPopularity(train), train.shape[1]
    if items > EASE_ITEMS:
        return {"popularity": popularity}, f"EASE is left out: weights between {items:,} items need {4e-9 * items**2:.0f} GB."
    ease, how = chosen_ease(train, val)
    return {"EASE": ease, "popularity": popularity}, f"EASE has penalty {ease.penalty:g}, {how}."


def chosen_ease(train: csr_array, val: HeldOut) -> tuple[ByEase, str]:
    """EASE with the penalty that ranks best for the validation users, and how that was chosen."""
    products = gram(train)
    if len(products) > SEARCHED_ITEMS or not val.targets.nnz:
        return ByEase(products, PENALTY), "not searched for"
    tried = (ByEase(products.clone(), penalty) for penalty in PENALTIES)
    return max(tried, key=lambda ease: mean_ndcg(ease, val)), "the best on validation users"


def mean_ndcg(ranking: Ranking, held: HeldOut) -> float:
    """Mean NDCG@100."""
    parts = [
        metrics(lists, held.targets[rows], [CHOSEN_BY])
        for rows, lists in ranked_lists(ranking, held.history, deepest([CHOSEN_BY]))
    ]
    return float(pd.concat(parts)[CHOSEN_BY].mean())
