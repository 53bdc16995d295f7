"""Objectives and feature networks, each with one thing wrong."""

from __future__ import annotations

import torch
from torch import nn

from broken_parts.faults import fails
from vaehub.base import Features, Objective


class Bound(Objective):
    """-ELBO: the intact objective."""

    def forward(self, terms, step):
        return -terms.elbo.mean(), {"elbo": terms.elbo.detach().mean()}


@fails("loss_is_a_finite_scalar")
class LossPerRow(Bound):
    """Forgets the mean."""

    def forward(self, terms, step):
        return -terms.elbo, {}


@fails("loss_has_gradients_for_all")
class TrainsEncoderOnly(Bound):
    """Forgets log p(x|z): the decoder learns nothing."""

    def forward(self, terms, step):
        return terms.kl.mean(), {}


@fails("logs_are_detached_scalars")
class LogsGraphs(Bound):
    """Keeps the graph alive through its logs."""

    def forward(self, terms, step):
        return -terms.elbo.mean(), {"elbo": terms.elbo.mean()}


@fails("samples_is_a_positive_integer")
class NoSamples(Bound):
    """Asks for half a sample."""

    samples = 0.5


@fails("loss_does_not_grow_with_the_batch")
class SumsRows(Bound):
    """Sums over the rows, so that the learning rate depends on the batch size."""

    def forward(self, terms, step):
        return -terms.elbo.sum(), {}


@fails("minimising_improves_the_model")
class WrongSign(Bound):
    """Minimises the bound."""

    def forward(self, terms, step):
        return terms.elbo.mean(), {}


class Layer(Features):
    """One fixed layer: the intact feature network."""

    def __init__(self, spec):
        super().__init__(spec)
        self.net = nn.Linear(spec.size, 5)

    def forward(self, x):
        return [x.flatten(1), self.net(x.flatten(1)).tanh()]


@fails("activations_have_rows")
class OneTensor(Layer):
    """Gives a tensor in place of a list."""

    def forward(self, x):
        return super().forward(x)[0]


@fails("activations_carry_gradients_to_x")
class NoGradient(Layer):
    """Cuts the graph."""

    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


@fails("activations_are_of_each_row_alone")
class Centred(Layer):
    """Centres over the batch."""

    def forward(self, x):
        return [a - a.mean(0) for a in super().forward(x)]
