"""What every prior p(z|c) must satisfy."""

from __future__ import annotations

import torch
from torch import Tensor

from vaehub.base import Prior
from vaehub.model.nets import MLPEncoder
from vaehub.model.posteriors import DiagNormal
from vaehub.testing.bench import HIDDEN, Bench, around
from vaehub.testing.core import check, require
from vaehub.testing.measure import (
    jitter,
    require_different,
    require_finite,
    require_gradients,
    require_plane_density,
    require_same,
)
from vaehub.testing.settings import ROWS

EXTREME = 50.0
SAMPLES = 4000


def first(cond: Tensor | None, rows: int) -> Tensor | None:
    """The conditions of so many rows, where there are any."""
    return cond if cond is None else cond[:rows]


def conditions(width: int) -> Tensor:
    """Random conditions (B, C)."""
    return torch.randn(ROWS, width)


@check("prior")
def prior_has_rows_of_z(bench: Bench) -> None:
    """The batch is () or (B,), the event (L,), and log p of z (S, B, L) has shape (S, B)."""
    p = bench.make()(bench.setting.batch.cond)
    require(
        tuple(p.batch_shape) in {(), (ROWS,)} and tuple(p.event_shape) == (bench.latent,),
        f"batch {p.batch_shape}, event {p.event_shape}",
    )
    shape = tuple(p.log_prob(torch.randn(4, ROWS, bench.latent)).shape)
    require(shape == (4, ROWS), f"log p of z (4, {ROWS}, {bench.latent}) has shape {shape}")


@check("prior")
def prior_density_integrates_to_one(bench: Bench) -> None:
    """In two dimensions p(z) integrates to 1, and its samples have its moments."""
    prior = jitter(bench.make(latent=2)).eval()
    with torch.no_grad():
        p = prior(first(bench.setting.batch.cond, 3))
        require_plane_density(p, p.sample((SAMPLES,)))


@check("prior")
def prior_with_condition_has_rows(bench: Bench) -> None:
    """With a condition (B, C), log p of z (S, B, L) still has shape (S, B), and rows do not mix."""
    setting = bench.conditional
    prior = jitter(bench.make(setting)).eval()
    cond, z, order = conditions(setting.spec.cond), torch.randn(4, ROWS, bench.latent), torch.randperm(ROWS)
    log_pz = prior(cond).log_prob(z)
    require(
        tuple(log_pz.shape) == (4, ROWS), f"log p of z (4, {ROWS}, {bench.latent}) given cond has shape {tuple(log_pz.shape)}"
    )
    require_same(prior(cond[order]).log_prob(z[:, order]), log_pz[:, order], "log p(z|c) of a row depends on the other rows")


@check("prior")
def prior_batch_tells_whether_cond_is_used(bench: Bench) -> None:
    """A prior with batch (B,) depends on the condition; one with batch () does not."""
    setting = bench.conditional
    prior = jitter(bench.make(setting)).eval()
    z = torch.randn(ROWS, bench.latent)
    one, other = prior(conditions(setting.spec.cond)), prior(conditions(setting.spec.cond))
    if one.batch_shape:
        require_different(
            one.log_prob(z), other.log_prob(z), "batch (B,) promises p(z|c), but log p(z) is the same for other conditions"
        )
    else:
        require_same(one.log_prob(z), other.log_prob(z), "batch () promises p(z), but log p(z) differs with the condition")


@check("prior")
def prior_gradients_reach_every_parameter(bench: Bench) -> None:
    """Maximising log p(z|c) trains every parameter of the prior, and log p is differentiable in z."""
    setting = bench.conditional
    prior = jitter(bench.make(setting))
    z = torch.randn(ROWS, bench.latent, requires_grad=True)
    prior(conditions(setting.spec.cond)).log_prob(z).sum().backward()
    require_gradients(prior)
    require(z.grad is not None and bool(z.grad.any()), "log p(z) has no gradient in z: the encoder cannot feel the prior")


@check("prior")
def prior_is_finite_far_out(bench: Bench) -> None:
    """log p and its gradient are finite 50 units from the origin."""
    prior = jitter(bench.make()).eval()
    z = (EXTREME * torch.randn(ROWS, bench.latent).sign()).requires_grad_()
    log_pz = prior(bench.setting.batch.cond).log_prob(z)
    require_finite(log_pz, "log p(z) at z = +-50")
    (gradient,) = torch.autograd.grad(log_pz.sum(), z)
    require_finite(gradient, "gradient of log p(z) at z = +-50")


@check("prior")
def prior_keeps_no_copy_of_the_encoder(bench: Bench) -> None:
    """`wire` keeps a reference: the encoder's tensors are not saved with the prior."""
    setting = bench.setting
    prior: Prior = bench.make()
    encoder = jitter(MLPEncoder(setting.spec, DiagNormal(bench.latent), hidden=HIDDEN))
    around(prior, encoder, setting)
    theirs = [t for t in encoder.state_dict().values() if t.numel() > 1]
    copied = [name for name, t in prior.state_dict().items() if any(torch.equal(t, other) for other in theirs)]
    require(not copied, f"wire(vae) takes the encoder's tensors into the prior's own: {', '.join(copied[:3])}")


@check("prior")
def prior_starts_from_data(bench: Bench) -> None:
    """After `initialise` with training rows, log p(z) is finite."""
    batch = bench.setting.batch
    prior: Prior = bench.make()
    prior.initialise(batch)
    require_finite(prior(batch.cond).log_prob(torch.randn(ROWS, bench.latent)), "log p(z) after initialise()")
