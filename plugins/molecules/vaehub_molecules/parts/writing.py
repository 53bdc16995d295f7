"""Drawing strings: all rows of a batch side by side, those that have ended left out of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from vaehub_molecules.tokens.vocabulary import END

if TYPE_CHECKING:
    from vaehub_molecules.parts.writer import Writer

SHRINK = 0.97  # rows are gathered anew when fewer than this share of them are unfinished


@final
class Reading:
    """What the grammar makes of the strings written so far; without a grammar, nothing."""

    def __init__(self, writer: Writer, code: Tensor) -> None:
        known = writer.grammar is not None and writer.grammar.learnt
        self.grammar = writer.grammar if known else None
        self.state = None if self.grammar is None else self.grammar.start(len(code), code.device)

    def mend(self, token: Tensor, logits: Tensor, heat: Tensor, live: Tensor, remaining: int) -> Tensor:
        """Symbols (B,) of live rows, drawn anew among those allowed where they are not.

        A row is redrawn with the probability of what is not allowed, so that the symbols are distributed as if drawn among those allowed at once.
        """
        if self.grammar is None or self.state is None:
            return token
        wrong = (live & ~self.grammar.allows(self.state, token, remaining)).nonzero().squeeze(1)
        if len(wrong):
            allowed = self.grammar.allowed(self.grammar.select(self.state, wrong), remaining)
            token[wrong] = pick(logits[wrong].masked_fill(~allowed, -torch.inf), heat[wrong])
        return token

    def step(self, token: Tensor) -> None:
        """Go on by symbols (B,)."""
        if self.grammar is not None and self.state is not None:
            self.state = self.grammar.step(self.state, token)

    def select(self, rows: Tensor) -> None:
        """Keep some rows."""
        if self.grammar is not None and self.state is not None:
            self.state = self.grammar.select(self.state, rows)


@torch.no_grad()
def write(writer: Writer, code: Tensor, temperature: float | Tensor) -> Tensor:
    """Strings (B, T) for codes (B, L + C): drawn from p^(1/temperature), or the likeliest symbol at each step where it is 0; one for all, or (B,)."""
    heat = torch.as_tensor(temperature, device=code.device).expand(len(code))
    steps = writer.spec.shape[0]
    x = torch.full((len(code), steps), END, device=code.device)
    rows, last = torch.arange(len(code), device=code.device), torch.full((len(code),), END, device=code.device)
    state, reading, live = writer.begin(code), Reading(writer, code), torch.ones_like(last, dtype=torch.bool)
    for step in range(steps):
        features, state = writer.advance(writer.embed(last), state)
        logits = writer.logits(features)
        last = x[rows, step] = reading.mend(pick(logits, heat), logits, heat, live, steps - step)
        reading.step(last)
        live = live & (last != END)
        going = int(live.sum())
        if not going:
            break
        if going < SHRINK * len(rows):
            kept = live.nonzero().squeeze(1)
            rows, last, heat, state = rows[kept], last[kept], heat[kept], [s[kept] for s in state]
            live = live[kept]
            reading.select(kept)
    return finished(x)


def pick(logits: Tensor, temperature: Tensor) -> Tensor:
    """A symbol for every row (B, V) -> (B,), at its temperature (B,)."""
    likeliest = logits.argmax(-1)
    if not temperature.any():
        return likeliest
    total = (logits / temperature.clamp(min=1e-6)[:, None]).softmax(-1).cumsum(-1)
    point = total[:, -1:] * (1 - torch.rand(len(logits), 1, device=logits.device))  # over 0: what has no chance is never met
    return torch.where(temperature > 0, torch.searchsorted(total, point).squeeze(1), likeliest)


def finished(x: Tensor) -> Tensor:
    """The strings with END after their first END: rows that waited to be left out have been written on."""
    return torch.where((x == END).cumsum(1) > 0, END, x)
