"""Mult-VAE as one writes it by hand: dense rows in, dense log-softmax out, Adam. The same mathematics as configs/recommender_mult_vae.yaml.

"Variational Autoencoders for Collaborative Filtering" (Liang et al., 2018), arXiv:1802.05814. Letters of shapes: B users, I items, L latent.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN, LATENT, DROPOUT, BETA = 600, 200, 0.5, 0.2


class MultVAE(nn.Module):
    """I-600-200-600-I with tanh; input of unit length, half of it dropped."""

    def __init__(self, items: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(items, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, items))

    def loss(self, x: Tensor) -> Tensor:
        """-sum_i x_i log softmax(s)_i + beta KL, mean over rows x (B, I)."""
        mean, log_var = self.encoder(F.dropout(F.normalize(x), DROPOUT)).float().chunk(2, -1)
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        log_px = (x * F.log_softmax(self.decoder(z).float(), -1)).sum(-1)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
        return (BETA * kl - log_px).mean()
