"""The search for the model that serves a table best: the cheapest first, each compared with the best before it on the same users.

Letters of shapes: V validation users.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

import vaehub
from vaehub import Run
from vaehub_recommender.api.config import CLOSED_FORM, HYBRID, recommender_config
from vaehub_recommender.choose.choice import Choice, Tried
from vaehub_recommender.choose.folds import by_user, folded
from vaehub_recommender.choose.linear import best_trial, ease_trials, mixed_trial, neighbour_trials
from vaehub_recommender.choose.network import LARGE, SMALL, Network
from vaehub_recommender.domain import SplitLog
from vaehub_recommender.validation import all_ndcg

KNN, EASE, TOGETHER = "item-kNN", "EASE", "EASE + item-kNN"
SURE = 1.0  # standard errors by which a dearer kind of model must be ahead
LARGEST = 8_000  # items whose weights are all solved for; beyond, each solution takes minutes, and the linear part is sparse
SPARSE, SPARSE_SETTINGS = "sparse linear", ((100.0, 0.5), (500.0, 0.0))  # penalty and dropout
UNASKED = 600  # CPU seconds that a network may take without a time limit
MANY = 400_000  # interactions from which the large network is tried unasked


def choose(domain: SplitLog, options: Mapping[str, Any], time_limit: float | None) -> tuple[Run, Choice]:
    """The model that ranks best for the validation users of a domain, trained on its training users, and what was tried.

    Item-kNN and EASE come first, then both together, then a small network beside EASE and, where that pays, the large one. A dearer kind is
    taken where it is ahead by more than one standard error of the difference, user by user.

    Arguments:
        domain: interactions, split, that give users' items to the decoder (`history`).
        options: how networks are trained: options of `train`, `trainer` and `optimizer`.
        time_limit: seconds; what is not expected to end in time is not begun. By default the large network is tried on large tables alone.
    """
    search = Search(domain, options, time_limit)
    if domain.split.train.shape[1] > LARGEST:
        search.sparse_models()
    else:
        search.linear_models()
    for network in (SMALL, LARGE):
        search.network(network)
    run = search.trained()
    run.domain = domain
    domain.codec = search.inner.codec
    return run, search.choice()


@final
class Search:
    """What was tried so far. `best` is the name of the best model, `config` and `ndcg` (V,) are its own, and `run` where it has been trained."""

    def __init__(self, domain: SplitLog, options: Mapping[str, Any], time_limit: float | None) -> None:
        self.options, self.time_limit, self.columns = options, time_limit, domain.columns
        self.half_life = None if domain.log.decay is None else domain.log.decay.half_life
        self.train = recommender_config(HYBRID, options, domain.columns, self.half_life).to_dict()
        split = folded(domain.split, self.train["train"]["seed"])
        self.inner = SplitLog(domain.log, split, domain.columns, domain.frames, True, domain.side)
        self.clock, self.cpu = time.monotonic(), time.process_time()
        self.counted = self.cpu  # where the row before ended
        self.tried: list[Tried] = []
        self.best, self.config, self.ndcg = "", dict(CLOSED_FORM), np.zeros(0)
        self.run: Run | None = None
        self.ease: Mapping[str, Any] = {}

    def sparse_models(self) -> None:
        """The sparse linear part under the penalty and dropout that rank best."""
        rows = self.inner.data("val")
        for penalty, dropout in SPARSE_SETTINGS:
            if self.best and self.left() <= 0:
                return
            options = {"penalty": penalty, "dropout": dropout}
            config = self.linear({"name": "sparse_linear", "base": None, **options})
            run = vaehub.train(config, domain=self.inner, progress=False)
            self.offer(SPARSE, options, config, all_ndcg(run.vae, rows, self.inner.split.val.targets), run, sure=0)
            if self.run is run:
                self.ease = options

    def linear_models(self) -> None:
        """Item-kNN and EASE with the options that rank best, and the two together."""
        train, held = self.inner.split.train, self.inner.split.val
        knn = best_trial(neighbour_trials(train, held))
        neighbours = {"name": "item_knn", "base": None, **knn.options}
        self.offer(KNN, knn.options, self.linear(neighbours), knn.ndcg)
        ease = best_trial(ease_trials(train, held, lambda: self.left() <= 0))
        self.ease = ease.options
        self.offer(EASE, ease.options, self.linear({"name": "ease", "base": None, **ease.options}), ease.ndcg, sure=0)
        both = mixed_trial(knn, ease, held)
        self.offer(TOGETHER, ease.options, self.linear({"name": "ease", **ease.options, "base": neighbours}), both.ndcg)

    def network(self, network: Network) -> None:
        """A network beside EASE, unless there is a reason not to begin it."""
        shape = self.inner.split.train.shape
        config = recommender_config(network.config(shape, self.ease), self.options, self.columns, self.half_life).to_dict()
        seconds = network.seconds(shape, config["train"]["epochs"], config["train"]["batch_size"])
        reason = self.reason_against(network, seconds)
        if reason:
            self.tried.append(Tried(network.name, note=f"not begun: {reason}"))
            return
        run = vaehub.train(config, domain=self.inner, progress=False)
        rows = all_ndcg(run.vae, self.inner.data("val"), self.inner.split.val.targets)
        sure = 0 if self.best == SMALL.name else SURE
        self.offer(network.name, {"epochs": config["train"]["epochs"]}, config, rows, run, sure=sure)

    def reason_against(self, network: Network, seconds: float) -> str:
        """Why a network is not worth its time; nothing where it may be."""
        if self.left() < self.by_clock(seconds):
            return f"it would take about {self.by_clock(seconds):,.0f} s, and {max(self.left(), 0):,.0f} s are left"
        if self.time_limit is None and seconds > UNASKED:
            return f"it would take about {self.by_clock(seconds):,.0f} s; give a time_limit in seconds to have it tried"
        if network is SMALL:
            return ""
        if self.best != SMALL.name:
            return "the small one does not pay"
        if self.time_limit is None and self.inner.split.train.nnz < MANY:
            return f"few interactions (fewer than {MANY:,}); give a time_limit in seconds to have it tried"
        return ""

    def offer(
        self,
        name: str,
        options: Mapping[str, Any],
        config: Mapping[str, Any],
        rows: NDArray[np.float64],
        run: Run | None = None,
        sure: float = SURE,
    ) -> None:
        """Take a model where it is ahead of the best so far by more than `sure` standard errors, and note what it scored."""
        ndcg = by_user(rows, self.inner.split.val)
        gain, error = mean_and_error(ndcg - self.ndcg) if self.best else (None, None)
        better = gain is None or error is None or gain > sure * error
        note = "" if better else "left out: not ahead beyond noise" if sure else "left out: not ahead"
        now = time.process_time()
        said = ", ".join(f"{key} {value:g}" for key, value in options.items())
        self.tried.append(Tried(name, said, *mean_and_error(ndcg), gain, error, now - self.counted, note))
        self.counted = now
        if better:
            self.best, self.config, self.ndcg, self.run = name, dict(config), ndcg, run

    def linear(self, decoder: Mapping[str, Any]) -> dict[str, Any]:
        """The config of a model in closed form, on the device and with the seed that are wished."""
        train = {**CLOSED_FORM["train"], "seed": self.train["train"]["seed"]}
        trainer = {key: value for key, value in self.train["trainer"].items() if key != "precision"}
        return {**CLOSED_FORM, "domain": self.train["domain"], "decoder": dict(decoder), "train": train, "trainer": trainer}

    def trained(self) -> Run:
        """The best model."""
        return self.run or vaehub.train(self.config, domain=self.inner, progress=False)

    def choice(self) -> Choice:
        """What was tried, and what was taken."""
        seconds = time.process_time() - self.cpu
        return Choice(tuple(self.tried), self.best, len(self.ndcg), seconds, dict(self.options), self.time_limit)

    def left(self) -> float:
        """Seconds until the limit."""
        return math.inf if self.time_limit is None else self.time_limit - (time.monotonic() - self.clock)

    def by_clock(self, cpu: float) -> float:
        """What so many CPU seconds take by the clock, if the machine is as free as it was so far."""
        return cpu * (time.monotonic() - self.clock) / max(time.process_time() - self.cpu, 1e-3)


def mean_and_error(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean, and its standard error, which is 0 for one user."""
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0
