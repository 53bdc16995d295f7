"""What encoders and decoders have in common, each seen through one question: which figures does it give for these rows?"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from vaehub.base import Batch, Decoder
from vaehub.errors import UsageError
from vaehub.model.vae import VAE
from vaehub.testing.bench import LATENT, Bench
from vaehub.testing.core import Skipped, check, require
from vaehub.testing.measure import jitter, require_different, require_finite, require_gradients, require_same
from vaehub.testing.settings import Setting


def codes(rows: int, latent: int = LATENT) -> Tensor:
    """z (B, L) that every check uses."""
    return torch.randn(rows, latent, generator=torch.Generator().manual_seed(1))


def output(net: nn.Module, batch: Batch, z: Tensor) -> Distribution:
    """q(z|x,c) of an encoder, p(x|z,c) of a decoder."""
    q_or_p: Distribution = net(z, batch.cond) if isinstance(net, Decoder) else net(batch)
    return q_or_p


def figures(net: nn.Module, batch: Batch, z: Tensor) -> Tensor:
    """What tells two outputs of a network apart, a row for every row: log q of given z, or log p of given x."""
    point = batch.x if isinstance(net, Decoder) else z
    return output(net, batch, z).log_prob(point).reshape(len(z), -1)


def rows(batch: Batch, index: Tensor) -> Batch:
    """Some rows of a batch."""
    pick = [t if t is None else t[index] for t in batch]
    return Batch(*pick)  # type: ignore[arg-type]


def ready(bench: Bench, setting: Setting | None = None) -> tuple[Any, Batch, Tensor]:
    """The network in eval mode with all paths open, a batch, and codes."""
    setting = bench.setting if setting is None else setting
    return jitter(bench.make(setting)).eval(), setting.batch, codes(len(setting.batch.x), bench.latent)


@check("encoder", "decoder")
def rows_in_another_order(bench: Bench) -> None:
    """Rows in another order give the same output in that order."""
    net, batch, z = ready(bench)
    order = torch.randperm(len(z))
    expected = figures(net, batch, z)[order]
    require_same(figures(net, rows(batch, order), z[order]), expected, "the output for a row changes with the order of the rows")


@check("encoder", "decoder")
def batch_size_does_not_matter(bench: Bench) -> None:
    """A row alone gives what it gives in a batch (in eval mode)."""
    net, batch, z = ready(bench)
    alone = torch.cat([figures(net, rows(batch, i), z[i]) for i in torch.arange(len(z)).chunk(len(z))])
    require_same(alone, figures(net, batch, z), "the output for a row alone is not that in a batch")


@check("encoder", "decoder")
def condition_is_used(bench: Bench) -> None:
    """Where the data have a condition, it changes the output."""
    net, batch, z = ready(bench, bench.conditional)
    other = batch._replace(cond=batch.cond.roll(1, 0))  # type: ignore[union-attr]
    require_different(
        figures(net, batch, z), figures(net, other, z), "spec.cond = 3, but the output is the same for other conditions"
    )


@check("encoder", "decoder")
def works_without_condition(bench: Bench) -> None:
    """Where the data have none (spec.cond = 0), cond = None gives finite output."""
    try:
        net, batch, z = ready(bench, bench.setting.unconditional())
        require_finite(figures(net, batch, z), "output without a condition")
    except UsageError as error:
        raise Skipped(f"it takes only data with a condition: {error}") from error


@check("encoder", "decoder")
def input_is_used(bench: Bench) -> None:
    """The output depends on x (encoder) or on z (decoder)."""
    net, batch, z = ready(bench)
    expected = figures(net, batch, z)
    decoder = isinstance(net, Decoder)
    other = figures(net, batch, z.roll(1, 0)) if decoder else figures(net, batch._replace(x=batch.x.roll(1, 0)), z)
    require_different(other, expected, f"the output is the same for other {'z' if decoder else 'x'}")


@check("encoder", "decoder")
def gradients_reach_every_parameter(bench: Bench) -> None:
    """One backward pass from the ELBO gives every trainable parameter a finite gradient that is not all zero.

    Those of the likelihood are not asked about: they are another component's, and may be for another objective (a model of the mask).
    """
    setting = bench.setting
    vae = jitter(bench.vae(setting))
    terms = vae(setting.batch, samples=2)
    require_finite(terms.log_px, "log p(x|z)")
    (terms.log_px + terms.log_pz - terms.log_qz).sum().backward()
    require_gradients(vae, bench.kind, "decoder.likelihood.")


@check("encoder", "decoder")
def densities_are_float32_under_autocast(bench: Bench) -> None:
    """In bfloat16 autocast the network may run low, but log-densities are float32 and finite."""
    net, batch, z = ready(bench)
    with torch.autocast("cpu", torch.bfloat16):
        log_p = figures(net, batch, z)
    require(log_p.dtype == torch.float32, f"under bfloat16 autocast the log-density is {log_p.dtype}, not float32")
    require_finite(log_p, "log-density under bfloat16 autocast")


@check("encoder", "decoder", "likelihood")
def masked_entries_do_not_matter(bench: Bench) -> None:
    """Whatever stands in x where it was not observed, NaN even, changes neither the ELBO nor its gradients."""
    setting = bench.setting
    vae = jitter(bench.vae(setting))
    x = setting.batch.x
    mask = torch.rand(x.shape) < 0.7
    if vae.decoder(codes(len(x), bench.latent), setting.batch.cond).log_prob(x).shape != x.shape:
        raise Skipped("a row is one event: it is observed or not")
    hole = torch.full_like(x, float("nan")) if x.is_floating_point() else x.roll(1, 0)
    filled = elbo_and_gradients(vae, setting.batch._replace(mask=mask))
    holed = elbo_and_gradients(vae, setting.batch._replace(x=torch.where(mask, x, hole), mask=mask))
    for what, seen, expected in zip(("the ELBO", "its gradient"), holed, filled, strict=True):
        require_finite(seen, f"{what} for rows with unobserved elements")
        require_same(seen, expected, f"{what} depends on x where it was not observed")


def elbo_and_gradients(vae: VAE, batch: Batch) -> tuple[Tensor, Tensor]:
    """ELBO (B,) and all gradients as one vector, with the same noise at every call."""
    vae.eval().zero_grad()
    torch.manual_seed(2)
    elbo = vae(batch).elbo
    elbo.sum().backward()
    return elbo.detach(), torch.cat([p.grad.flatten() for p in vae.parameters() if p.grad is not None])
