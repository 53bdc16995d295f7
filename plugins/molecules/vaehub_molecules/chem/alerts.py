"""Structural alerts: groups that disturb assays, react or are hard to develop."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from rdkit.Chem import FilterCatalog, Mol

CATALOGS = {
    "pains": "PAINS",  # "New Substructure Filters for Removal of Pan Assay Interference Compounds" (Baell & Holloway, 2010), doi:10.1021/jm901137j
    "brenk": "BRENK",  # "Lessons Learnt from Assembling Screening Libraries" (Brenk et al., 2008), doi:10.1002/cmdc.200700139
}
ALERTS = (*CATALOGS, "moses")  # "Molecular Sets (MOSES)" (Polykovskiy et al., 2020), doi:10.3389/fphar.2020.565644


def alerts_of(mol: Mol, sets: Sequence[str] = ALERTS) -> list[str]:
    """The alerts of a molecule, each with its set: names of PAINS and Brenk patterns, and whether it fails the filters of MOSES.

    Arguments:
        mol: a molecule.
        sets: names of `ALERTS`.

    >>> from rdkit.Chem import MolFromSmiles
    >>> alerts_of(MolFromSmiles("O=C1C=CC(=O)C=C1"), ["pains", "brenk"])
    ['pains: quinone_A(370)', 'brenk: chinone_1']
    >>> alerts_of(MolFromSmiles("CC(=O)Nc1ccccc1"))
    []
    """
    found = [f"{name}: {match.GetDescription()}" for name in sets if name in CATALOGS for match in catalog(name).GetMatches(mol)]
    return [*found, *(["moses: filters"] if "moses" in sets and not passes_moses(mol) else [])]


def has_alert(mol: Mol, sets: Sequence[str]) -> bool:
    """Whether a molecule has an alert of these sets."""
    return any(catalog(name).HasMatch(mol) for name in sets if name in CATALOGS) or ("moses" in sets and not passes_moses(mol))


def passes_moses(mol: Mol) -> bool:
    """Whether a molecule passes the filters of MOSES, which take long to import."""
    from vaehub_molecules.metrics.filters import passes_filters

    return passes_filters(mol)


@cache
def catalog(name: str) -> Any:
    """The patterns of a set, once a process."""
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, CATALOGS[name]))
    return FilterCatalog.FilterCatalog(parameters)
