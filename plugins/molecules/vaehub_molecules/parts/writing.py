"""Drawing strings: all rows of a batch side by side, those that have ended left out of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from vaehub_molecules.tokens.vocabulary import END

if TYPE_CHECKING:
    from vaehub_molecules.parts.writer import Writer

SHRINK = 0.75  # rows are gathered anew when fewer than this share of them are unfinished


@final
class Reading:
    """What the grammar makes of the strings written so far; without a grammar, nothing."""

    def __init__(self, writer: Writer, code: Tensor) -> None:
        known = writer.grammar is not None and writer.grammar.learnt
        self.grammar = writer.grammar if known else None
        self.state = None if self.grammar is None else self.grammar.start(len(code), code.device)

    def allowed(self, logits: Tensor, remaining: int) -> Tensor:
        """The logits (B, V) with symbols that cannot follow at -inf."""
        if self.grammar is None or self.state is None:
            return logits
        return logits.masked_fill(~self.grammar.allowed(self.state, remaining), -torch.inf)

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
    state, reading = writer.begin(code), Reading(writer, code)
    for step in range(steps):
        features, state = writer.advance(writer.embed(last), state)
        last = x[rows, step] = pick(reading.allowed(writer.logits(features), steps - step), heat)
        reading.step(last)
        live = last != END
        going = int(live.sum())
        if not going:
            break
        if going < SHRINK * len(rows):
            kept = live.nonzero().squeeze(1)
            rows, last, heat, state = rows[kept], last[kept], heat[kept], [s[kept] for s in state]
            reading.select(kept)
    return finished(x)


def pick(logits: Tensor, temperature: Tensor) -> Tensor:
    """A symbol for every row (B, V) -> (B,), at its temperature (B,)."""
    likeliest = logits.argmax(-1)
    if not temperature.any():
        return likeliest
    chances = (logits / temperature.clamp(min=1e-6)[:, None]).softmax(-1)
    return torch.where(temperature > 0, torch.multinomial(chances, 1).squeeze(1), likeliest)


def finished(x: Tensor) -> Tensor:
    """The strings with END after their first END: rows that waited to be left out have been written on."""
    return torch.where((x == END).cumsum(1) > 0, END, x)
