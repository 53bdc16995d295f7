"""How well a model of molecules does: what comes back of those it is shown, and what those that it draws are like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vaehub import Batch, Data, Model, TrainedModel, seeded
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.codec import molecule_codec_of
from vaehub_molecules.domains.likeness import COMPARED
from vaehub_molecules.domains.profile import TrainingProfile
from vaehub_molecules.parts.autoregressive import until_end
from vaehub_molecules.rows import MoleculeFacts
from vaehub_molecules.tokens import Vocabulary
from vaehub_molecules.use.latent_space import ROWS

SAMPLES = 2_000  # strings drawn for figures, and test molecules that they are compared with, where nobody says how many
ANY_MOLECULE = Policy(isotopes="keep")  # what a drawn string is judged by, whichever molecules the model was trained on


def first_batches(data: Data, most: int, vae: Model) -> list[Batch]:
    """The first rows of data, in batches on the model's device."""
    device = next(vae.parameters()).device
    return [data[index].to(device) for index in torch.arange(min(most, len(data))).split(ROWS)]


@torch.no_grad()
def exact_share(vae: Model, data: Data, most: int) -> float:
    """Share of at most `most` molecules that come back symbol for symbol from the mean of q(z|x), decoded greedily."""
    batches = first_batches(data, most, vae)
    hits = [(batch.x == vae.decoder(vae.encoder(batch).mean, batch.cond).mode).all(1) for batch in batches]
    return float(torch.cat(hits).float().mean())


def valid_share(vae: Model, data: Data, vocabulary: Vocabulary, n: int) -> float:
    """Share of valid molecules among n drawn from the prior, under conditions of data."""
    return len(valid_samples(vae, data, vocabulary, n)) / n


@torch.no_grad()
def valid_samples(vae: Model, data: Data, vocabulary: Vocabulary, n: int) -> list[str]:
    """Canonical SMILES of the valid ones among n molecules drawn from the prior, under conditions of data."""
    with seeded("valid"):
        drawn = canonical_or_empty(vocabulary.strings(draw_rows(vae, data, n)), ANY_MOLECULE)
    return [smiles for smiles in drawn if smiles]


def draw_rows(vae: Model, data: Data, n: int) -> Tensor:
    """n rows (n, T) from the prior, under conditions of data by turns."""
    parts = []
    for index in torch.arange(n).split(ROWS):
        cond = data[index % len(data)].cond
        cond = None if cond is None else cond.to(next(vae.parameters()).device)
        parts.append(vae.decoder(vae.sample(len(index), cond), cond).sample().cpu())
    return torch.cat(parts)


def molecule_metrics(run: TrainedModel, data: Data, train: Sequence[str], samples: int, tested: int) -> Mapping[str, float]:
    """Reconstruction of test molecules, and the measures of MOSES for samples compared with them.

    Arguments:
        run: a trained model of molecules.
        data: test rows; conditions of samples are taken from them by turns.
        train: canonical SMILES that the model was trained on; without any, novelty is left out.
        samples: strings to draw.
        tested: test molecules, at most.

    Returns:
        Figures by name; NAME_se is the standard error of the share NAME.
    """
    from vaehub_molecules.metrics import evaluate

    codec, facts = molecule_codec_of(run.codec), data.facts
    with seeded("metrics"):
        drawn = codec.vocabulary.strings(draw_rows(run.vae, data, samples))
    reference = list(facts.smiles if isinstance(facts, MoleculeFacts) else ())[:tested]
    figures = {**reconstruction_metrics(run.vae, data, tested), **evaluate(drawn, train, reference)}
    figures |= {"validity_se": share_error(figures["validity"], samples)}
    return figures if codec.profile is None else figures | likeness_metrics(codec.profile, drawn, reference)


def likeness_metrics(profile: TrainingProfile, drawn: Sequence[str], unseen: Sequence[str]) -> dict[str, float]:
    """Share of valid drawn molecules, and of unseen ones, of which all ring systems are known from training; W1 in standard deviations.

    Arguments:
        profile: of the training molecules.
        drawn: strings as they were drawn.
        unseen: test molecules.
    """
    found = profile.likeness([smiles for smiles in canonical_or_empty(drawn, ANY_MOLECULE) if smiles])
    return {
        "known_rings": found.known_rings,
        "known_rings_se": share_error(found.known_rings, found.count),
        "known_rings_unseen": profile.likeness(unseen).known_rings if unseen else profile.unseen_share,
        **{f"{COMPARED[name]} W1/sd": distance for name, distance in found.distances.items()},
    }


@torch.no_grad()
def reconstruction_metrics(vae: Model, data: Data, most: int) -> dict[str, float]:
    """Shares of molecules that come back exactly (from the mean of q(z|x), and from a draw of it) and of symbols that do."""
    exact = exact_drawn = molecules = right = symbols = 0
    with seeded("returned"):
        for batch in first_batches(data, most, vae):
            q, counted = vae.encoder(batch), until_end(batch.x)
            same = batch.x == vae.decoder(q.mean, batch.cond).mode
            exact += int(same.all(1).sum())
            exact_drawn += int((batch.x == vae.decoder(q.sample(), batch.cond).mode).all(1).sum())
            molecules += len(batch.x)
            right += int((same & counted).sum())
            symbols += int(counted.sum())
    return {
        "exact_reconstruction": exact / molecules,
        "exact_reconstruction_se": share_error(exact / molecules, molecules),
        "exact_reconstruction_drawn": exact_drawn / molecules,
        "token_reconstruction": right / symbols,
    }


def share_error(share: float, count: int) -> float:
    """Standard error of a share of so many independent cases, (p (1 - p) / n)^½."""
    return math.sqrt(share * (1 - share) / max(count, 1))
