"""Strings that can be differentiated: every symbol a point of the simplex, so that a slope of the string reaches z."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from vaehub_molecules.tokens.vocabulary import END

if TYPE_CHECKING:
    from vaehub_molecules.parts.autoregressive import Writer


def relaxed(writer: Writer, code: Tensor, tau: float, hard: bool = False, noise: Tensor | None = None, steps: int = 0) -> Tensor:
    """Soft strings (B, T, V) for codes (B, L + C), differentiable in the code; each is fed back as the next symbol's embedding.

    s_t = softmax((logits_t + g_t) / tau), after END mixed with END by the probability that the string has ended. `hard`: the likeliest
    symbol forward, the soft slope backward. `noise`: Gumbel numbers g (B, T, V) to use again, zero for a plain softmax.
    "Categorical Reparameterization with Gumbel-Softmax" (Jang et al., 2017), arXiv:1611.01144.
    """
    soft, living = ended(len(code), writer), torch.ones(len(code), 1, device=code.device)
    state, out = writer.begin(code), []
    for step in range(steps or writer.spec.shape[0]):
        features, state = writer.advance(soft @ writer.embed.weight, state)
        logits = writer.logits(features).log_softmax(-1)
        symbol = relax(logits + (gumbel(logits) if noise is None else noise[:, step]), tau, hard)
        soft = living * symbol + (1 - living) * ended(len(code), writer)
        living = living * (1 - symbol[:, END : END + 1])
        out.append(soft)
        if not bool((living > 1e-4).any()):
            break
    return complete(torch.stack(out, 1), writer)


def relax(logits: Tensor, tau: float, hard: bool) -> Tensor:
    """softmax(logits / tau), or its largest entry with the slope of the softmax."""
    soft = (logits / tau).softmax(-1)
    if not hard:
        return soft
    one = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return one + soft - soft.detach()


def gumbel(like: Tensor) -> Tensor:
    """Standard Gumbel numbers."""
    return -torch.empty_like(like).exponential_().log()


def ended(rows: int, writer: Writer) -> Tensor:
    """The symbol END for each of the rows (B, V)."""
    end = writer.embed.weight.new_zeros(rows, writer.spec.classes)
    end[:, END] = 1
    return end


def complete(soft: Tensor, writer: Writer) -> Tensor:
    """Soft strings with END up to the full length T."""
    short = writer.spec.shape[0] - soft.shape[1]
    return torch.cat([soft, ended(len(soft), writer).unsqueeze(1).expand(-1, short, -1)], 1)
