"""What every posterior q(z|x,c) must satisfy."""

from __future__ import annotations

import torch
from torch import Tensor

from vaehub.base import Posterior, draw
from vaehub.testing.bench import Bench
from vaehub.testing.core import check, require
from vaehub.testing.measure import jitter, require_finite, require_plane_density, require_same

ROWS = 5
SAMPLES = 4000
EXTREME = 50.0


def features(posterior: Posterior, scale: float = 1.0) -> Tensor:
    """What an encoder might put out (B, features)."""
    return scale * torch.randn(ROWS, posterior.features)


@check("posterior")
def posterior_has_rows_of_z(bench: Bench) -> None:
    """(B, features) gives a distribution with batch (B,) and event (L,)."""
    posterior: Posterior = jitter(bench.make())
    require(
        isinstance(posterior.features, int) and posterior.features > 0, f"features is {posterior.features!r}, not a positive int"
    )
    q = posterior(features(posterior))
    seen = (tuple(q.batch_shape), tuple(q.event_shape))
    require(seen == ((ROWS,), (bench.latent,)), f"batch and event shape are {seen}, not (({ROWS},), ({bench.latent},))")


@check("posterior")
def posterior_density_integrates_to_one(bench: Bench) -> None:
    """In two dimensions q(z) integrates to 1, and its samples have its moments."""
    posterior = jitter(bench.make(latent=2))
    with torch.no_grad():
        q = posterior(features(posterior)[:3])
        require_plane_density(q, draw(q, SAMPLES)[0])


@check("posterior")
def posterior_samples_are_reparameterised(bench: Bench) -> None:
    """Gradients flow from samples z to every parameter that the encoder puts out."""
    posterior = jitter(bench.make())
    h = features(posterior).requires_grad_()
    q = posterior(h)
    z = q.rsample((4,))
    require(z.requires_grad, "rsample() gives z without gradient")
    (through,) = torch.autograd.grad((z * torch.randn_like(z)).sum() + q.log_prob(z).sum(), h)
    idle = [i for i in range(posterior.features) if not bool(through[:, i].any())]
    require(not idle, f"features {idle} of {posterior.features} change nothing")


@check("posterior")
def posterior_extremes_stay_finite(bench: Bench) -> None:
    """Features of +-50 give finite samples, log q and gradients."""
    posterior = bench.make()
    h = (EXTREME * torch.randn(ROWS, posterior.features).sign()).requires_grad_()
    q = posterior(h)
    z = q.rsample()
    require_finite(z, "samples z with features of +-50")
    log_qz = q.log_prob(z)
    require_finite(log_qz, "log q(z) with features of +-50")
    (gradient,) = torch.autograd.grad(log_qz.sum() + z.sum(), h)
    require_finite(gradient, "gradient of log q(z) with features of +-50")


@check("posterior")
def posterior_rows_are_independent(bench: Bench) -> None:
    """Rows in another order give the same log q in that order."""
    posterior = jitter(bench.make()).eval()
    h, z, order = features(posterior), torch.randn(ROWS, bench.latent), torch.randperm(ROWS)
    expected = posterior(h).log_prob(z)[order]
    require_same(posterior(h[order]).log_prob(z[order]), expected, "log q(z) of a row depends on the other rows")


@check("posterior")
def posterior_takes_samples_first(bench: Bench) -> None:
    """log q of z (S, B, L) has shape (S, B), and agrees with what sampling and scoring in one pass gives."""
    posterior = jitter(bench.make()).eval()
    q = posterior(features(posterior))
    z, log_qz = draw(q, 4)
    log_qz = q.log_prob(z) if log_qz is None else log_qz
    require(tuple(log_qz.shape) == (4, ROWS), f"log q of z (4, {ROWS}, {bench.latent}) has shape {tuple(log_qz.shape)}")
    each = torch.stack([q.log_prob(one) for one in z])
    require_same(log_qz, each, "log q(z) of several draws is not that of each draw", tolerance=1e-3)


@check("posterior")
def posterior_is_float32_at_least(bench: Bench) -> None:
    """Features in bfloat16 give log q in float32."""
    posterior = bench.make()
    dtype = posterior(features(posterior).bfloat16()).log_prob(torch.randn(ROWS, bench.latent)).dtype
    require(dtype == torch.float32, f"features in bfloat16 give log q(z) in {dtype}")
