"""What a search found: tables, and the files that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd

from vaehub import Described, UsageError, files
from vaehub_molecules.files.writing import sdf_bytes
from vaehub_molecules.search.bandit import hits
from vaehub_molecules.search.buffer import Buffer, Floats, auc
from vaehub_molecules.search.pareto import balanced_score, front, front_numbers, hypervolume, scaled

BEST = 100  # molecules of `best`
MEASURED = 3  # objectives up to which a volume is soon computed


@final
@dataclass(frozen=True, repr=False)
class Result(Described):
    """A finished search.

    Arguments:
        buffer: every call.
        names: of the objectives.
        columns: of their values in the tables.
        leads: molecules that were given to start from.
        budget: calls that were allowed.

    >>> from vaehub_molecules.search.buffer import Answer, Call, Proposal
    >>> buffer = Buffer()
    >>> buffer.add([Call(Proposal("CCO", "pool"), Answer((0.4,)), time=0.1), Call(Proposal("CCN", "pool"), Answer((0.5,)), time=0.2)])
    >>> result = Result(buffer, ("qed",), ("score",), (), budget=2)
    >>> result.best.smiles.tolist(), result.auc(top=1)
    (['CCN', 'CCO'], 0.25)
    """

    buffer: Buffer
    names: tuple[str, ...]  # of the objectives
    columns: tuple[str, ...]  # of their values in the tables
    leads: tuple[str, ...]
    budget: int

    def facts(self) -> dict[str, object]:
        """What was sought and found, as `repr` and a notebook show it."""
        found = {}
        if len(self.best):
            values = {name: f"{self.best[name][0]:.3f}" for name in self.columns}
            found = {"best": self.best.smiles[0], **values, **({"front": len(self.front)} if self.several else {})}
        return {"objectives": ", ".join(self.names), "calls": len(self.buffer), "budget": self.budget, **found}

    @property
    def several(self) -> bool:
        """Whether there are several objectives with a value each, which cannot be added: their units differ."""
        return len(self.columns) > 1

    @cached_property
    def trace(self) -> pd.DataFrame:
        """Every call in order: call, smiles, score, time in seconds, by, parent, hit, error, and the values of several objectives.

        A hit was among the best when it was answered (`bandit.hits`).
        The score of several is `pareto.balanced_score`: 1 for the best value of each that any call of this search gave, 0 for the worst.
        """
        values = self._values
        several = {name: values[:, k] for k, name in enumerate(self.columns)} if self.several else {}
        columns = {
            "call": np.arange(1, len(self.buffer) + 1),
            "smiles": [call.smiles for call in self.buffer],
            "score": balanced_score(values),
            "time": [call.time for call in self.buffer],
            "by": [call.proposal.by for call in self.buffer],
            "parent": [call.proposal.parent for call in self.buffer],
            "hit": hits(balanced_score(values)),
            "error": [call.answer.error for call in self.buffer],
        }
        return pd.DataFrame(columns | several)

    @cached_property
    def best(self) -> pd.DataFrame:
        """The best molecules, at most BEST of them: by score, after their `front` (1: beaten by none) where there are several objectives."""
        scored, order = self.trace[self.trace.score.notna()], {"score": False}
        if self.several:
            numbers = front_numbers(self._values, BEST)
            scored, order = self.trace.assign(front=numbers)[numbers > 0], {"front": True, "score": False}
        scored = scored.sort_values(list(order), ascending=list(order.values()), kind="stable")
        return scored.drop(columns=["hit", "error", "time"]).head(BEST).reset_index(drop=True)

    @cached_property
    def front(self) -> pd.DataFrame:
        """The molecules that none beats in all objectives; of one objective, those with the best score."""
        chosen = self.trace[front(self._values)].sort_values("score", ascending=False, kind="stable")
        return chosen.drop(columns=["hit", "error", "time"]).reset_index(drop=True)

    def hypervolume(self, reference: Floats | None = None) -> float:
        """The volume between the front and `reference` (K,), by default the worst value seen of each objective."""
        values = self._scored
        if not len(values):
            return 0.0
        return hypervolume(values, values.min(0) if reference is None else np.asarray(reference))

    @property
    def front_note(self) -> str:
        """How many molecules are on the front, and how much of the box between the worst and the best values seen they cover."""
        note = f"{len(self.front):,} molecules on the front"
        if not len(self.front) or len(self.columns) > MEASURED:
            return note
        share = hypervolume(scaled(self._scored), np.zeros(len(self.columns)))
        return f"{note}; it covers {share:.0%} of what lies between the worst and the best values seen"

    def auc(self, top: int = 10) -> float:
        """Area under the curve of the mean of the `top` best scores over the budget, as PMO counts it.

        Raises UsageError for several objectives: there is no mean of different units.
        """
        if self.several:
            raise UsageError(
                f"auc: is of one objective, not of {', '.join(self.names)}; see front and hypervolume, or give weights"
            )
        return auc(self.trace.score.to_numpy(dtype=float), self.budget, top)

    @property
    def counts(self) -> dict[str, int]:
        """Calls, those that failed, and what was proposed and not called, by reason."""
        return {"calls": len(self.buffer), "errors": len(self.buffer.errors), **dict(sorted(self.buffer.refusals.items()))}

    @property
    def ascent_success(self) -> float:
        """The share of molecules from which ascent by the model's heads led to one with a better score; NaN where nothing ascent_success."""
        scores = dict(zip(self.trace.smiles, self.trace.score, strict=True))
        children = self.trace[(self.trace.by == "gradient") & self.trace.parent.isin(scores)].dropna(subset="score")
        gains = children.score - children.parent.map(scores).astype(float)  # of no children, a column of text
        return float((gains.groupby(children.parent).max() > 0).mean()) if len(gains) else float("nan")

    @property
    def notes(self) -> list[str]:
        """What else there is to say, in lines."""
        notes = [self.front_note] if self.several else [f"AUC of the ten best over {self.budget:,} calls: {self.auc():.4f}"]
        if not np.isnan(self.ascent_success):
            notes.append(f"ascent truly improved {self.ascent_success:.0%} of the molecules that it started from")
        return notes

    @property
    def _values(self) -> Floats:
        """(N, K) values of the calls, NaN where there is none."""
        values = self.buffer.values()
        return values if values.shape[1] == len(self.columns) else np.full((len(values), len(self.columns)), np.nan)

    @property
    def _scored(self) -> Floats:
        """The same without calls that failed."""
        return self._values[~np.isnan(self._values).any(1)]

    def save(self, folder: Path | str) -> None:
        """Write trace.csv, best.csv, best.sdf and, of several objectives, front.csv to a folder."""
        folder = Path(folder)
        for name, frame in self._tables().items():
            files.write_table(frame, folder / f"{name}.csv")
        files.atomic_write(folder / "best.sdf", sdf_bytes(self.best))

    def _tables(self) -> dict[str, pd.DataFrame]:
        tables = {"trace": self.trace, "best": self.best}
        return tables | {"front": self.front} if self.several else tables
