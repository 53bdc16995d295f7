"""The first calls of a search, which show at little cost that an objective is of no use."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from vaehub import UsageError
from vaehub_molecules.search.buffer import Call

COUNT = 20


@final
@dataclass
class FirstCalls:
    """The first calls, judged as soon as there are enough of them, also in the middle of a round."""

    objectives: Sequence[str]
    product: bool  # whether several objectives are multiplied
    budget: int
    _calls: list[Call] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Count a call. Raises UsageError where none of the first gave a value; warns where most give a product of 0."""
        enough = min(COUNT, self.budget)
        if len(self._calls) == enough:
            return
        self._calls.append(call)
        if len(self._calls) == enough:
            self._refuse_failures()
            self._warn_of_zeros()

    def _refuse_failures(self) -> None:
        if all(call.answer.error for call in self._calls):
            raise UsageError(
                f"objective {', '.join(self.objectives)}: none of the first {len(self._calls)} calls gave a value; "
                f"the first was {self._calls[0].smiles}: {self._calls[0].answer.error}"
            )

    def _warn_of_zeros(self) -> None:
        zeros = sum(call.answer.values == (0.0,) for call in self._calls)
        if self.product and zeros > len(self._calls) / 2:
            warnings.warn(
                f"the product of {', '.join(self.objectives)} is 0 for {zeros} of the first {len(self._calls)} molecules: a score "
                "that is not positive makes it 0; give the objectives a window or a sigmoid (NAME:sigmoid(low,high)), or combine them otherwise",
                UserWarning,
                stacklevel=2,
            )
