"""Strings that can be differentiated: every symbol a point of the simplex, so that a slope of the string reaches z."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from vaehub_molecules.tokens.vocabulary import END

if TYPE_CHECKING:
    from vaehub_molecules.parts.autoregressive import StringDecoder


def relaxed(
    decoder: StringDecoder, code: Tensor, tau: float, hard: bool = False, noise: Tensor | None = None, steps: int = 0
) -> Tensor:
    """Soft strings (B, T, V) for codes (B, L + C), differentiable in the code; each is fed back as the next symbol's embedding.

    s_t = softmax((logits_t + g_t) / tau), after END mixed with END by the probability that the string has ended. `hard`: the likeliest
    symbol forward, the soft slope backward. `noise`: Gumbel numbers g (B, T, V) to use again, zero for a plain softmax.
    "Categorical Reparameterization with Gumbel-Softmax" (Jang et al., 2017), arXiv:1611.01144.
    """
    soft, living = end_symbols(len(code), decoder), torch.ones(len(code), 1, device=code.device)
    state, out = decoder.initial_state(code), []
    for step in range(steps or decoder.spec.shape[0]):
        features, state = decoder.next_features(soft @ decoder.embed.weight, state)
        logits = decoder.logits(features).log_softmax(-1)
        symbol = relaxed_symbol(logits + (gumbel(logits) if noise is None else noise[:, step]), tau, hard)
        soft = living * symbol + (1 - living) * end_symbols(len(code), decoder)
        living = living * (1 - symbol[:, END : END + 1])
        out.append(soft)
        if not bool((living > 1e-4).any()):
            break
    return padded_to_length(torch.stack(out, 1), decoder)


def relaxed_symbol(logits: Tensor, tau: float, hard: bool) -> Tensor:
    """softmax(logits / tau), or its largest entry with the slope of the softmax."""
    soft = (logits / tau).softmax(-1)
    if not hard:
        return soft
    one = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return one + soft - soft.detach()


def gumbel(like: Tensor) -> Tensor:
    """Standard Gumbel numbers in the shape of a tensor; none is infinite."""
    return -torch.empty_like(like).exponential_().clamp(min=1e-10).log()


def end_symbols(rows: int, decoder: StringDecoder) -> Tensor:
    """The symbol END for each of the rows (B, V)."""
    end = decoder.embed.weight.new_zeros(rows, decoder.spec.classes)
    end[:, END] = 1
    return end


def padded_to_length(soft: Tensor, decoder: StringDecoder) -> Tensor:
    """Soft strings with END up to the full length T."""
    short = decoder.spec.shape[0] - soft.shape[1]
    return torch.cat([soft, end_symbols(len(soft), decoder).unsqueeze(1).expand(-1, short, -1)], 1)
