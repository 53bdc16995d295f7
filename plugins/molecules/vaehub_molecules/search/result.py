"""What a search found: tables, and the files that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd

from vaehub import Described, files
from vaehub_molecules.files.writing import sdf_bytes
from vaehub_molecules.search.buffer import Buffer, Floats, auc
from vaehub_molecules.search.pareto import front, hypervolume

BEST = 100  # molecules of `best`


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
        found = {} if self.best.empty else {"best": self.best.smiles[0], "score": f"{self.best.score[0]:.3f}"}
        return {"objectives": ", ".join(self.names), "calls": len(self.buffer), "budget": self.budget, **found}

    @cached_property
    def trace(self) -> pd.DataFrame:
        """Every call in order: call, smiles, score, time in seconds, by, parent, error, and the values of several objectives."""
        values = self.buffer.values()
        several = {name: values[:, k] for k, name in enumerate(self.columns)} if len(self.columns) > 1 else {}
        columns = {
            "call": np.arange(1, len(self.buffer) + 1),
            "smiles": [call.smiles for call in self.buffer],
            "score": values.mean(1),
            "time": [call.time for call in self.buffer],
            "by": [call.proposal.by for call in self.buffer],
            "parent": [call.proposal.parent for call in self.buffer],
            "error": [call.answer.error for call in self.buffer],
        }
        return pd.DataFrame(columns | several)

    @cached_property
    def best(self) -> pd.DataFrame:
        """The best molecules by score (of several objectives their mean), best first, at most BEST of them."""
        scored = self.trace[self.trace.score.notna()].sort_values("score", ascending=False, kind="stable")
        return scored.drop(columns=["error", "time"]).head(BEST).reset_index(drop=True)

    @cached_property
    def front(self) -> pd.DataFrame:
        """The molecules that none beats in all objectives; of one objective, those with the best score."""
        chosen = self.trace[front(self._values)].sort_values("score", ascending=False, kind="stable")
        return chosen.drop(columns=["error", "time"]).reset_index(drop=True)

    def hypervolume(self, reference: Floats | None = None) -> float:
        """The volume between the front and `reference` (K,), by default the worst value seen of each objective."""
        values = self._values[~np.isnan(self._values).any(1)]
        if not len(values):
            return 0.0
        return hypervolume(values, values.min(0) if reference is None else np.asarray(reference))

    def auc(self, top: int = 10) -> float:
        """Area under the curve of the mean of the `top` best scores over the budget, as PMO counts it."""
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
        notes = [f"AUC of the ten best over {self.budget:,} calls: {self.auc():.4f}"]
        if len(self.columns) > 1:
            notes.append(
                f"{len(self.front):,} molecules on the front; it covers {self.hypervolume():.6g} above the worst values seen"
            )
        if not np.isnan(self.ascent_success):
            notes.append(f"ascent truly improved {self.ascent_success:.0%} of the molecules that it started from")
        return notes

    @property
    def _values(self) -> Floats:
        return self.buffer.values()

    def save(self, folder: Path | str) -> None:
        """Write trace.csv, best.csv, best.sdf and, of several objectives, front.csv to a folder."""
        folder = Path(folder)
        for name, frame in self._tables().items():
            files.write_table(frame, folder / f"{name}.csv")
        files.atomic_write(folder / "best.sdf", sdf_bytes(self.best))

    def _tables(self) -> dict[str, pd.DataFrame]:
        tables = {"trace": self.trace, "best": self.best}
        return tables | {"front": self.front} if len(self.columns) > 1 else tables
