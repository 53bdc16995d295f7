"""What a recommender is worth by a protocol.

Letters of shapes: U users, I items, n rows of a log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

import vaehub
from vaehub import UsageError, arguments, hints, load_config
from vaehub_recommender.api.evaluate_cold import evaluate_new_items, evaluate_new_users
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.learn import domain_of
from vaehub_recommender.api.query import require_users, side_of
from vaehub_recommender.choose import choose
from vaehub_recommender.domain import SPLITS, SplitLog
from vaehub_recommender.held_out import HeldOut, Positions, Split
from vaehub_recommender.judge import Judged, SplitsTogether, compare, evaluate
from vaehub_recommender.judge.metrics import USUAL, parse
from vaehub_recommender.judge.off_policy import USUAL_ESTIMATES, OffPolicy
from vaehub_recommender.judge.off_policy import parse as parse_estimate
from vaehub_recommender.judge.protocols import evaluate_run, ranked_lists
from vaehub_recommender.tables import Columns, Log, interaction_log
from vaehub_recommender.tables.bad_rows import reject
from vaehub_recommender.tables.cleaning import nothing_left
from vaehub_recommender.tables.columns import named_column
from vaehub_recommender.tables.given_ids import type_hint
from vaehub_recommender.tables.log import csr
from vaehub_recommender.tables.weights import numbers
from vaehub_recommender.temporal import Moment

MODEL = "model"
DRAWN = ("strong", "random")  # protocols whose splits are drawn by chance
BY_FEATURES = {"new_items": evaluate_new_items, "new_users": evaluate_new_users}


def measure_names(
    given: Sequence[str] | None, usual: tuple[str, ...] = USUAL, parsed: Callable[[str], object] = parse
) -> tuple[str, ...]:
    """The measures that are asked for. Raises UsageError for one that there is not."""
    if given is None:
        return usual
    names = tuple(dict.fromkeys(arguments.sequence("metrics", given)))
    if not names or not all(isinstance(name, str) for name in names):
        raise arguments.wrong_argument("metrics", given, f"names of measures, such as {list(usual[:2])}")
    for name in names:
        parsed(name)
    return names


def evaluate_protocol(fitted: Fitted, protocol: str, names: tuple[str, ...] = USUAL, at: Moment = None) -> Judged:
    """A model like this one, trained without what it is then asked for. Raises UsageError for a protocol that does not exist."""
    require_protocol(protocol, at)
    if protocol in BY_FEATURES:
        return BY_FEATURES[protocol](fitted, names)
    config = require_users(fitted).run.config
    own = config.domain.options
    if fitted.run.path is not None and own["split"] == protocol and own.get("at") == at:
        return evaluate_run(fitted.run, "test", names)  # a run of `vaehub train` was trained without them
    return trained_anew(fitted, protocol, names, config.train.seed, at)


def evaluate_splits(fitted: Fitted, protocol: str, splits: int, names: tuple[str, ...] = USUAL) -> SplitsTogether:
    """Models like this one on several splits, each with a seed of its own for the split and the training.

    Raises UsageError for a protocol that does not exist, or that draws nothing at random.
    """
    require_protocol(protocol)
    if protocol not in DRAWN:
        raise UsageError(
            f"splits={splits}: protocol {protocol!r} has one split and no other; take {' or '.join(map(repr, DRAWN))}"
        )
    seed = require_users(fitted).run.config.train.seed
    return compare([trained_anew(fitted, protocol, names, seed + number) for number in range(splits)])


def require_protocol(protocol: str, at: Moment = None) -> None:
    """Raise UsageError for a protocol that does not exist, and for a cut in time of one that has none."""
    if at is not None and protocol != "temporal":
        raise UsageError(f"at={at!r}: only protocol 'temporal' has a cut in time, not {protocol!r}; leave it out")
    if protocol not in SPLITS and protocol not in BY_FEATURES:
        known = [*SPLITS, *BY_FEATURES]
        raise UsageError(
            f"protocol {protocol!r}: {hints.did_you_mean(protocol, known)}; or give a frame of held-out interactions"
        )


def trained_anew(fitted: Fitted, protocol: str, names: tuple[str, ...], seed: int, at: Moment = None) -> Judged:
    """A model like this one, trained and judged on a split that is drawn with a seed, or cut at a moment."""
    config = load_config(fitted.run.config.to_dict(), {"train.seed": seed})
    cut = {} if at is None else {"at": at}
    split = SPLITS[protocol](fitted.log, None, seed, **cut)
    options = domain_of(config)
    domain = SplitLog(fitted.log, split, options.columns, fitted.frames, options.history, fitted.side)
    if fitted.choice is not None:  # chosen anew, or those who are to be strangers would have had a say in it
        return evaluate_run(choose(domain, fitted.choice.options, fitted.choice.time_limit)[0], "test", names)
    return evaluate_run(vaehub.train(config, domain=domain, progress=False), "test", names)


def evaluate_later(fitted: Fitted, frame: pd.DataFrame, names: tuple[str, ...] = USUAL) -> Judged:
    """This model, by later interactions of the users that it knows. Raises UsageError where there are none."""
    columns = replace(require_users(fitted).columns, time=None)  # times do not matter here
    given = interaction_log(frame, columns)
    if not len(given.users):
        raise UsageError(nothing_left(frame, columns))
    at, place = fitted.users.positions(given.users.values), fitted.items.positions(given.items.values)
    rows, items = np.repeat(at, np.diff(given.matrix.indptr)), place[given.matrix.indices]
    pairs = np.stack([rows, items])[:, (rows >= 0) & (items >= 0)]
    log = fitted.log.matrix
    known = csr(log.data, log.indices, log.indptr, (log.shape[0], len(fitted.items)))  # with what was added by its features
    held = csr_array((np.ones(pairs.shape[1], np.float32), tuple(pairs)), shape=known.shape)
    held -= held * known.astype(bool)
    held.eliminate_zeros()
    if not held.nnz:
        raise UsageError(nothing_new(given, rows, items, fitted))
    users = np.flatnonzero(np.diff(held.indptr))
    if not len(users):
        raise UsageError(
            f"evaluate: nothing is new in the {given.matrix.nnz:,} interactions: all are known already, or of unknown users or items; give later ones"
        )
    notes = (
        f"{given.matrix.nnz - held.nnz:,} of {given.matrix.nnz:,} are of unknown users or items, or known already: left out",
    )
    test = HeldOut(users, known[users], held[users])
    nobody = HeldOut(users[:0], test.history[:0], test.targets[:0])
    everything = np.arange(held.shape[0]), known, np.arange(held.shape[1])
    split = Split(*everything, nobody, test, True, given.matrix.nnz - held.nnz, notes)
    return evaluate({MODEL: partial(fitted.ranker.batches, side=side_of(users, fitted.side))}, split, names=names)


def nothing_new(given: Log, users: Positions, items: Positions, fitted: Fitted) -> str:
    """What is said of interactions (n,) of users and with items at these positions, by which nothing can be judged."""
    strange, unknown = int((users < 0).sum()), int(((users >= 0) & (items < 0)).sum())
    parts = {"are of users whom the model does not know": strange, "are with items that it does not know": unknown}
    parts["are known to it already"] = given.matrix.nnz - strange - unknown
    said = ", ".join(f"{count:,} {what}" for what, count in parts.items() if count)
    hint = type_hint(given.users.values.tolist(), fitted.users) if strange == given.matrix.nnz else ""
    return f"evaluate: none of {given.matrix.nnz:,} interactions can be judged by: {said}; {hint or 'give later ones of known users'}"


def evaluate_logged(
    fitted: Fitted, frame: pd.DataFrame, propensity: str, reward: str, clip: float | None, names: Sequence[str] | None
) -> OffPolicy:
    """What this model's lists would bring, from a log of another policy; see `OffPolicy`. Raises UsageError for what is no such log."""
    chosen = measure_names(names, USUAL_ESTIMATES, parse_estimate)
    if clip is not None and arguments.real_number("clip", clip) <= 0:
        raise arguments.wrong_argument("clip", clip, "a number above 0")
    found = Columns(fitted.columns.user, fitted.columns.item).resolve(list(frame.columns))
    shares, gains = logged_numbers(frame, propensity, "propensity"), logged_numbers(frame, reward, "reward")
    reject(~((shares > 0) & (shares <= 1)), propensity, frame[propensity], "is no probability above 0", "mend or drop such rows")
    reject(~np.isfinite(gains), reward, frame[reward], "is not finite", "mend or drop such rows")
    at = require_users(fitted).users.positions(frame[found.user])
    items, known = fitted.items.positions(frame[found.item]), at >= 0
    if not known.any():
        raise UsageError(f"evaluate: none of the {len(frame):,} logged rows is of a user whom the model knows")
    users, row = np.unique(at[known], return_inverse=True)
    lists = lists_of(fitted, users, max(parse_estimate(name)[1] for name in chosen))
    hits = (lists[row] == items[known][:, None]) & (items[known] >= 0)[:, None]
    places = np.where(hits.any(1), hits.argmax(1) + 1, 0)
    lengths = (lists >= 0).sum(1)[row]
    return OffPolicy(gains[known], shares[known], places, lengths, chosen, clip, int((~known).sum()))


def logged_numbers(frame: pd.DataFrame, name: str, what: str) -> np.ndarray:
    """A column of numbers (n,)."""
    return numbers(frame[named_column(name, list(frame.columns), what)], name)


def lists_of(fitted: Fitted, users: np.ndarray, k: int) -> np.ndarray:
    """The k best items of known users (B, k), -1 behind the end of a shorter list."""
    ranking = partial(fitted.ranker.batches, side=side_of(users, fitted.side))
    return np.concatenate([lists for _, lists in ranked_lists(ranking, fitted.log.matrix[users], k)])
