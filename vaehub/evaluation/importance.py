"""log p(x) of every row by importance sampling: encode once, draw z in fixed blocks, decode in chunks that fit in memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor
from torch.distributions import Distribution

from vaehub.base import Batch, Data, Decoder, draw
from vaehub.base.outcome import draw_with_common_noise, exact_kl_per_dim, log_ratio_parts
from vaehub.data.seeds import seeded
from vaehub.errors import RunFailed
from vaehub.jobs.progress import stage
from vaehub.model.vae import VAE, log_likelihood
from vaehub.sparse import is_sparse, take

T = TypeVar("T")

ROWS = 100  # rows encoded at once, and
DRAWS = 250  # z drawn for each of them at once: constants, so that the noise depends on the seed alone and never on memory
CPU_ELEMENTS = 2**19  # parameters of p(x|z) in one chunk: 2 MiB of float32 stay in the cache, which is twice as fast
GPU_ELEMENTS = 2**26  # 256 MiB, which keeps a large GPU busy; halved as often as memory runs out
MOMENT_DRAWS = 1000  # for E_q[z] where a posterior has no closed form: an error of 0.1 % of its variance


@dataclass(frozen=True)
class Evidence:
    """What S draws of z tell of every row, in nats."""

    log_px: Tensor  # (N,) E_q[log p(x|z,c)]
    kl: Tensor  # (N,) KL(q(z|x,c) || p(z|c)), exact where it has a closed form
    log_evidence: Tensor  # (N,) log 1/S sum_s p(x,z_s|c) / q(z_s|x,c), a lower bound on log p(x|c) that S tightens
    ess: Tensor  # (N,) (sum w)^2 / sum w^2, between 1 and S
    kl_per_dim: Tensor  # (N, L), (N, G) in the pieces that q and p declare, or (N, 1)
    mean: Tensor  # (N, L) E_q[z]
    observed: Tensor  # (N,) number of observed elements

    @property
    def elbo(self) -> Tensor:
        """E_q[log p(x|z,c)] - KL (N,)."""
        return self.log_px - self.kl

    def map(self, change: Callable[[Tensor], Tensor]) -> Evidence:
        """The evidence with all its tensors changed alike."""
        return Evidence(*map(change, vars(self).values()))

    def __getitem__(self, rows: slice) -> Evidence:
        return self.map(lambda figure: figure[rows])

    @staticmethod
    def cat(parts: list[Evidence]) -> Evidence:
        """Rows of several batches, one after the other."""
        return Evidence(*(torch.cat(figures) for figures in zip(*(vars(part).values() for part in parts), strict=True)))


class Weights:
    """Running sums over draws, in double precision: nothing of size S x N is kept."""

    def __init__(self, rows: int, device: torch.device) -> None:
        nothing = torch.zeros(rows, dtype=torch.float64, device=device)
        self.count, self.log_px, self.log_ratio = 0, nothing, nothing
        self.log_w = self.log_w2 = torch.full_like(nothing, -math.inf)
        self.pieces: Tensor | None = None  # log q - log p in the pieces that both declare, (B, G)

    def add(self, log_px: Tensor, log_ratio: Tensor, pieces: Tensor | None) -> None:
        """Take up log p(x|z) and log q(z|x) - log p(z), each (S, B), and the latter in pieces (S, B, G) where there are any."""
        if pieces is not None:
            total = pieces.double().sum(0)
            self.pieces = total if self.pieces is None else self.pieces + total
        log_px, log_ratio = log_px.double(), log_ratio.double()
        log_w = log_px - log_ratio
        self.count += len(log_w)
        self.log_px, self.log_ratio = self.log_px + log_px.sum(0), self.log_ratio + log_ratio.sum(0)
        self.log_w = torch.logaddexp(self.log_w, log_w.logsumexp(0))
        self.log_w2 = torch.logaddexp(self.log_w2, (2 * log_w).logsumexp(0))


@dataclass
class Budget:
    """How many parameters of p(x|z) are computed at once; halved on every out-of-memory."""

    elements: int

    @staticmethod
    def of(device: torch.device) -> Budget:
        """The default for a kind of device."""
        return Budget(CPU_ELEMENTS if device.type == "cpu" else GPU_ELEMENTS)

    def decodes(self, decoder: Decoder) -> int:
        """The number of z to decode at once."""
        return max(1, self.elements // max(math.prod(decoder.likelihood.param_shape), decoder.latent))

    def retry(self, decoder: Decoder, work: Callable[[int], T]) -> T:
        """work(number of z at once), again with half of it while memory runs out. Raises RunFailed where one z is too much."""
        while True:
            try:
                return work(self.decodes(decoder))
            except torch.OutOfMemoryError as error:
                if self.decodes(decoder) == 1:
                    raise RunFailed(
                        "out of memory at decoding one z; use a device with more memory or a smaller decoder"
                    ) from error
            self.elements //= 2


def device_of(vae: VAE) -> torch.device:
    """Where the model lives."""
    return next(itertools.chain(vae.parameters(), vae.buffers())).device


def blocks(data: Data, device: torch.device, seed: int) -> Iterator[Batch]:
    """All rows in order, ROWS at a time; what the data draw at random (a binarisation) depends on the seed and the block alone."""
    for start in range(0, len(data), ROWS):
        with seeded("rows", seed, start // ROWS):
            batch = data[torch.arange(start, min(start + ROWS, len(data)))]
        yield batch.to(device)


def repeat_for_draws(batch: Batch, draws: int) -> Batch:
    """Every row `draws` times in sequence (B*S, …); a single dense row is a view, not a copy."""
    return batch.map(lambda t: repeated(t, draws))


def repeated(t: Tensor, draws: int) -> Tensor:
    """Every row `draws` times in sequence."""
    if is_sparse(t):
        return take(t, torch.arange(len(t), device=t.device).repeat_interleave(draws))
    return t.unsqueeze(1).expand(-1, draws, *t.shape[1:]).flatten(0, 1)


def rows_between(t: Tensor, start: int, stop: int) -> Tensor:
    """Rows from `start` to before `stop`."""
    return take(t, torch.arange(start, min(stop, len(t)), device=t.device)) if is_sparse(t) else t[start:stop]


def log_px_in_chunks(decoder: Decoder, z: Tensor, batch: Batch, precision: torch.dtype, at_once: int) -> Tensor:
    """log p(x|z,c) (S, B) of z (S, B, L), `at_once` z in a chunk: many draws of one row, or all draws of a few."""
    out = z.new_empty(z.shape[:2])
    rows, draws = max(1, at_once // len(z)), min(len(z), at_once)
    with torch.autocast(z.device.type, precision, enabled=precision != torch.float32):
        for i, s in itertools.product(range(0, z.shape[1], rows), range(0, len(z), draws)):
            part = z[s : s + draws, i : i + rows].transpose(0, 1)
            repeated = repeat_for_draws(batch.map(partial(rows_between, start=i, stop=i + rows)), part.shape[1])
            log_px = log_likelihood(decoder(part.flatten(0, 1), repeated.cond), repeated)
            out[s : s + draws, i : i + rows] = log_px.view(part.shape[:2]).T
    return out


def posterior_mean(q: Distribution) -> Tensor:
    """E_q[z] (B, L), by Monte Carlo where there is no closed form."""
    try:
        return q.mean
    except NotImplementedError:
        return draw(q, MOMENT_DRAWS)[0].mean(0)


def observed(batch: Batch, elements: int) -> Tensor:
    """Number of observed elements of every row (B,)."""
    mask = batch.observed
    if mask is None:
        return torch.full((len(batch.x),), float(elements), device=batch.x.device)
    return mask.float().flatten(1).mean(1) * elements


@torch.inference_mode()
def weigh(
    vae: VAE,
    batch: Batch,
    samples: int,
    key: tuple[int | str, ...],
    budget: Budget,
    precision: torch.dtype = torch.float32,
    common_noise: bool = False,
) -> Evidence:
    """The evidence of one batch at `samples` draws a row, with noise that depends on `key` and the number of rows alone.

    `common_noise`: the same for every row, so that what a row gets does not depend on its neighbours.
    """
    batch = batch.without_hidden()
    q, p = vae.encoder(batch), vae.prior(batch.cond)
    weights = Weights(len(batch.x), batch.x.device)
    for start in range(0, samples, DRAWS):
        with seeded(*key, start):
            count = min(DRAWS, samples - start)
            z, log_qz = draw_with_same_noise(vae, batch, count) if common_noise else draw(q, count)
        log_pz = budget.retry(vae.decoder, partial(log_prior_in_chunks, p, z))
        log_px = budget.retry(vae.decoder, partial(log_px_in_chunks, vae.decoder, z, batch, precision))
        weights.add(log_px, (q.log_prob(z) if log_qz is None else log_qz) - log_pz, log_ratio_parts(q, p, z))
    with seeded(*key, "mean"):
        return summary(weights, exact_kl_per_dim(q, p), posterior_mean(q), observed(batch, vae.decoder.spec.size))


def draw_with_same_noise(vae: VAE, batch: Batch, samples: int) -> tuple[Tensor, Tensor | None]:
    """As `draw`, with the same noise for every row: row by row from one state of the generator where q cannot share noise itself."""
    state = torch.random.get_rng_state()
    common = draw_with_common_noise(vae.encoder(batch), samples)
    if common is not None:
        return common
    alone = []
    for row in range(len(batch.x)):
        torch.random.set_rng_state(state)
        alone.append(draw(vae.encoder(batch.map(partial(rows_between, start=row, stop=row + 1))), samples))
    z = torch.cat([z for z, _ in alone], 1)
    return z, None if alone[0][1] is None else torch.cat([log_qz for _, log_qz in alone if log_qz is not None], 1)


def log_prior_in_chunks(p: Distribution, z: Tensor, at_once: int) -> Tensor:
    """log p(z|c) (S, B) of z (S, B, L): a mixture or a flow needs far more memory than z itself."""
    draws = max(1, at_once // z.shape[1])
    return torch.cat([p.log_prob(z[s : s + draws]) for s in range(0, len(z), draws)])


def summary(weights: Weights, kl_per_dim: Tensor | None, mean: Tensor, observed: Tensor) -> Evidence:
    """The sums over draws as figures of a row."""
    sampled = weights.log_ratio.unsqueeze(-1) if weights.pieces is None else weights.pieces
    per_dim = (sampled / weights.count if kl_per_dim is None else kl_per_dim.double()).expand(len(mean), -1)
    return Evidence(
        log_px=weights.log_px / weights.count,
        kl=per_dim.sum(-1),
        log_evidence=weights.log_w - math.log(weights.count),
        ess=(2 * weights.log_w - weights.log_w2).exp(),
        kl_per_dim=per_dim,
        mean=mean.double(),
        observed=observed,
    )


def evidence(vae: VAE, data: Data, samples: int, seed: int = 0, precision: torch.dtype = torch.float32) -> Evidence:
    """The evidence of every row, on the CPU: encodes a row once, then decodes `samples` z of it."""
    device = device_of(vae)
    budget = Budget.of(device)
    parts = []
    with stage("weighing rows", len(data)) as bar:
        for i, batch in enumerate(blocks(data, device, seed)):
            parts.append(weigh(vae, batch, samples, ("z", seed, i), budget, precision))
            bar.update(len(parts[-1].kl))
    return Evidence.cat(parts).map(Tensor.cpu)


def importance_log_px(vae: VAE, batch: Batch, samples: int, seed: int = 0) -> Tensor:
    """log 1/S sum_s p(x,z_s|c) / q(z_s|x,c) of every row (B,), in nats.

    "Importance Weighted Autoencoders" (Burda et al., 2016), arXiv:1509.00519, equation 8.
    """
    return weigh(vae, batch, samples, ("z", seed, 0), Budget.of(device_of(vae))).log_evidence
