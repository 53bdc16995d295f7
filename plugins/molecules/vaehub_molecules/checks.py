"""What the doctor looks for in models of molecules: what a grammar cannot make true by itself."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor

from vaehub import TrainedModel, evaluation, seeded
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.codec import molecule_codec_of
from vaehub_molecules.domains.likeness import Likeness
from vaehub_molecules.domains.molecule_domain import MoleculeDomain
from vaehub_molecules.domains.profile import TrainingProfile
from vaehub_molecules.domains.splitting import hash_order
from vaehub_molecules.use.evaluation import draw_rows, exact_share

DRAWN = 200  # samples that are looked at, and as many training molecules beside them
RETURNED = 0.05  # share of unseen molecules that should come back exactly
ODD = 0.2  # share of drawn molecules, beyond that of training molecules, with rings of a size that these hardly have
RECOVERED = 0.5  # of what draws from the prior lack: where codes of molecules lack less than the rest, the prior is at fault


def little_comes_back(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Unseen molecules that do not come back from their codes."""
    share = exact_share(c.run.vae, c.some("val"), DRAWN)
    if share >= RETURNED:
        return None
    evidence = f"{share:.1%} of {DRAWN} unseen molecules come back exactly"
    return evaluation.Finding("no reconstruction", "warning", evidence, "train longer, raise latent, or lower objective.beta")


def odd_rings(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Drawn molecules with rings of a size that training molecules hardly have: a grammar makes such strings valid, not sensible."""
    sampled, training = sampled_smiles(c.run), training_smiles(c.run)[:DRAWN]
    if not sampled or not training:
        return None
    drawn, trained = (np.mean([has_odd_ring(Chem.MolFromSmiles(smiles)) for smiles in some]) for some in (sampled, training))
    if drawn - trained <= ODD:
        return None
    evidence = (
        f"{drawn:.0%} of {DRAWN} drawn molecules have a ring of 3, 4 or more than 6 atoms, {trained:.0%} of training molecules"
    )
    return evaluation.Finding(
        "odd rings", "warning", evidence, "train longer, and sample at a lower temperature; valid strings are no proof"
    )


def unknown_ring_systems(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Drawn molecules with ring systems that no training molecule has."""
    likeness = sampled_likeness(c.run)
    if likeness is None or not likeness.rings_are_odd:
        return None
    evidence = (
        f"{likeness.known_rings:.0%} of {likeness.count} drawn molecules have only ring systems of training molecules, "
        f"{likeness.unseen_share:.0%} of unseen molecules; others are {', '.join(likeness.unknown[:3])}"
    )
    return evaluation.Finding("unknown ring systems", "warning", evidence, "train longer; valid strings are no proof")


def odd_properties(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Drawn molecules whose weight, logP, QED or SA is distributed otherwise than that of training molecules."""
    likeness = sampled_likeness(c.run)
    if likeness is None or not likeness.odd_properties:
        return None
    return evaluation.Finding("odd properties", "warning", likeness.line(), "train longer, or learn the prior (prior=flow)")


def prior_at_fault(c: evaluation.Checkup) -> evaluation.Finding | None:
    """Draws from the prior that decode worse than codes of unseen molecules do: the prior is far from the aggregate posterior."""
    profile, drawn = profile_of(c.run), sampled_likeness(c.run)
    if profile is None or drawn is None or not drawn.warning():
        return None
    decoded = decoded_likeness(c, profile)
    lack, gain = drawn.unseen_share - drawn.known_rings, decoded.known_rings - drawn.known_rings
    distance, nearer = drawn.mean_distance, drawn.mean_distance - decoded.mean_distance
    chance = 2 * max(drawn.chance, decoded.chance)
    if gain <= max(RECOVERED * lack, chance) and nearer <= max(RECOVERED * distance, chance):
        return None
    evidence = f"from codes of unseen molecules: {decoded.line()}; from the prior: {drawn.line()}"
    advice = "learn the prior (prior=flow, prior=vamp), or raise objective.beta"
    return evaluation.Finding("prior far from codes", "warning", evidence, advice)


def has_odd_ring(molecule: Chem.Mol) -> bool:
    """Whether a ring has 3, 4 or more than 6 atoms."""
    return any(len(ring) not in (5, 6) for ring in molecule.GetRingInfo().AtomRings())


@lru_cache(maxsize=1)
def sampled_smiles(run: TrainedModel) -> list[str]:
    """Canonical SMILES drawn from the prior, those that are no molecules left out."""
    with seeded("diagnose", "molecules"):
        return valid_smiles(run, draw_rows(run.vae, run.data("val"), DRAWN))


def valid_smiles(run: TrainedModel, rows: Tensor) -> list[str]:
    """Canonical SMILES of rows (N, T) of symbols, those that are no molecules left out."""
    codec = molecule_codec_of(run.codec)
    return [smiles for smiles in canonical_or_empty(codec.vocabulary.strings(rows), codec.policy) if smiles]


@lru_cache(maxsize=1)
def training_smiles(run: TrainedModel) -> list[str]:
    """The training molecules in the order of their hashes; none of a domain that has none."""
    smiles = run.domain.train["smiles"].tolist() if isinstance(run.domain, MoleculeDomain) else []
    return [smiles[i] for i in hash_order(smiles, 0)]


@lru_cache(maxsize=1)
def profile_of(run: TrainedModel) -> TrainingProfile | None:
    """How the training molecules are built: as the model's file says or, of an old file, as they are."""
    known = molecule_codec_of(run.codec).profile
    return known or (TrainingProfile.of(training_smiles(run)) if training_smiles(run) else None)


@lru_cache(maxsize=1)
def sampled_likeness(run: TrainedModel) -> Likeness | None:
    """How like the training molecules drawn ones are, where both are known."""
    profile = profile_of(run)
    return None if profile is None else profile.likeness(sampled_smiles(run))


@torch.no_grad()
def decoded_likeness(c: evaluation.Checkup, profile: TrainingProfile) -> Likeness:
    """How like the training molecules those are that codes of unseen ones spell, one draw of q(z|x) for each."""
    cond = c.rows("val").cond
    with seeded("diagnose", "codes"):
        rows = c.run.vae.decoder(c.z("val")[:DRAWN], None if cond is None else cond[:DRAWN]).sample()
    return profile.likeness(valid_smiles(c.run, rows.cpu()))


CHECKS: tuple[evaluation.Check, ...] = (little_comes_back, odd_rings, unknown_ring_systems, odd_properties, prior_at_fault)
