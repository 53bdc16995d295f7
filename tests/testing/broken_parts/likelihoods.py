"""Likelihoods: a unit normal, each with one thing wrong."""

from __future__ import annotations

import torch
import torch.distributions as td
from torch.distributions import constraints

from broken_parts.faults import fails
from vaehub.base import Likelihood


class Unit(Likelihood):
    """A normal distribution of unit variance: the intact family."""

    @property
    def param_shape(self):
        return (1, *self.spec.shape)

    def forward(self, params):
        return td.Normal(params[:, 0], 1.0, validate_args=False)


class Wrapped(td.Normal):
    """A unit normal that a faulty family changes in one place."""

    def __init__(self, loc, scale=1.0):
        super().__init__(loc, scale, validate_args=False)


@fails("param_shape_is_k_then_shape")
class FlatParameters(Unit):
    """The parameters of a row lie in one line."""

    @property
    def param_shape(self):
        return (self.spec.size,)

    def forward(self, params):
        return td.Normal(params.view(-1, *self.spec.shape), 1.0, validate_args=False)


@fails("log_prob_is_per_element_or_row")
class SumKeepsAnAxis(Unit):
    """log p is summed to (B, 1)."""

    class Summed(Wrapped):
        def log_prob(self, value):
            return super().log_prob(value).flatten(1).sum(1, keepdim=True)

    def forward(self, params):
        return self.Summed(params[:, 0])


@fails("density_sums_to_one")
class SquaredError(Unit):
    """The squared error, its constant forgotten."""

    class Error(Wrapped):
        def log_prob(self, value):
            return -0.5 * (value - self.loc).square()

    def forward(self, params):
        return self.Error(params[:, 0])


@fails("samples_are_rows_in_support")
class LeavesSupport(Unit):
    """Claims pixels and draws reals."""

    support = constraints.unit_interval
    expects = "0..1"


@fails("mean_is_mean_of_samples")
class WrongMean(Unit):
    """The mean is half of what it should be."""

    class Halved(Wrapped):
        @property
        def mean(self):
            return self.loc / 2

    def forward(self, params):
        return self.Halved(params[:, 0])


@fails("extreme_parameters_stay_finite")
class NoFloor(Unit):
    """The scale has no lower bound."""

    @property
    def param_shape(self):
        return (2, *self.spec.shape)

    def forward(self, params):
        return td.Normal(params[:, 0], params[:, 1].exp(), validate_args=False)


@fails("every_parameter_counts")
class IdleParameter(Unit):
    """Asks for two parameters and uses one."""

    @property
    def param_shape(self):
        return (2, *self.spec.shape)


@fails("rows_are_independent")
class BatchMean(Unit):
    """Centres the parameters over the batch, weighted by the place of the row."""

    def forward(self, params):
        return td.Normal(params[:, 0] - params[:1, 0], 1.0, validate_args=False)


@fails("low_precision_parameters_give_float32", "double_precision_is_kept")
class HalfPrecision(Unit):
    """Computes in bfloat16."""

    class Rounded(Wrapped):
        def log_prob(self, value):
            return super().log_prob(value).bfloat16()

    def forward(self, params):
        return self.Rounded(params[:, 0])


@fails("works_on_the_device_of_its_parameters", "tensors_follow_the_module")
class LeftBehind(Unit):
    """Keeps a tensor that does not move with the module."""

    def __init__(self, spec):
        super().__init__(spec)
        self.offset = torch.zeros(spec.shape)

    def forward(self, params):
        return td.Normal(params[:, 0] + self.offset, 1.0, validate_args=False)


@fails("support_and_expects_agree")
class VagueSupport(Unit):
    """Has a bounded support and says it takes any number."""

    support = constraints.unit_interval

    def forward(self, params):
        return td.Beta(params[:, 0].exp() + 1, 2.0, validate_args=False)


@fails("masked_entries_do_not_matter")
class InfiniteAtZero(Unit):
    """A log-normal: what stands for an unobserved x, 0, has no finite density."""

    support = constraints.positive
    expects = "positive numbers"

    def forward(self, params):
        return td.LogNormal(params[:, 0], 1.0, validate_args=False)


@fails("same_input_same_output")
class NoisyLikelihood(Unit):
    """Adds noise to its parameters, in evaluation too."""

    def forward(self, params):
        return td.Normal(params[:, 0] + torch.randn_like(params[:, 0]), 1.0, validate_args=False)


@fails("saving_keeps_every_bit")
class ForgetsItsShift(Unit):
    """Draws a number at the start that no model file keeps."""

    def __init__(self, spec):
        super().__init__(spec)
        self.shift = float(torch.rand(()))

    def forward(self, params):
        return td.Normal(params[:, 0] + self.shift, 1.0, validate_args=False)
