"""The flows that posteriors and priors are built from, by the library zuko, which is imported on first use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import nn
from torch.distributions import Distribution

Kind: TypeAlias = Literal["realnvp", "spline"]


def zuko_flows() -> Any:
    """The module zuko.flows. Its import turns argument checks off for all of torch.distributions: they are put back."""
    checks = Distribution._validate_args
    from zuko import flows

    Distribution.set_default_validate_args(checks)
    return flows


def autoregressive(latent: int, context: int, layers: int, hidden: Sequence[int]) -> nn.Module:
    """A lazy transform: context (B, C) -> z_i = exp(s_i) e_i + m_i with s_i, m_i functions of e_1..e_(i-1) and the context.

    The order of the dimensions is reversed between layers; each starts as the identity.
    """
    flows, order = zuko_flows(), torch.arange(latent)
    options = {"hidden_features": tuple(hidden), "activation": nn.ELU}
    steps = [
        flows.MaskedAutoregressiveTransform(latent, context, order=(order, order.flip(0))[i % 2], **options)
        for i in range(layers)
    ]
    return composed(steps)


def coupling(kind: Kind, latent: int, context: int, layers: int, hidden: Sequence[int], bins: int) -> nn.Module:
    """A lazy transform: context (B, C) or None -> a chain of coupling layers, each of which starts as the identity.

    A random half of the dimensions moves as a function of the others, then the others: z (…, L) -> e (…, L).
    """
    flows = zuko_flows()
    options = {"hidden_features": tuple(hidden), "activation": nn.SiLU} | univariate(kind, bins)
    masks = [torch.randperm(latent) % 2 == 0 for _ in range((layers + 1) // 2)]
    steps = [flows.GeneralCouplingTransform(latent, context, mask=masks[i // 2] ^ bool(i % 2), **options) for i in range(layers)]
    return composed(steps)


def univariate(kind: Kind, bins: int) -> dict[str, Any]:
    """How one dimension moves, and the shapes of the parameters of that."""
    from zuko.transforms import MonotonicAffineTransform, MonotonicRQSTransform

    kinds: dict[Kind, dict[str, Any]] = {
        "realnvp": {"univariate": MonotonicAffineTransform, "shapes": [(), ()]},
        "spline": {"univariate": MonotonicRQSTransform, "shapes": [(bins,), (bins,), (bins - 1,)]},
    }
    return kinds[kind]


def composed(steps: Sequence[Any]) -> nn.Module:
    """The steps one after another, each with its parameters set so that it starts as the identity."""
    from zuko.lazy import LazyComposedTransform

    for step in steps:
        (last,) = step.children()  # a network from the context and other dimensions, or plain parameters where there are none
        last = last[-1] if isinstance(last, nn.Sequential) else last
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
    chain: nn.Module = LazyComposedTransform(*steps)
    return chain
