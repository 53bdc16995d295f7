"""Training of the property heads together with the VAE."""

from __future__ import annotations

import math
from typing import Annotated, final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from vaehub import Batch, Logs, Model, Objective, Part, Step, Terms, UsageError
from vaehub.model import ELBO
from vaehub_molecules.parts.autoregressive import StringDecoder, until_end
from vaehub_molecules.parts.heads import Heads
from vaehub_molecules.parts.relaxed import relaxed

Temperature = Annotated[float, Field(gt=0, le=10)]


@final
class Predictive(Objective):
    """base + weight (|h(z) - y|^2 + |g(x) - y|^2 + |g(s) - y|^2) / 2, with s ~ p(x|z) a relaxed string; the last two on a `share` of the rows.

    The relaxed strings are soft and straight-through by turns, at a temperature that falls from `hot` to `cold` over `cooling` epochs:
    "Categorical Reparameterization with Gumbel-Softmax" (Jang et al., 2017), arXiv:1611.01144. Unknown y (NaN) are left out. A decoder that
    does not write strings is trained by the base alone.

    Arguments:
        base: The objective without the predictions.
        weight: Weight of the errors of the predictions.
        share: Share of the rows whose strings are read as well.
        hot: Temperature of the relaxed strings at first.
        cold: Their temperature in the end.
        cooling: Epochs in between.

    Raises:
        UsageError: where there is no property to predict.

    >>> objective = Predictive(hot=1.0, cold=0.25, cooling=2)
    >>> [objective.tau(epoch) for epoch in (0, 1, 2, 3)]
    [1.0, 0.5, 0.25, 0.25]
    """

    def __init__(
        self,
        *,
        base: Part[Objective] = ELBO,
        weight: Annotated[float, Field(gt=0)] = 1.0,
        share: Annotated[float, Field(ge=0, le=1)] = 0.125,
        hot: Temperature = 1.0,
        cold: Temperature = 0.5,
        cooling: Annotated[int, Field(ge=1)] = 5,
    ) -> None:
        super().__init__()
        self.base: Objective = base()
        self.samples, self.weight, self.share = self.base.samples, weight, share
        self.hot, self.cold, self.cooling = hot, cold, cooling
        self.decoders: list[StringDecoder] = []  # in a list: its weights are the VAE's

    def wire(self, vae: Model) -> None:
        """Find the heads."""
        self.base.wire(vae)
        if not isinstance(vae.decoder, StringDecoder):
            return
        if vae.decoder.heads is None:
            raise UsageError(
                'objective predictive: no property to predict; set domain.properties=["logp","qed"] or use objective elbo'
            )
        self.decoders = [vae.decoder]

    def prepare(self, step: Step) -> None:
        """As the base does."""
        self.base.prepare(step)

    def tau(self, epoch: int) -> float:
        """Temperature in an epoch: a geometric fall."""
        done = min(1.0, epoch / self.cooling)
        return float(self.hot ** (1 - done) * self.cold**done)

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        loss, logs = self.base(terms, step)
        for decoder in self.decoders:
            of_code = squared_error(heads_of(decoder)(terms.z[0]), targets_of(terms.batch))
            loss = loss + self.weight * (of_code + self.string_errors(decoder, terms, step))
            logs |= {"property_error": of_code.detach()}
        return loss, logs

    def string_errors(self, decoder: StringDecoder, terms: Terms, step: Step) -> Tensor:
        """Errors of the head that reads strings, on a share of the rows: as they are, and as the decoder relaxes them."""
        rows = math.ceil(self.share * len(terms.batch.x))
        if not rows:
            return terms.z.new_zeros(())
        batch, z = terms.batch.map(lambda t: t[:rows]), terms.z[0, :rows]
        longest = min(int(until_end(batch.x).sum(1).max()) + 1, batch.x.shape[1])
        hard = F.one_hot(batch.x[:, :longest].long(), decoder.spec.classes).to(z.dtype)
        code = z if batch.cond is None else torch.cat([z, batch.cond], -1)
        soft = relaxed(decoder, code, self.tau(step.epoch), hard=bool(step.step % 2), steps=longest)[:, :longest]
        return squared_error(heads_of(decoder).from_strings(hard), targets_of(batch)) + squared_error(
            heads_of(decoder).from_strings(soft), targets_of(batch)
        )


def heads_of(decoder: StringDecoder) -> Heads:
    """The heads, which `wire` has made sure of."""
    assert decoder.heads is not None
    return decoder.heads


def targets_of(batch: Batch) -> Tensor:
    """y (B, P). Raises UsageError where the rows have none."""
    if batch.y is None:
        raise UsageError("objective predictive: the rows have no y to predict; use a domain that gives properties")
    return batch.y


def squared_error(predicted: Tensor, y: Tensor) -> Tensor:
    """Half the squared error, summed over properties and averaged over rows, where y is known."""
    is_known = ~y.isnan()
    return 0.5 * torch.where(is_known, predicted.float() - y.nan_to_num(), 0.0).square().sum(-1).mean()
