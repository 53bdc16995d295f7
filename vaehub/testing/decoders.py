"""What every decoder p(x|z,c) must satisfy beyond what it shares with encoders."""

from __future__ import annotations

import torch
from torch import Tensor

from vaehub.base import Batch, Decoder, estimate
from vaehub.testing.bench import Bench
from vaehub.testing.core import Skipped, check, require
from vaehub.testing.measure import SIGMAS, require_finite
from vaehub.testing.networks import ready, rows

CUTS = 5  # places at which causality is tested
FEW = 2  # rows to sample: an autoregressive decoder may take a pass per element
SAMPLES = 200


@check("decoder")
def decoder_scores_elements_or_rows(bench: Bench) -> None:
    """log p(x|z,c) has one value per element (B, *shape), or one per row (B,)."""
    net, batch, z = ready(bench)
    log_px = net(z, batch.cond).log_prob(batch.x)
    require(
        tuple(log_px.shape) in {tuple(batch.x.shape), (len(z),)},
        f"log p of x {tuple(batch.x.shape)} has shape {tuple(log_px.shape)}",
    )
    require_finite(log_px, "log p(x|z)")


@check("decoder")
def decoder_samples_are_rows_in_support(bench: Bench) -> None:
    """Samples have the shape of rows and lie in the likelihood's support."""
    net, batch, z = ready(bench, bench.smallest)
    few = rows(batch, torch.arange(FEW))
    x = net(z[:FEW], few.cond).sample()
    require(x.shape == few.x.shape, f"{FEW} samples have shape {tuple(x.shape)}, not {tuple(few.x.shape)}")
    inside = bool(net.likelihood.support.check(x).all())
    require(inside, f"samples span [{x.min():g}, {x.max():g}], outside the support {net.likelihood.support}")


@check("decoder")
def decoder_has_a_point_estimate(bench: Bench) -> None:
    """p(x|z,c) has a mean or a mode (B, *shape) to show."""
    net, batch, z = ready(bench, bench.smallest)
    few = rows(batch, torch.arange(FEW))
    shown = estimate(net(z[:FEW], few.cond))
    require(shown.shape == few.x.shape, f"the estimate of x has shape {tuple(shown.shape)}, not {tuple(few.x.shape)}")
    require_finite(shown.float(), "estimate of x")


@check("decoder")
def later_elements_are_not_seen_before(bench: Bench) -> None:
    """Causality: log p of an element depends on no element that comes after it, in raster order (channels first or last)."""
    net, batch, z = ready(bench)
    log_px = score(net, batch, z)
    if log_px.shape != batch.x.shape:
        raise Skipped("log p is given per row, not per element")
    orders = [raster(batch.x, channels_last) for channels_last in (False, True)]
    worst = [max(leak(net, batch, z, log_px, order, cut) for cut in cuts(batch.x)) for order in orders]
    require(min(worst) < 1e-4, f"changing later elements of x changes log p of earlier ones by up to {min(worst):.3g}")


def score(net: Decoder, batch: Batch, z: Tensor) -> Tensor:
    """log p(x|z,c), without gradients."""
    with torch.no_grad():
        log_px: Tensor = net(z, batch.cond).log_prob(batch.x)
    return log_px


def raster(x: Tensor, channels_last: bool) -> Tensor:
    """The place of every element in the order of generation (*shape): row by row, channels before pixels or within each pixel."""
    shape = x.shape[1:]
    if not channels_last:
        return torch.arange(x[0].numel()).reshape(shape)
    return torch.arange(x[0].numel()).reshape(*shape[1:], shape[0]).movedim(-1, 0)


def cuts(x: Tensor) -> list[int]:
    """Some places in the order, the first and last among them."""
    return sorted({int(c) for c in torch.linspace(1, x[0].numel() - 1, CUTS)})


def leak(net: Decoder, batch: Batch, z: Tensor, log_px: Tensor, order: Tensor, cut: int) -> float:
    """The greatest change of log p before `cut` when all x from `cut` on are changed."""
    later = order >= cut
    changed = batch._replace(x=torch.where(later, batch.x.roll(1, 0), batch.x))
    difference = (score(net, changed, z) - log_px).abs()[:, ~later]
    return float(difference.max()) if difference.numel() else 0.0


@check("decoder")
def samples_follow_the_density(bench: Bench) -> None:
    """The mean over samples of the slope of log p(x|z) in z is 0, as it is where samples have that very density."""
    net, batch, z = ready(bench, bench.smallest)
    start, ahead = z[:1].expand(SAMPLES, -1), 0.01 * torch.randn(1, z.shape[1])
    cond = None if batch.cond is None else batch.cond[:1].expand(SAMPLES, -1)
    with torch.no_grad():
        x = net(start, cond).sample()
        up, down = (net(at, cond).log_prob(x).reshape(SAMPLES, -1).double().sum(1) for at in (start + ahead, start - ahead))
    slope = (up - down) / 0.02
    error = slope.std() / SAMPLES**0.5
    require(
        abs(slope.mean()) < SIGMAS * error + 1e-3,
        f"samples are not drawn from the density: E[d log p(x|z)/dz] = {slope.mean():.3g} +- {error:.2g}",
    )
