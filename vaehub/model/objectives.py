"""What is minimised: functions of log p(x|z), log p(z) and log q(z|x). Losses are nats per row."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from vaehub.base import Features, Logs, Objective, Part, Step, Terms, estimate
from vaehub.errors import UsageError

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


def logs_of(terms: Terms, **more: Tensor | float) -> Logs:
    """The bound and its two parts, averaged over the batch, and what else an objective logs.

    Arguments:
        terms: of the batch.
        more: figures by name.

    >>> from vaehub.base import Batch
    >>> from vaehub.model.posteriors import diag_normal
    >>> q, p = diag_normal(torch.ones(1, 2), torch.ones(2)), diag_normal(torch.zeros(2), torch.ones(2))
    >>> logs_of(Terms(torch.tensor([[-3.0]]), q.rsample((1,)), q, p, q, Batch(torch.zeros(1, 2))), weight=0.5)
    {'elbo': tensor(-4.), 'log_px': tensor(-3.), 'kl': tensor(1.), 'weight': tensor(0.5000)}
    """
    log_px, kl = terms.log_px.detach().mean(), terms.kl.detach().mean()
    logs = {"elbo": log_px - kl, "log_px": log_px, "kl": kl}
    return logs | {name: torch.as_tensor(value, device=terms.z.device).detach() for name, value in more.items()}


def ramp(shape: str, position: float, steps: int) -> float:
    """Weight in 0..1 at `position` of a schedule that takes `steps`."""
    done = position / steps
    shapes = {
        "constant": lambda: 1.0,
        "linear": lambda: min(1.0, done),
        "sigmoid": lambda: 1.0 if done >= 1 else 1 / (1 + math.exp(-12 * (done - 0.5))),
        "cyclical": lambda: min(1.0, 2 * (done % 1.0)),
    }
    return shapes[shape]()


class ELBO(Objective):
    """-log p(x|z) + beta(t) KL, with the field's remedies against posterior collapse.

    loss = -E_q[log p(x|z)] + beta w(t) sum_d max(KL_d, free_bits), or with a capacity C(t): gamma |KL - C(t)| in place of beta KL.
    w(t) rises over `warmup` steps or epochs, or is periodic with that period (cyclical: half rising, half at 1).

    "Auto-Encoding Variational Bayes" (Kingma & Welling, 2014), arXiv:1312.6114; "beta-VAE: Learning Basic Visual Concepts with a Constrained
    Variational Framework" (Higgins et al., 2017), openreview Sy2fzU9gl; "Generating Sentences from a Continuous Space" (Bowman et al., 2016),
    arXiv:1511.06349 (annealing); "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing" (Fu et al., 2019),
    arXiv:1903.10145; "Improved Variational Inference with Inverse Autoregressive Flow" (Kingma et al., 2016), arXiv:1606.04934 (free bits,
    here in nats per dimension, averaged over the batch); "Understanding disentangling in beta-VAE" (Burgess et al., 2018), arXiv:1804.03599
    (capacity, in nats).

    Arguments:
        beta: Weight of the KL term; above 1 disentangles (beta-VAE), 0 leaves an autoencoder.
        schedule: How the weight of the KL term rises.
        warmup: Length of the rise, or of a period of the cyclical schedule, in units.
        unit: What `warmup` counts.
        free_bits: Nats of KL that every latent dimension has for nothing.
        capacity: KL in nats that is aimed at; given, it takes the place of beta.
        gamma: Weight of the distance to the capacity.
        samples: Draws of z for every row.

    >>> ELBO(schedule="linear", warmup=10).kl_weight(Step(epoch=5))
    0.5
    """

    def __init__(
        self,
        *,
        beta: NonNegative = 1.0,
        schedule: Literal["constant", "linear", "sigmoid", "cyclical"] = "constant",
        warmup: Count = 1,
        unit: Literal["step", "epoch"] = "epoch",
        free_bits: NonNegative = 0.0,
        capacity: NonNegative | None = None,
        gamma: Positive = 100.0,
        samples: Count = 1,
    ) -> None:
        super().__init__()
        self.beta, self.schedule, self.warmup, self.unit = beta, schedule, warmup, unit
        self.free_bits, self.capacity, self.gamma, self.samples = free_bits, capacity, gamma, samples

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        weight = self.kl_weight(step)
        kl = self._kl(terms)
        penalty = self.beta * weight * kl if self.capacity is None else self.gamma * (kl - weight * self.capacity).abs()
        return penalty - terms.log_px.mean(), logs_of(terms, kl_weight=self.beta * weight)

    def kl_weight(self, step: Step) -> float:
        """w(t), the share of beta or of the capacity that applies at this point of training.

        Arguments:
            step: where training stands.
        """
        position = {"step": step.step, "epoch": step.epoch}[self.unit]
        return ramp(self.schedule, position, self.warmup)

    def _kl(self, terms: Terms) -> Tensor:
        """Batch mean of the KL, every dimension at least `free_bits`; a KL that comes in pieces of several dimensions as many times that."""
        if not self.free_bits:
            return terms.kl.mean()
        pieces = terms.kl_per_dim.mean(0)
        return pieces.clamp(min=self.free_bits * terms.z.shape[-1] / len(pieces)).sum()


class IWAE(Objective):
    """-log 1/S sum_s p(x,z_s)/q(z_s|x): a tighter bound than the ELBO.

    "Importance Weighted Autoencoders" (Burda et al., 2016), arXiv:1509.00519; `dreg` takes the encoder's gradient from "Doubly
    Reparameterized Gradient Estimators for Monte Carlo Objectives" (Tucker et al., 2019), arXiv:1810.04152, whose signal does not vanish as
    S grows; it needs a posterior whose parameters can be held fixed (diag_normal, full_normal).

    Arguments:
        samples: Draws of z for every row, S.
        dreg: Take the encoder's gradient from the doubly reparameterised estimator.

    >>> IWAE(samples=8).samples
    8
    """

    def __init__(self, *, samples: Count = 5, dreg: bool = False) -> None:
        super().__init__()
        self.samples, self.dreg = samples, dreg

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        log_qz = frozen(terms.q).log_prob(terms.z) if self.dreg else terms.log_qz
        log_w = terms.log_px + terms.log_pz - log_qz
        bound = (log_w.logsumexp(0) - math.log(len(log_w))).mean()
        logs = logs_of(terms, iwae=bound)
        return (-_dreg_bound(log_w, terms.z) if self.dreg else -bound), logs


def _dreg_bound(log_w: Tensor, z: Tensor) -> Tensor:
    """A surrogate whose gradient is sum_s w_s d log w_s for the decoder and prior, and sum_s w_s^2 d log w_s through z for the encoder."""
    weights = log_w.detach().softmax(0)
    if z.requires_grad:
        z.register_hook(lambda gradient: weights.unsqueeze(-1) * gradient)
    return (weights * log_w).sum(0).mean()


def frozen(q: Distribution) -> Distribution:
    """The same distribution with its parameters held fixed. Raises UsageError where that is not possible."""
    if isinstance(q, Independent) and isinstance(q.base_dist, Normal):
        return Independent(
            Normal(q.base_dist.loc.detach(), q.base_dist.scale.detach(), validate_args=False), 1, validate_args=False
        )
    if isinstance(q, MultivariateNormal):
        return MultivariateNormal(q.loc.detach(), scale_tril=q.scale_tril.detach(), validate_args=False)
    raise UsageError("objective.dreg: needs posterior diag_normal or full_normal; set dreg=false or change the posterior")


class TCVAE(Objective):
    """-log p(x|z) + alpha I(x;z) + beta TC(z) + gamma sum_d KL(q(z_d) || p(z_d)), by minibatch stratified sampling.

    "Isolating Sources of Disentanglement in Variational Autoencoders" (Chen et al., 2018), arXiv:1802.04942, equation 4 and appendix C.2;
    needs a posterior and a prior that factorise over dimensions (diag_normal; standard_normal or conditional_normal).

    Arguments:
        alpha: Weight of the mutual information of rows and codes.
        beta: Weight of the total correlation of the latent dimensions.
        gamma: Weight of each dimension's own KL to the prior.
    """

    def __init__(self, *, alpha: NonNegative = 1.0, beta: NonNegative = 6.0, gamma: NonNegative = 1.0) -> None:
        super().__init__()
        self.alpha, self.beta, self.gamma = alpha, beta, gamma

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        information, correlation, dimensions = self.decompose(terms, step.examples)
        loss = self.alpha * information + self.beta * correlation + self.gamma * dimensions - terms.log_px.mean()
        return loss, logs_of(terms, mutual_information=information, total_correlation=correlation, dimension_kl=dimensions)

    @staticmethod
    def decompose(terms: Terms, examples: int) -> tuple[Tensor, Tensor, Tensor]:
        """The three parts of the KL in nats, estimated from one draw a row.

        Arguments:
            terms: of a batch.
            examples: size of the training set.

        Returns:
            Mutual information of index and code, total correlation, and the KL dimension by dimension.
        """
        q, p = _factors(terms.q), _factors(terms.p)
        z = terms.z[0]
        pairs = q.log_prob(z.unsqueeze(1))  # (B, B, L): log q(z_i | x_j) by dimension
        weights = stratified(len(z), max(examples, len(z)), z)
        log_qz = (pairs.sum(-1) + weights).logsumexp(1)
        log_qz_product = (pairs + weights.unsqueeze(-1)).logsumexp(1).sum(-1)
        log_qzx, log_pz = pairs.diagonal().sum(0), p.log_prob(z).sum(-1)
        return (log_qzx - log_qz).mean(), (log_qz - log_qz_product).mean(), (log_qz_product - log_pz).mean()


def stratified(batch: int, examples: int, like: Tensor) -> Tensor:
    """Log weights (B, B) of q(z_i | x_j) in an estimate of log q(z_i) from a batch of M of N rows: 1/N for j = i, (N - 1)/(N (M - 1)) else.

    Exact for M = N. Chen et al. (2018), appendix C.2, minibatch stratified sampling.
    """
    if batch == 1:
        return like.new_zeros(1, 1)
    off = math.log((examples - 1) / (examples * (batch - 1)))
    weights = like.new_full((batch, batch), off)
    return weights.fill_diagonal_(-math.log(examples))


def _factors(d: Distribution) -> Distribution:
    if not isinstance(d, Independent):
        raise UsageError("objective tc_vae: needs posterior diag_normal and prior standard_normal or conditional_normal")
    base: Distribution = d.base_dist
    return base


class InfoVAE(Objective):
    """-log p(x|z) + (1 - alpha) KL + (alpha + lam - 1) MMD(q(z), p(z)), with an inverse multiquadratic kernel.

    "InfoVAE: Balancing Learning and Inference in Variational Autoencoders" (Zhao et al., 2019), arXiv:1706.02262, equation 6; the kernel and
    its widths as in "Wasserstein Auto-Encoders" (Tolstikhin et al., 2018), arXiv:1711.01558. alpha = 1 leaves the MMD-VAE.

    Arguments:
        alpha: Share of the KL term that is left out; 1 leaves the MMD-VAE.
        lam: Weight of the distance of all codes from the prior.
    """

    def __init__(self, *, alpha: Annotated[float, Field(ge=0, le=1)] = 0.0, lam: Positive = 10.0) -> None:
        super().__init__()
        self.alpha, self.lam = alpha, lam

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        z = terms.z[0]
        other = terms.p.sample(z.shape[: 1 - len(terms.p.batch_shape)])
        distance = mmd(z, other)
        loss = (1 - self.alpha) * terms.kl.mean() + (self.alpha + self.lam - 1) * distance - terms.log_px.mean()
        return loss, logs_of(terms, mmd=distance)


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """Unbiased squared maximum mean discrepancy between samples a, b (B, L), kernels C / (C + d^2) of seven widths."""
    n = len(a)
    if n < 2:
        return a.new_zeros(())
    off = 1 - torch.eye(n, dtype=a.dtype, device=a.device)
    within = (_kernel(a, a) + _kernel(b, b)) * off
    return within.sum() / (n * (n - 1)) - 2 * _kernel(a, b).mean()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    squared = (a.unsqueeze(1) - b.unsqueeze(0)).square().sum(-1)
    widths = [2.0 * a.shape[-1] * s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)]
    return torch.stack([c / (c + squared) for c in widths]).mean(0)


class Perceptual(Objective):
    """ELBO loss + weight * sum_l mean (phi_l(x) - phi_l(E[x|z]))^2: feature matching by a frozen network phi.

    "Deep Feature Consistent Variational Autoencoder" (Hou et al., 2017), arXiv:1610.00291. The bound it logs is the plain one.

    Arguments:
        features: The frozen network whose activations are compared.
        weight: Weight of their distance.
        beta: Weight of the KL term.
    """

    def __init__(self, *, features: Part[Features], weight: Positive = 1.0, beta: NonNegative = 1.0) -> None:
        super().__init__()
        self.features: Features = features()
        self.features.eval().requires_grad_(False)
        self.weight, self.beta = weight, beta

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        """Loss and logs; see the class."""
        self.features.eval()
        shown = estimate(terms.px)
        pairs = zip(self.features(terms.batch.x), self.features(shown), strict=True)
        distance = torch.stack([(a - b).square().mean() for a, b in pairs]).sum()
        loss = self.beta * terms.kl.mean() + self.weight * distance - terms.log_px.mean()
        return loss, logs_of(terms, feature_distance=distance)
