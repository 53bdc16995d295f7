"""What is asked of a bulk job, and the digest by which a later run knows that it is the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from hashlib import file_digest
from pathlib import Path
from typing import final

import pandas as pd

from vaehub import Json, jobs
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.rerank import MMR, Calibration, PopularityPenalty, Reranker
from vaehub_recommender.tables import Columns, Layout


@final
@dataclass(frozen=True)
class Request:
    """A run, and how its recommendations are to be made.

    candidates and block are tables of items, items what else is known of them, filter and at as in `Recommender.recommend`.
    """

    run: Path
    k: int = 100
    exclude_seen: bool = True
    candidates: Path | None = None
    block: Path | None = None
    user: str | None = None
    item: str | None = None
    weight: str | None = None
    layout: Layout = field(default_factory=Layout)
    mmr: float | None = None
    calibrate: str | None = None
    calibration: float = 0.5
    popularity_penalty: float | None = None
    items: Path | None = None
    filter: str | None = None
    at: str | None = None

    def columns(self, trained: Columns) -> Columns:
        """The columns of histories: those of the training table, unless others are named."""
        return replace(
            trained, user=self.user or trained.user, item=self.item or trained.item, weight=self.weight or trained.weight
        )

    def rerankers(self, items: pd.DataFrame | None) -> list[Reranker]:
        """Those that are asked for; `items` is a table of what else is known of items, by default that of the model."""
        asked: list[Reranker | None] = [
            None if self.popularity_penalty is None else PopularityPenalty(self.popularity_penalty),
            None if self.calibrate is None else Calibration(self.calibrate, self.calibration, items),
            None if self.mmr is None else MMR(self.mmr),
        ]
        return [reranker for reranker in asked if reranker is not None]

    def made_by(self, fitted: Fitted) -> Json:
        """The model, by what is in it, and the options that change what is recommended, as JSON."""
        run, log = fitted.run, fitted.log
        known = [log.matrix.indptr, log.matrix.indices, log.matrix.data]
        if log.also_seen is not None:
            known += [log.also_seen.matrix.indptr, log.also_seen.matrix.indices]
        return {
            "model": jobs.digest_of_model(run.config.to_dict() | {"codec": run.codec.to_json()}, run.vae.state_dict()),
            "users": jobs.digest([repr(log.users.values.tolist()), *(array.tobytes() for array in known)]),
            "k": self.k,
            "exclude_seen": self.exclude_seen,
            "candidates": digest_of_file(self.candidates),
            "block": digest_of_file(self.block),
            "user": self.user,
            "item": self.item,
            "weight": self.weight,
            "layout": asdict(self.layout),
            "rerank": [repr(reranker) for reranker in self.rerankers(None)],
            "items": digest_of_file(self.items),
            **{name: value for name, value in (("filter", self.filter), ("at", self.at)) if value is not None},
        }


def digest_of_file(path: Path | None) -> str | None:
    """SHA-256 of a file; None where there is none."""
    if path is None or not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
