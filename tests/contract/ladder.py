"""Two layers of z, q(z2|x) q(z1|x,z2) and p(z2) p(z1|z2), which share the top-down network p(z1|z2): KL, free bits and units by layer."""

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from vaehub import Batch, Encoder, Example, Model, Outcome, Prior, Spec, hookimpl


def normal(params: Tensor) -> Distribution:
    mean, log_scale = params.chunk(2, -1)
    return Independent(Normal(mean, log_scale.clamp(-6, 3).exp(), validate_args=False), 1, validate_args=False)


class Layers(Outcome):
    """z = (z1, z2), z2 first and z1 given it."""

    has_rsample = True

    def __init__(self, upper, lower, sizes) -> None:
        self.upper, self.lower, self.sizes = upper, lower, sizes
        super().__init__(upper.batch_shape, torch.Size([sum(sizes)]), validate_args=False)

    @property
    def mean(self) -> Tensor:
        return torch.cat([self.lower(self.upper.mean).mean, self.upper.mean], -1)

    def rsample(self, sample_shape=()) -> Tensor:
        z2 = self.upper.rsample(sample_shape)
        return torch.cat([self.lower(z2).rsample(), z2], -1)

    def sample(self, sample_shape=()) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape)

    def log_prob_parts(self, value: Tensor) -> Tensor:
        z1, z2 = value.split(self.sizes, -1)
        return torch.stack([self.lower(z2).log_prob(z1), self.upper.log_prob(z2)], -1)

    def log_prob(self, value: Tensor) -> Tensor:
        return self.log_prob_parts(value).sum(-1)


class LadderPrior(Prior):
    """p(z2) standard normal, p(z1|z2) by a network that the encoder reads too."""

    def __init__(self, spec: Spec, latent: int) -> None:
        super().__init__(spec, latent)
        self.sizes = [latent - latent // 2, latent // 2]
        self.down = nn.Sequential(nn.Linear(self.sizes[1], 16), nn.Tanh(), nn.Linear(16, 2 * self.sizes[0]))

    def forward(self, cond: Tensor | None = None) -> Distribution:
        upper = normal(self.down[0].weight.new_zeros(2 * self.sizes[1]))
        return Layers(upper, lambda z2: normal(self.down(z2)), self.sizes)

    @classmethod
    def example(cls) -> Example:
        return Example(latent=4)


class LadderEncoder(Encoder):
    """q(z1|x,z2) is the precision-weighted product of p(z1|z2) and what x says, "Ladder VAE" (Sonderby et al., 2016), arXiv:1602.02282."""

    def __init__(self, spec: Spec, posterior) -> None:
        super().__init__(spec, posterior)
        self.sizes = [posterior.latent - posterior.latent // 2, posterior.latent // 2]
        self.trunk = nn.Sequential(nn.Linear(spec.size, 32), nn.Tanh())
        self.up1, self.up2 = nn.Linear(32, 2 * self.sizes[0]), nn.Linear(32, 2 * self.sizes[1])
        self.wired: tuple[LadderPrior, ...] = ()

    def wire(self, vae: Model) -> None:
        if isinstance(vae.prior, LadderPrior):
            self.wired = (vae.prior,)

    def forward(self, batch: Batch) -> Distribution:
        h = self.trunk(batch.x.flatten(1))
        seen, upper = normal(self.up1(h)), normal(self.up2(h))
        (prior,) = self.wired

        def lower(z2: Tensor) -> Distribution:
            above = normal(prior.down(z2))
            weight = above.variance / (above.variance + seen.variance)
            scale = (seen.variance * weight).sqrt()
            mean = weight * seen.mean + (1 - weight) * above.mean
            return Independent(Normal(mean, scale, validate_args=False), 1, validate_args=False)

        return Layers(upper, lower, self.sizes)


@hookimpl
def vaehub_components() -> dict[str, str]:
    return {"encoder/ladder": ":LadderEncoder", "prior/ladder": ":LadderPrior"}
