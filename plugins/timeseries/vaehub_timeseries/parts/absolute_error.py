"""Training for imputation: the absolute error of the model's prediction of cells that it was not shown."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

import torch
from pydantic import Field
from torch import Tensor

from vaehub import Logs, Objective, Step, Terms, estimate
from vaehub.model import logs_of

SMALLEST = 1e-3  # standard deviations: below it no error is worth lowering


@final
class AbsoluteError(Objective):
    """log mean_o |x - E_q[E[x|z]]| of every row over its observed cells o, seen by the encoder or not, plus beta KL.

    It is -log p(x) of a Laplace family whose scale is the row's own, at its best: windows with much and with little to fill count alike.
    The expectation is over the draws of z; it is exact for a decoder that is linear in z and draws that come in pairs. Hiding and
    reconstructing together as in "SAITS" (Du et al., 2023), arXiv:2202.08516.

    Without `relative` it is the mean over the observed cells of all rows, as the mean absolute error is reckoned.

    Arguments:
        beta: Weight of the KL term.
        samples: Draws of z for every row; an even number has the mean exactly.
        relative: Whether the error of a row counts as a share of itself.

    >>> from torch.distributions import Independent, Normal
    >>> from vaehub.base import Batch
    >>> x, px = torch.ones(1, 4, 1), Normal(torch.full((2, 4, 1), 1.5), 1.0)  # an error of 0.5 at both draws of z
    >>> standard = Independent(Normal(torch.zeros(1, 1), 1.0), 1)
    >>> loss, logs = AbsoluteError()(Terms(torch.zeros(2, 1), torch.zeros(2, 1, 1), standard, standard, px, Batch(x)), Step())
    >>> round(loss.exp().item(), 3)
    0.501
    """

    known_failures: ClassVar[dict[str, str]] = {
        "loss_has_gradients_for_all": "it reads E[x|z] alone, so that the scale of a family stays as it is: give it one"
    }

    def __init__(
        self, *, beta: Annotated[float, Field(ge=0)] = 0.0, samples: Annotated[int, Field(ge=1)] = 2, relative: bool = True
    ) -> None:
        super().__init__()
        self.beta, self.samples, self.relative = beta, samples, relative

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs."""
        x = terms.batch.x
        error = (x - estimate(terms.px).view(self.samples, *x.shape).mean(0)).abs()
        observed = terms.batch.observed
        seen = torch.ones_like(error) if observed is None else observed.expand_as(error).to(error.dtype)
        total, count = (error * seen).flatten(1).sum(1), seen.flatten(1).sum(1)
        row = total / count.clamp(min=1)
        loss = (row + SMALLEST).log().mean() if self.relative else total.sum() / count.sum().clamp(min=1)
        penalty = self.beta * terms.kl.mean() if self.beta else 0.0
        return loss + penalty, logs_of(terms, absolute_error=row.mean())
