"""What was tried, what it scored on validation users, what it cost, and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, final

import pandas as pd

from vaehub import Described, Json


@final
@dataclass(frozen=True)
class Tried:
    """One model: its options, NDCG@100 on validation users with its standard error, what is gained over the best model before it
    (user by user, with the standard error of that), and CPU seconds. Figures are None for what was not begun; `note` says why.
    """

    model: str
    options: str = ""
    ndcg: float | None = None
    se: float | None = None
    gain: float | None = None
    gain_se: float | None = None
    seconds: float = 0.0
    note: str = ""


@final
@dataclass(frozen=True, repr=False)
class Choice(Described):
    """What `Recommender()` tried on the validation users of its table, and what it took.

    Arguments:
        tried: the models in the order in which they were tried, the cheapest first.
        chosen: the name of the model that was taken.
        users: validation users, by whom they were compared.
        seconds: CPU seconds of the whole search, with the training of the model that was taken.
        options: how models were trained, as the caller wished.
        time_limit: seconds that the search was given; None: no limit.

    Example:
        >>> choice = Choice((Tried("EASE", "penalty 100", 0.4, 0.01), Tried("VAE", note="not begun")), "EASE", 50)
        >>> choice.frame()[["model", "ndcg@100", "chosen"]].to_numpy().tolist()
        [['EASE', 0.4, True], ['VAE', nan, False]]
        >>> Choice.from_json(choice.to_json()) == choice
        True
    """

    tried: tuple[Tried, ...]
    chosen: str
    users: int
    seconds: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)
    time_limit: float | None = None

    def frame(self) -> pd.DataFrame:
        """model, options, ndcg@100, se, gain, gain_se, cpu_seconds, chosen, note: a row for every model."""
        frame = pd.DataFrame([asdict(row) for row in self.tried]).rename(columns={"ndcg": "ndcg@100", "seconds": "cpu_seconds"})
        figures = ["ndcg@100", "se", "gain", "gain_se"]
        frame[figures] = frame[figures].astype(float)
        frame.insert(len(frame.columns) - 1, "chosen", frame["model"] == self.chosen)
        return frame

    def lines(self) -> list[str]:
        """The same as text."""
        head = f"Chosen by NDCG@100 of {self.users:,} validation users: {self.chosen} ({self.seconds:.1f} CPU s in all)."
        return [head, *("  " + as_text(row) for row in self.tried)]

    def facts(self) -> dict[str, object]:
        """What was chosen, and what every model scored."""
        scored = {row.model: f"{row.ndcg:.4f} ± {row.se:.4f}" for row in self.tried if row.ndcg is not None}
        return {"chosen": self.chosen, "users": self.users, **scored}

    def to_json(self) -> Json:
        """All of it as JSON."""
        return {**asdict(self), "tried": [asdict(row) for row in self.tried]}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**state, "tried": tuple(Tried(**row) for row in state["tried"])})


def as_text(row: Tried) -> str:
    """One model in a line."""
    name = f"{row.model} ({row.options})" if row.options else row.model
    if row.ndcg is None or row.se is None:
        return f"{name}: {row.note}"
    gain = "" if row.gain is None else f", {row.gain:+.4f} ± {row.gain_se:.4f} over the best before it"
    note = f"; {row.note}" if row.note else ""
    return f"{name}: {row.ndcg:.4f} ± {row.se:.4f}{gain}, {row.seconds:.1f} CPU s{note}"
