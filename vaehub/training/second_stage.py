"""A prior that is fitted after training to the codes that the encoder gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from vaehub import signals
from vaehub.arguments import accepts, at_least, share
from vaehub.base import Data, Prior
from vaehub.config.build import build_vae
from vaehub.config.load import load_config
from vaehub.data.seeds import seeded
from vaehub.errors import RunFailed, UsageError
from vaehub.jobs.progress import stage
from vaehub.run import Run
from vaehub.sparse import dense
from vaehub.trained import Rows
from vaehub.training.callbacks import copied
from vaehub.training.module import rate

HELD_OUT = 0.05  # share of the rows whose codes epochs are compared by
CLIP = 1.0  # norm of a gradient


@accepts(epochs=at_least(1), draws=at_least(1), noise=share, batch_size=at_least(1), seed=at_least(0))
def fit_prior(
    run: Run,
    prior: str | Mapping[str, Any],
    data: Rows | None = None,
    *,
    epochs: int = 20,
    draws: int = 4,
    noise: float = 1.0,
    batch_size: int = 512,
    lr: float = 1e-3,
    seed: int = 0,
) -> Run:
    """A copy of a run with another prior, fitted to the codes of rows; encoder and decoder stay as they are.

    max_p E_x E_q(z|x,c)[log p(z|c)]: the prior comes near the aggregate posterior, so that its draws decode as codes of real rows do, even
    where the KL counted little in training. "Diagnosing and Enhancing VAE Models" (Dai & Wipf, 2019), arXiv:1903.05789, whose second stage
    is a VAE of the codes; here it is any prior that learns.

    Arguments:
        run: a trained model; it stays as it is.
        prior: as in a config, "flow" or {"name": "mixture", "components": 100}; that of the run with the same options goes on from its weights.
        data: rows in any form that `encode` takes; those that the model was trained on, where it is left out.
        epochs: passes over the codes, in which the learning rate falls to 0 along a cosine.
        draws: codes from q(z|x,c) of every row.
        noise: how far a code lies from the mean of q(z|x,c), as a share of how far a draw of it does. Below 1 the prior comes near the
            means, which often decode better: "From Variational to Deterministic Autoencoders" (Ghosh et al., 2020), arXiv:1903.12436.
        batch_size: codes in a step.
        lr: the learning rate to begin with.
        seed: of weights, codes and order.

    Returns:
        A run in memory; its `history` has log p(z|c) of codes by epoch, in nats, and its prior is that of the best epoch for held-out codes.

    Raises:
        UsageError: there is no such prior, it has nothing to learn, or the rows do not fit the model.

    >>> from vaehub import train
    >>> rows = [[float(i % 5), 2.0 * (i % 5)] for i in range(200)]
    >>> run = train({"latent": 1, "likelihood": "normal", "train": {"epochs": 1}}, data=rows, progress=False)
    >>> better = fit_prior(run, {"name": "mixture", "components": 5}, rows, epochs=2)
    >>> better.config.prior.name, run.config.prior.name, better.sample(3).shape
    ('mixture', 'standard_normal', (3, 2))
    """
    config = load_config(run.config.to_dict(), {"prior": prior})
    rows = run.data("train") if data is None else run.rows(data)
    if len(rows) < 2:
        raise UsageError("data: a single row; give at least two, one of which is held out")
    with seeded("fit prior", seed):
        vae = build_vae(config, run.spec)
        if not any(True for _ in vae.prior.parameters()):
            raise UsageError(f"prior: {config.prior.name} has nothing to learn; choose mixture or flow")
        vae.encoder.load_state_dict(run.vae.encoder.state_dict())
        vae.decoder.load_state_dict(run.vae.decoder.state_dict())
        goes_on = config.prior == run.config.prior
        if goes_on:
            vae.prior.load_state_dict(run.vae.prior.state_dict())
        z, cond = codes(run, rows, draws, noise)
        if not goes_on:
            vae.prior.start_from(z.flip(0).flatten(0, 1))  # the first rows are held out
        history = fitted(vae.to(run.device).prior, z, cond, epochs, batch_size, lr)
    out = Run(config, run.codec, run.domain, vae, history=history)
    out.objective_weights = run.objective_weights
    return out


@torch.no_grad()
def codes(run: Run, rows: Data, draws: int, noise: float) -> tuple[Tensor, Tensor | None]:
    """Codes z (N, draws, L) from the mean of q(z|x,c) towards draws of it, and conditions (N, C) where there are any, rows in random order."""
    z, cond = [], []
    with stage("encoding", len(rows)) as bar:
        for batch in run.batches(rows):
            signals.check_in()
            q = run.vae.encoder(batch)
            z.append(q.mean.lerp(q.sample((draws,)), noise).transpose(0, 1))
            cond += [] if batch.cond is None else [dense(batch.cond)]
            bar.update(len(batch.x))
    order = torch.randperm(len(rows), device=run.device)
    return torch.cat(z)[order], torch.cat(cond)[order] if cond else None


def fitted(prior: Prior, z: Tensor, cond: Tensor | None, epochs: int, batch_size: int, lr: float) -> pd.DataFrame:
    """Raise the mean log p(z|c) of codes (N, draws, L), keep the weights of the best epoch, and give the figures of each."""
    held_out, draws = max(1, int(HELD_OUT * len(z))), z.shape[1]
    unseen, seen = z[:held_out, 0], z[held_out:].flatten(0, 1)
    unseen_cond, seen_cond = (None, None) if cond is None else (cond[:held_out], cond[held_out:].repeat_interleave(draws, 0))
    prior.train()
    optimizer, steps = torch.optim.Adam(prior.parameters(), lr), epochs * math.ceil(len(seen) / batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate("cosine", 0, steps, step))
    figures, best, weights = [], -math.inf, copied(prior.state_dict())
    with stage("fitting the prior", epochs, unit="epoch") as bar:
        for epoch in range(epochs):
            total = 0.0
            for index in torch.randperm(len(seen), device=z.device).split(batch_size):
                signals.check_in()
                loss = -prior(None if seen_cond is None else seen_cond[index]).log_prob(seen[index]).mean()
                optimizer.zero_grad()
                loss.backward()
                clip_grad_norm_(prior.parameters(), CLIP)
                optimizer.step()
                schedule.step()
                total -= loss.item() * len(index)
            with torch.no_grad():
                value = float(prior.eval()(unseen_cond).log_prob(unseen).mean())
            prior.train()
            figures.append({"epoch": epoch, "train_log_pz": total / len(seen), "val_log_pz": value})
            if value > best:
                best, weights = value, copied(prior.state_dict())
            bar.update(note=f"best log p(z) {best:.2f}")
    if best == -math.inf:
        raise RunFailed("log p(z) of held-out codes is no number; lower lr")
    prior.load_state_dict(weights)
    prior.eval()
    return pd.DataFrame(figures)
