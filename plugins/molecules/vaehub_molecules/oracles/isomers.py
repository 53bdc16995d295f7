"""Scores for closeness to a molecular formula."""

from __future__ import annotations

import re

from rdkit.Chem import GetPeriodicTable

from vaehub import UsageError
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.oracles.modifiers import GeometricMean, Near
from vaehub_molecules.oracles.terms import Descriptor, ElementCount, Term

FORMULA = re.compile(r"([A-Z][a-z]?)(\d*)")


def isomers(formula: str) -> Term:
    """Geometric mean of near(#element; n, 1) for every element of the formula and near(#atoms; Σ n, 2).

    "GuacaMol: Benchmarking Models for de Novo Molecular Design" (Brown et al., 2019), doi:10.1021/acs.jcim.8b00839.

    Raises:
        UsageError: for a formula that cannot be read.

    >>> print(isomers("CO2"))
    [near(#C; 1, 1) · near(#O; 2, 1) · near(atoms; 3, 2)]^(1/3)
    """
    counts = parse_formula(formula)
    total = Near(Descriptor("atoms"), sum(counts.values()), 2)
    return GeometricMean((*(Near(ElementCount(element), n, 1) for element, n in counts.items()), total))


def parse_formula(formula: str) -> dict[str, int]:
    """How many atoms of each element: C2H6O -> {C: 2, H: 6, O: 1}. Raises UsageError where it is no formula."""
    if not re.fullmatch(r"([A-Z][a-z]?\d*)+", formula):
        raise UsageError(f"{formula!r} is no molecular formula; write it as in C9H10N2O2PF2Cl")
    counts: dict[str, int] = {}
    for element, n in FORMULA.findall(formula):
        check_element(element, formula)
        counts[element] = counts.get(element, 0) + int(n or 1)
    return counts


def check_element(element: str, formula: str) -> None:
    """Raises UsageError for what is no element."""
    silence_rdkit()
    try:
        GetPeriodicTable().GetAtomicNumber(element)
    except RuntimeError as error:
        raise UsageError(f"{formula!r}: {element!r} is no element; write the formula as in C9H10N2O2PF2Cl") from error
