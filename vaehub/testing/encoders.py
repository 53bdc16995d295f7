"""What every encoder q(z|x,c) must satisfy beyond what it shares with decoders."""

from __future__ import annotations

import torch

from vaehub.testing.bench import Bench
from vaehub.testing.core import check, require
from vaehub.testing.measure import require_different, require_same
from vaehub.testing.networks import figures, ready


@check("encoder")
def encoder_has_rows_of_z(bench: Bench) -> None:
    """q(z|x,c) has batch (B,) and event (L,)."""
    net, batch, z = ready(bench)
    q = net(batch)
    seen = (tuple(q.batch_shape), tuple(q.event_shape))
    require(seen == ((len(z),), (bench.latent,)), f"batch and event shape are {seen}, not (({len(z)},), ({bench.latent},))")


@check("encoder")
def samples_carry_gradients_to_x(bench: Bench) -> None:
    """z = rsample() is differentiable through the whole network."""
    net, batch, _ = ready(bench)
    z = net(batch).rsample()
    require(z.requires_grad, "rsample() gives z without gradient")
    z.sum().backward()
    reached = [p.grad is not None and bool(p.grad.any()) for p in net.parameters()]
    require(any(reached), "no gradient of z reaches any parameter of the network")


@check("encoder")
def mask_that_hides_nothing_changes_nothing(bench: Bench) -> None:
    """A mask that is True throughout gives what no mask gives."""
    net, batch, z = ready(bench)
    full = batch._replace(mask=torch.ones(batch.x.shape, dtype=torch.bool))
    require_same(figures(net, full, z), figures(net, batch, z), "q(z|x) with a mask of all True is not that without a mask")


@check("encoder")
def each_row_has_its_own_posterior(bench: Bench) -> None:
    """Different rows are given different posteriors."""
    net, batch, z = ready(bench)
    same_point = z[:1].expand_as(z)
    log_qz = figures(net, batch, same_point)
    require_different(log_qz, log_qz[:1].expand_as(log_qz), "all rows get the same q(z|x)")
