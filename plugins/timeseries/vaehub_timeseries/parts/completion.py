"""What a trained VAE says of the missing values: importance-weighted estimates and joint draws."""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from torch import Tensor
from torch.distributions import Distribution

from vaehub import VAE, Batch, Terms
from vaehub.model import repeat
from vaehub_timeseries.parts.not_miwae import complete_by_px
from vaehub_timeseries.parts.self_masking import SelfMasked


@final
class Completion(NamedTuple):
    """Rows with their missing elements filled; observed ones as they were."""

    mean: Tensor  # (B, *shape) E[x_m | x_o]
    draws: Tensor  # (n, B, *shape) from p(x_m | x_o), each row a joint draw


@torch.no_grad()
def complete(vae: VAE, batch: Batch, samples: int = 100, draws: int = 0) -> Completion:
    """Missing elements by self-normalised importance sampling with `samples` draws of z, and `draws` rows resampled by their weights.

    "MIWAE: Deep Generative Modelling and Imputation of Incomplete Data Sets" (Mattei & Frellsen, 2019), arXiv:1812.02633;
    where the likelihood models the mask, its probability weighs in, as in "not-MIWAE" (Ipsen et al., 2021), arXiv:2006.12871.

    Arguments:
        vae: A trained model.
        batch: B rows with their mask.
        samples: Draws of z for every row.
        draws: Completed rows for every row, each a joint draw.

    Returns:
        E[x | observed] and the draws; observed elements are as they were.
    """
    terms: Terms = vae(batch, samples=samples)
    x, log_mask = draw_missing(terms.px, repeat(terms.batch, samples))
    x = x.view(samples, *batch.x.shape)
    weights = (terms.log_px + log_mask.view(samples, -1) + terms.log_pz - terms.log_qz).softmax(0)
    chosen = torch.multinomial(weights.T, max(draws, 1), replacement=True)[:, :draws].T
    return Completion(torch.einsum("sb,sb...->b...", weights, x), x[chosen, torch.arange(x.shape[1], device=x.device)])


def draw_missing(px: Distribution, batch: Batch) -> tuple[Tensor, Tensor]:
    """x (N, *shape) with its unobserved elements drawn from p(x|z), and log p(mask|x) (N,), 0 where nothing models the mask."""
    if isinstance(px, SelfMasked):
        return complete_by_px(px, batch)
    x = batch.x if batch.mask is None else torch.where(batch.mask, batch.x, px.sample())
    return x, x.new_zeros(len(x))
