"""p(x|z,c) over a catalogue of items, whose scores are not written out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import final

import torch
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub import Data, Decoder, Likelihood, Spec, UsageError
from vaehub.model import nets
from vaehub_recommender.interactions import Interactions, side_width, split_condition
from vaehub_recommender.parts.bag import glorot_linear
from vaehub_recommender.parts.features import start_from_features
from vaehub_recommender.parts.implicit import Implicit
from vaehub_recommender.scores import LinearScores


@final
class Catalogue(Decoder):
    """Scores s = W h(z, c) + b of all items, h a multilayer perceptron (z itself where `hidden` is empty): the decoder of Mult-VAE.

    Liang et al. (2018), arXiv:1802.05814. Before training b becomes the logarithm of the items' popularity, which saves the first epochs.

    Arguments:
        hidden: Widths of the hidden layers, from input to output; none make one linear map.
        activation: Function between the layers.

    Raises:
        UsageError: a likelihood that needs all scores written out.

    Example:
        >>> from vaehub import Spec
        >>> from vaehub_recommender.parts.implicit import ImplicitMultinomial
        >>> decoder = Catalogue(Spec((5,)), 2, ImplicitMultinomial(Spec((5,))), hidden=[])
        >>> decoder(torch.zeros(1, 2)).mean.sum().item()  # shares of the items
        1.0
    """

    def __init__(
        self,
        spec: Spec,
        latent: int,
        likelihood: Likelihood,
        *,
        hidden: Sequence[PositiveInt] = (600,),
        activation: nets.Activation = "tanh",
    ) -> None:
        super().__init__(spec, latent, likelihood)
        require_implicit(likelihood)
        widths = [latent + side_width(spec.cond, spec.size), *hidden]
        steps = [(glorot_linear(a, b), nets.ACTIVATIONS[activation]()) for a, b in pairwise(widths)]
        self.net = nn.Sequential(*(module for step in steps for module in step))
        self.out = glorot_linear(widths[-1], spec.size)

    @property
    def family(self) -> Implicit:
        """The likelihood."""
        return require_implicit(self.likelihood)

    @torch.no_grad()
    def initialise(self, data: Data) -> None:
        """b from popularity; W from what is known of the items, where the data have it."""
        if isinstance(data, Interactions):
            self.out.bias.copy_(self.family.popular(data.popularity().to(self.out.bias), len(data)))
        start_from_features(self.out.weight, data)

    def hidden(self, z: Tensor, cond: Tensor | None) -> Tensor:
        """h (B, H)."""
        side, _ = split_condition(cond, self.spec.size)
        width = side_width(self.spec.cond, self.spec.size)
        h: Tensor = self.net(nets.conditioned(z, side, width))
        return h

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Distribution:
        """p(x|z,c): batch (B,), event (I,)."""
        return self.family.of(LinearScores(self.hidden(z, cond), self.out.weight, self.out.bias))


def require_implicit(likelihood: Likelihood) -> Implicit:
    """The likelihood, where it can do without a matrix of scores. Raises UsageError."""
    if not isinstance(likelihood, Implicit):
        name = type(likelihood).__name__.lower()
        raise UsageError(
            f"likelihood: {name} needs all scores written out; choose implicit_multinomial, implicit_logistic or implicit_gaussian"
        )
    return likelihood
