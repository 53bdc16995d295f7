"""Drawing strings: all rows of a batch side by side, those that have ended left out of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vaehub_molecules.tokens.vocabulary import END

if TYPE_CHECKING:
    from vaehub_molecules.parts.writer import Writer

SHRINK = 0.75  # rows are gathered anew when fewer than this share of them are unfinished


@torch.no_grad()
def write(writer: Writer, code: Tensor, temperature: float) -> Tensor:
    """Strings (B, T) for codes (B, L + C): drawn from p^(1/temperature), or the likeliest symbol at each step where it is 0."""
    steps = writer.spec.shape[0]
    x = torch.full((len(code), steps), END, device=code.device)
    rows, last = torch.arange(len(code), device=code.device), torch.full((len(code),), END, device=code.device)
    state = writer.begin(code)
    grammar = writer.grammar if writer.grammar is not None and writer.grammar.learnt else None
    read = None if grammar is None else grammar.start(len(code), code.device)
    for step in range(steps):
        features, state = writer.advance(writer.embed(last), state)
        logits = writer.logits(features)
        if grammar is not None:
            logits = logits.masked_fill(~grammar.allowed(read, steps - step), -torch.inf)
        last = x[rows, step] = pick(logits, temperature)
        if grammar is not None:
            read = grammar.step(read, last)
        live = last != END
        going = int(live.sum())
        if not going:
            break
        if going < SHRINK * len(rows):
            kept = live.nonzero().squeeze(1)
            rows, last, state = rows[kept], last[kept], [s[kept] for s in state]
            read = None if grammar is None else grammar.select(read, kept)
    return finished(x)


def pick(logits: Tensor, temperature: float) -> Tensor:
    """A symbol for every row (B, V) -> (B,)."""
    if not temperature:
        return logits.argmax(-1)
    return torch.multinomial((logits / temperature).softmax(-1), 1).squeeze(1)


def finished(x: Tensor) -> Tensor:
    """The strings with END after their first END: rows that waited to be left out have been written on."""
    return torch.where((x == END).cumsum(1) > 0, END, x)
