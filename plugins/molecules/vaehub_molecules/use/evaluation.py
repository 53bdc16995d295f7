"""How well a model of molecules does: what comes back, what is drawn, and whether z is used, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vaehub import Model, TrainedModel
from vaehub.base import Batch, Data
from vaehub.data.seeds import seeded
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.codec import molecule_codec_of
from vaehub_molecules.parts.autoregressive import until_end
from vaehub_molecules.rows import MoleculeFacts
from vaehub_molecules.tokens import Vocabulary
from vaehub_molecules.use.latent_space import ROWS

SAMPLES = 2_000  # molecules that are drawn for figures, and of a test set that they are compared with, where nobody says how many
ACTIVE_VARIANCE = 0.01  # least variance of a dimension's mean that counts as active


def first_batches(data: Data, most: int, vae: Model) -> list[Batch]:
    """The first rows of data, in batches on the model's device."""
    device = next(vae.parameters()).device
    return [data[index].to(device) for index in torch.arange(min(most, len(data))).split(ROWS)]


@torch.no_grad()
def exact_share(vae: Model, data: Data, most: int) -> float:
    """Share of molecules that come back symbol for symbol from the mean of q(z|x), decoded greedily."""
    hits = [same(batch, vae.decoder(vae.encoder(batch).mean, batch.cond).mode) for batch in first_batches(data, most, vae)]
    return float(torch.cat(hits).all(1).float().mean())


def same(batch: Batch, x: Tensor) -> Tensor:
    """Which symbols (B, T) are as they were."""
    return batch.x == x


@torch.no_grad()
def valid_share(vae: Model, data: Data, vocabulary: Vocabulary, n: int) -> float:
    """Share of valid molecules among n drawn from the prior, under conditions of data."""
    with seeded("valid"):
        return share_of_molecules(canonical_or_empty(vocabulary.strings(draw_rows(vae, data, n)), Policy()))


def share_of_molecules(molecules: Sequence[str]) -> float:
    """Share of molecules among strings that may be ""."""
    return sum(map(bool, molecules)) / len(molecules)


def draw_rows(vae: Model, data: Data, n: int) -> Tensor:
    """n rows (n, T) from the prior, under conditions of data by turns."""
    parts = []
    for index in torch.arange(n).split(ROWS):
        cond = data[index % len(data)].cond
        cond = None if cond is None else cond.to(next(vae.parameters()).device)
        parts.append(vae.decoder(vae.sample(len(index), cond), cond).sample().cpu())
    return torch.cat(parts)


def molecule_metrics(
    run: TrainedModel, data: Data, train: Sequence[str], draws: int | None = None, judges: int | None = None
) -> Mapping[str, float]:
    """Reconstruction, use of z, and the MOSES suite of so many samples against so many test molecules, in one table."""
    from vaehub_molecules.metrics import evaluate

    vocabulary, facts = molecule_codec_of(run.codec).vocabulary, data.facts
    with seeded("metrics"):
        samples = vocabulary.strings(draw_rows(run.vae, data, draws or SAMPLES))
    judges = judges or SAMPLES
    reference = list(facts.smiles if isinstance(facts, MoleculeFacts) else ())[:judges]
    suite = dict(evaluate(samples, train, reference))
    return (
        reconstruction_metrics(run.vae, data, judges)
        | suite
        | {"validity_se": standard_error_of_share(suite["validity"], len(samples))}
    )


def standard_error_of_share(share: float, count: int) -> float:
    """Standard error of a share of so many independent cases."""
    return math.sqrt(share * (1 - share) / max(count, 1))


@torch.no_grad()
def reconstruction_metrics(vae: Model, data: Data, most: int) -> dict[str, float]:
    """Exact and token reconstruction (from the mean, and from a draw of q), nats, KL and active units.

    Active units: dimensions with Var_x E[z|x] > 0.01, "Importance Weighted Autoencoders" (Burda et al., 2016), arXiv:1509.00519.
    """
    totals: dict[str, Any] = {}
    means = []
    with seeded("returned"):
        for batch in first_batches(data, most, vae):
            terms = vae(batch)
            means.append(terms.q.mean)
            for name, value in batch_sums(vae, batch, terms).items():
                totals[name] = totals.get(name, 0.0) + float(value)
    rows, symbols = totals.pop("rows"), totals.pop("symbols")
    active = int((torch.cat(means).var(0) > ACTIVE_VARIANCE).sum())
    hits = totals.pop("token_reconstruction")
    means_of = {k: v / rows for k, v in totals.items()}
    error = standard_error_of_share(means_of["exact_reconstruction"], int(rows))
    named = {"exact_reconstruction_se": error, "active_units": float(active)}
    return {"token_reconstruction": hits / symbols, **means_of, **named}


def batch_sums(vae: Model, batch: Batch, terms: Any) -> dict[str, Tensor]:
    """Sums over the molecules of a batch."""
    here = until_end(batch.x)
    greedy = same(batch, vae.decoder(terms.q.mean, batch.cond).mode)
    noisy = same(batch, vae.decoder(terms.z[0], batch.cond).mode)
    return {
        "exact_reconstruction": greedy.all(1).sum(),
        "exact_reconstruction_drawn": noisy.all(1).sum(),
        "token_reconstruction": (greedy & here).sum(),
        "nats_reconstruction": -terms.log_px.sum(),
        "kl": terms.kl.sum(),
        "rows": torch.tensor(len(batch.x)),
        "symbols": here.sum(),
    }
