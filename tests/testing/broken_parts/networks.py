"""Encoders and decoders: linear maps, each with one thing wrong."""

from __future__ import annotations

import torch
import torch.distributions as td
from torch import nn

from broken_parts.faults import fails
from broken_parts.likelihoods import Wrapped
from vaehub.base import Batch, Decoder, Encoder


class Linear(Encoder):
    """A linear map of x and cond: the intact encoder."""

    def __init__(self, spec, posterior):
        super().__init__(spec, posterior)
        self.net = nn.Linear(spec.size + spec.cond, posterior.features)

    def inputs(self, batch: Batch):
        x = batch.x.flatten(1)
        return x if batch.cond is None else torch.cat([x, batch.cond], 1)

    def forward(self, batch):
        return self.posterior(self.net(self.inputs(batch)))


@fails("rows_in_another_order")
class OrderMatters(Linear):
    """Adds up the rows before."""

    def forward(self, batch):
        return self.posterior(self.net(self.inputs(batch)).cumsum(0))


@fails("batch_size_does_not_matter")
class BatchStatistics(Linear):
    """Normalises by the batch in evaluation too."""

    def forward(self, batch):
        h = self.net(self.inputs(batch))
        return self.posterior(h - h.mean(0))


@fails("condition_is_used")
class IgnoresCondition(Linear):
    """Has no ear for the condition."""

    def __init__(self, spec, posterior):
        super().__init__(spec, posterior)
        self.net = nn.Linear(spec.size, posterior.features)

    def inputs(self, batch):
        return batch.x.flatten(1)


@fails("works_without_condition")
class DemandsCondition(Linear):
    """Reads a condition that may not be there."""

    def inputs(self, batch):
        return torch.cat([batch.x.flatten(1), batch.cond], 1)


@fails("input_is_used", "each_row_has_its_own_posterior")
class IgnoresX(Linear):
    """Sees zeros whatever comes."""

    def inputs(self, batch):
        return 0 * super().inputs(batch)


@fails("gradients_reach_every_parameter")
class UnusedLayer(Linear):
    """Has a layer that takes no part."""

    def __init__(self, spec, posterior):
        super().__init__(spec, posterior)
        self.spare = nn.Linear(2, 2)


@fails("densities_are_float32_under_autocast")
class LowPrecisionPosterior(Linear):
    """Makes its own distribution from what autocast left in bfloat16."""

    def __init__(self, spec, posterior):
        super().__init__(spec, posterior)
        self.net = nn.Linear(spec.size + spec.cond, 2 * posterior.latent)

    def forward(self, batch):
        mean, scale = self.net(self.inputs(batch)).chunk(2, -1)
        return LowDensity(mean, scale.sigmoid() + 0.1)


class LowDensity(td.Independent):
    """A diagonal normal whose log p keeps the precision of its parameters."""

    def __init__(self, mean, scale):
        super().__init__(td.Normal(mean, scale, validate_args=False), 1, validate_args=False)

    def log_prob(self, value):
        return super().log_prob(value).to(self.base_dist.loc.dtype)


@fails("mask_that_hides_nothing_changes_nothing")
class DoublesUnderMask(Linear):
    """Reads x another way wherever rows come with a mask."""

    def forward(self, batch):
        return super().forward(batch if batch.mask is None else batch._replace(x=batch.x * 2))


@fails("encoder_has_rows_of_z")
class NoEvent(Linear):
    """Forgets that a row of z is one event."""

    def forward(self, batch):
        return super().forward(batch).base_dist


@fails("samples_carry_gradients_to_x")
class Detached(Linear):
    """Encodes without gradients."""

    def forward(self, batch):
        with torch.no_grad():
            return super().forward(batch)


class LinearDecoder(Decoder):
    """A linear map of z and cond to the mean of a unit normal: the intact decoder."""

    def __init__(self, spec, latent, likelihood):
        super().__init__(spec, latent, likelihood)
        self.net = nn.Linear(latent + spec.cond, spec.size)

    def mean(self, z, cond):
        return self.net(z if cond is None else torch.cat([z, cond], 1)).view(-1, *self.spec.shape)

    def forward(self, z, cond=None):
        return self.Px(self.mean(z, cond))

    class Px(Wrapped):
        pass


@fails("input_is_used")
class IgnoresZ(LinearDecoder):
    """Decodes the same whatever the code."""

    def mean(self, z, cond):
        return super().mean(0 * z, cond)


@fails("decoder_scores_elements_or_rows")
class ScoreKeepsAnAxis(LinearDecoder):
    """log p is summed to (B, 1)."""

    class Px(Wrapped):
        def log_prob(self, value):
            return super().log_prob(value).flatten(1).sum(1, keepdim=True)


@fails("decoder_samples_are_rows_in_support")
class SamplesHaveAnAxisTooMany(LinearDecoder):
    """Samples do not have the shape of rows."""

    class Px(Wrapped):
        def sample(self, sample_shape=()):
            return super().sample(sample_shape).unsqueeze(-1)


@fails("decoder_has_a_point_estimate")
class NoPoint(LinearDecoder):
    """Has neither mean nor mode."""

    class Px(Wrapped):
        @property
        def mean(self):
            raise NotImplementedError

        mode = mean


@fails("later_elements_are_not_seen_before")
class Peeks(LinearDecoder):
    """Scores every element by the mean of all elements of the row."""

    class Px(Wrapped):
        def log_prob(self, value):
            hint = value.flatten(1).mean(1).view(-1, *[1] * (value.dim() - 1))
            return td.Normal(self.loc + hint, 1.0).log_prob(value)


@fails("samples_follow_the_density")
class OtherSampler(LinearDecoder):
    """Samples are not shifted by the mean."""

    class Px(Wrapped):
        def sample(self, sample_shape=()):
            return super().sample(sample_shape) + 1
