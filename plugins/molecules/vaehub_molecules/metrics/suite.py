"""The measures of MOSES over a set of samples.

"Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models" (Polykovskiy et al., 2020),
doi:10.3389/fphar.2020.565644. They are those of molsets 0.3.1, except that an empty string is no valid molecule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from scipy.stats import wasserstein_distance

from vaehub import UsageError
from vaehub_molecules.metrics.fcd import frechet, moments
from vaehub_molecules.metrics.features import FeatureSet
from vaehub_molecules.metrics.reference import Reference
from vaehub_molecules.metrics.similarity import cosine, internal_diversity, nearest_similarity

UNIQUENESS_AT = {"1k": 1_000, "10k": 10_000}


def evaluate(
    samples: Sequence[str],
    train: Collection[str] = (),
    test: Sequence[str] | None = None,
    statistics: Path | None = None,
    workers: int | None = None,
) -> Mapping[str, float]:
    """Every measure of MOSES for samples, by name; what compares needs a test set or the official statistics file.

    Arguments:
        samples: SMILES as they were drawn, invalid and repeated ones included.
        train: canonical SMILES that are not new; without any, novelty is left out.
        test: SMILES to compare with.
        statistics: test_stats.npz or test_scaffolds_stats.npz of molsets 0.3.1, in place of `test`.
        workers: processes that examine many molecules; one a core, if not given. The figures do not depend on how many.

    Returns:
        validity, uniqueness, novelty, IntDiv, IntDiv2 and Filters, and with something to compare with FCD, SNN, Frag, Scaf and the
        Wasserstein distances (W1) of logP, SA, QED and weight.

    Raises:
        UsageError: for no samples, a test set without a valid molecule, and a statistics file that is none of MOSES.

    >>> figures = evaluate(["OCC", "CCN", "C1CC"], train=["CCO"])
    >>> round(figures["validity"], 2), figures["uniqueness"], figures["novelty"]
    (0.67, 1.0, 0.5)
    """
    if not samples:
        raise UsageError("no samples to judge; draw some first")
    found = FeatureSet.of(samples, workers)
    figures = {"validity": len(found) / len(samples)}
    if not len(found):
        return figures
    figures |= uniqueness(found.smiles, len(samples))
    if train:
        figures["novelty"] = novelty(found.smiles, train)
    figures["IntDiv"], figures["IntDiv2"] = internal_diversity(found.prints)
    figures["Filters"] = float(found.passes.mean())
    if statistics is not None:
        figures |= compare(found, Reference.official(statistics))
    elif test:
        figures |= compare(found, Reference.of(test, workers))
    return figures


def uniqueness(smiles: Sequence[str], drawn: int) -> dict[str, float]:
    """The share of distinct molecules among all valid ones, and among the first 1,000 and 10,000 where as many were drawn."""
    shares = {"uniqueness": len(set(smiles)) / len(smiles)}
    for name, k in UNIQUENESS_AT.items():
        if drawn >= k:
            shares[f"uniqueness@{name}"] = len(set(smiles[:k])) / len(smiles[:k])
    return shares


def novelty(smiles: Sequence[str], train: Collection[str]) -> float:
    """The share of the distinct molecules that are not in the training set."""
    drawn = set(smiles)
    return len(drawn.difference(train)) / len(drawn)


def compare(found: FeatureSet, reference: Reference) -> dict[str, float]:
    """What compares two sets: FCD, SNN, Frag, Scaf, and the Wasserstein distances between distributions of four properties.

    >>> test = ["CC(=O)Nc1ccc(O)cc1", "O=C(Nc1ccccc1)c1ccc(F)cc1"]
    >>> found = FeatureSet.of(test)
    >>> figures = compare(found, Reference(None, found.prints, found.fragments, found.scaffolds, found.values))
    >>> {name: round(figures[name], 3) for name in ("SNN", "Scaf", "QED W1")}
    {'SNN': 1.0, 'Scaf': 1.0, 'QED W1': 0.0}
    """
    return {
        "FCD": frechet(reference.moments and moments(found.smiles), reference.moments),
        "SNN": nearest_similarity(found.prints, reference.prints),
        "Frag": cosine(found.fragments, reference.fragments),
        "Scaf": cosine(found.scaffolds, reference.scaffolds),
    } | {f"{name} W1": float(wasserstein_distance(values, reference.values[name])) for name, values in found.values.items()}
