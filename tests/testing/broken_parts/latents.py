"""Posteriors and priors: normal distributions, each with one thing wrong."""

from __future__ import annotations

import torch
import torch.distributions as td
from torch import nn

from broken_parts.faults import fails
from broken_parts.networks import LowDensity
from vaehub.base import Posterior, Prior
from vaehub.model.posteriors import diag_normal


class Diagonal(Posterior):
    """A diagonal normal with bounded scales: the intact posterior."""

    def __init__(self, latent):
        super().__init__(latent)
        self.features = 2 * latent

    def forward(self, params):
        mean, raw = params.chunk(2, -1)
        return diag_normal(mean, raw.sigmoid() + 0.1)


@fails("posterior_has_rows_of_z")
class PosteriorWithoutEvent(Diagonal):
    """Gives one distribution per number."""

    def forward(self, params):
        return super().forward(params).base_dist


@fails("posterior_density_integrates_to_one")
class Unscaled(Diagonal):
    """Leaves the scale out of its density."""

    class Q(td.Independent):
        def log_prob(self, value):
            return super().log_prob(value) + self.base_dist.scale.log().sum(-1)

    def forward(self, params):
        return self.Q(super().forward(params).base_dist, 1)


@fails("posterior_density_integrates_to_one")
class OtherNoise(Diagonal):
    """Samples are wider than the density says."""

    class Q(td.Independent):
        def rsample(self, sample_shape=()):
            z = super().rsample(sample_shape)
            return self.mean + 1.3 * (z - self.mean)

    def forward(self, params):
        return self.Q(super().forward(params).base_dist, 1)


@fails("posterior_samples_are_reparameterised")
class IdleFeature(Diagonal):
    """Asks for a feature that it does not use."""

    def __init__(self, latent):
        super().__init__(latent)
        self.features = 2 * latent + 1

    def forward(self, params):
        return super().forward(params[..., :-1])


@fails("posterior_extremes_stay_finite")
class Unbounded(Diagonal):
    """exp without bounds."""

    def forward(self, params):
        mean, log_scale = params.chunk(2, -1)
        return diag_normal(mean, (2 * log_scale).exp())


@fails("posterior_rows_are_independent")
class MixesRows(Diagonal):
    """Subtracts the first row."""

    def forward(self, params):
        return super().forward(params - params[:1])


@fails("posterior_takes_samples_first")
class ScoresOneDraw(Diagonal):
    """Loses the axis of draws."""

    class Q(td.Independent):
        def log_prob(self, value):
            return super().log_prob(value).reshape(-1, *self.batch_shape)[0]

    def forward(self, params):
        return self.Q(super().forward(params).base_dist, 1)


@fails("posterior_is_float32_at_least")
class HalfPosterior(Diagonal):
    """Computes in bfloat16."""

    def forward(self, params):
        return LowDensity(*(p.bfloat16().sigmoid() for p in params.chunk(2, -1)))


class LearntNormal(Prior):
    """A normal with learnt mean: the intact prior."""

    def __init__(self, spec, latent):
        super().__init__(spec, latent)
        self.mean = nn.Parameter(torch.zeros(latent))

    def forward(self, cond=None):
        return diag_normal(self.mean, torch.ones_like(self.mean))


@fails("prior_has_rows_of_z")
class PriorWithoutEvent(LearntNormal):
    """Gives one distribution per number."""

    def forward(self, cond=None):
        return super().forward(cond).base_dist


@fails("prior_density_integrates_to_one")
class Heavier(LearntNormal):
    """Twice the probability that there is."""

    class P(td.Independent):
        def log_prob(self, value):
            return super().log_prob(value) + 0.7

    def forward(self, cond=None):
        return self.P(super().forward(cond).base_dist, 1)


class ByCondition(LearntNormal):
    """The mean is a linear function of the condition."""

    def __init__(self, spec, latent):
        super().__init__(spec, latent)
        self.net = nn.Linear(spec.cond, latent) if spec.cond else None

    def forward(self, cond=None):
        mean = self.mean if cond is None else self.mean + self.net(cond)
        return diag_normal(mean, torch.ones_like(mean))


@fails("prior_with_condition_has_rows")
class MixesConditions(ByCondition):
    """Every row is given the mean condition, and its place."""

    def forward(self, cond=None):
        return super().forward(cond if cond is None else cond.cumsum(0))


@fails("prior_batch_tells_whether_cond_is_used")
class PromisesCondition(LearntNormal):
    """Has a row for every condition, and all are equal."""

    def forward(self, cond=None):
        mean = self.mean if cond is None else self.mean.expand(len(cond), -1)
        return diag_normal(mean, torch.ones_like(mean))


@fails("prior_gradients_reach_every_parameter")
class UntrainedPrior(LearntNormal):
    """Detaches what it learns."""

    def forward(self, cond=None):
        return diag_normal(self.mean.detach(), torch.ones_like(self.mean))


@fails("prior_is_finite_far_out")
class Vanishes(LearntNormal):
    """The density underflows before its logarithm is taken."""

    class P(td.Independent):
        def log_prob(self, value):
            return super().log_prob(value).exp().log()

    def forward(self, cond=None):
        return self.P(super().forward(cond).base_dist, 1)


@fails("prior_keeps_no_copy_of_the_encoder")
class AdoptsEncoder(LearntNormal):
    """Registers the encoder as its own."""

    def wire(self, vae):
        self.encoder = vae.encoder


@fails("prior_starts_from_data")
class DividesByZero(LearntNormal):
    """Starts from a statistic of the data that is 0 / 0."""

    def initialise(self, batch):
        with torch.no_grad():
            self.mean.copy_(self.mean / batch.x.sub(batch.x).sum())
