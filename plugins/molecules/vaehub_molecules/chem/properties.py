"""Numbers that chemists read off a molecule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import pandas as pd
from rdkit.Chem import Descriptors, Mol, MolFromSmiles
from rdkit.Chem import rdMolDescriptors as descriptors
from rdkit.Chem.QED import qed

from vaehub import UsageError, hints
from vaehub_molecules.chem.parallel import parallel_map
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.chem.sascore import sa_score

Property: TypeAlias = Callable[[Mol], float]

# (mean, standard deviation) of each term over ZINC250k, as the published tables of penalised logP have them
ZINC_LOGP = (2.4570953396190123, 1.434324401111988)
ZINC_SA = (3.0525811293166134, 0.8335207024513095)
ZINC_CYCLE = (0.0485696876403053, 0.2860212110245455)


def logp(mol: Mol) -> float:
    """log10 of the octanol-water partition coefficient: a sum over atoms.

    "Prediction of Physicochemical Parameters by Atomic Contributions" (Wildman & Crippen, 1999), doi:10.1021/ci990307l.
    """
    return float(descriptors.CalcCrippenDescriptors(mol)[0])


def molecular_weight(mol: Mol) -> float:
    """Average molecular weight in g/mol."""
    return float(Descriptors.MolWt(mol))  # type: ignore[attr-defined]


def ring_penalty(mol: Mol) -> float:
    """By how many atoms the largest ring exceeds six: max(0, |ring| - 6) over the smallest set of smallest rings."""
    return float(max((len(ring) - 6 for ring in mol.GetRingInfo().AtomRings() if len(ring) > 6), default=0))


def penalised_logp(mol: Mol) -> float:
    """logP - SA - cycle.

    "Automatic Chemical Design Using a Data-Driven Continuous Representation of Molecules" (Gómez-Bombarelli et al., 2018),
    doi:10.1021/acscentsci.7b00572.
    """
    return logp(mol) - sa_score(mol) - ring_penalty(mol)


def penalised_logp_normalised(mol: Mol) -> float:
    """(logP - 2.4571) / 1.4343 - (SA - 3.0526) / 0.8335 - (cycle - 0.0486) / 0.2860: each term less its mean over ZINC250k, by its deviation.

    The form of "Junction Tree Variational Autoencoder" (Jin et al., 2018), arXiv:1802.04364, in which the best of ZINC250k has 4.52.
    """
    return standardised(logp(mol), ZINC_LOGP) - standardised(sa_score(mol), ZINC_SA) - standardised(ring_penalty(mol), ZINC_CYCLE)


def standardised(value: float, moments: tuple[float, float]) -> float:
    """Value less mean, by standard deviation."""
    return (value - moments[0]) / moments[1]


def logp_sa(mol: Mol) -> float:
    """logP - SA, without a term for rings: what the constrained task of "Junction Tree Variational Autoencoder" scores."""
    return logp(mol) - sa_score(mol)


PROPERTIES: dict[str, Property] = {
    "logp": logp,
    "qed": qed,  # "Quantifying the chemical beauty of drugs" (Bickerton et al., 2012), doi:10.1038/nchem.1243
    "sa": sa_score,
    "penalised_logp": penalised_logp,
    "penalised_logp_normalised": penalised_logp_normalised,
    "plogp_jtvae": logp_sa,
    "tpsa": descriptors.CalcTPSA,  # Å²; "Fast Calculation of Molecular Polar Surface Area" (Ertl et al., 2000), doi:10.1021/jm000942e
    "mw": molecular_weight,
    "heavy": Mol.GetNumHeavyAtoms,
    "rings": descriptors.CalcNumRings,
    "aromatic_rings": descriptors.CalcNumAromaticRings,
    "rotatable": descriptors.CalcNumRotatableBonds,
    "hbd": descriptors.CalcNumHBD,
    "hba": descriptors.CalcNumHBA,
    "fsp3": descriptors.CalcFractionCSP3,
}


def property_of(name: str) -> Property:
    """The function of a property. Raises UsageError for a name that is none."""
    if name not in PROPERTIES:
        raise UsageError(f"no property called {name!r}; {hints.did_you_mean(name, PROPERTIES)}")
    return PROPERTIES[name]


def property_table(smiles: Sequence[str], names: Sequence[str] = tuple(PROPERTIES), workers: int | None = None) -> pd.DataFrame:
    """Properties of molecules, a row for each and a column for each name; NaN where RDKit cannot read one.

    Arguments:
        smiles: N molecules.
        names: of `PROPERTIES`; all, if not given.
        workers: processes that share many molecules; one a core, if not given.

    Returns:
        a frame of N rows.

    Raises:
        UsageError: for a name that is none.

    >>> property_table(["CCO", "c1ccccc1"], ["mw", "rings"]).round(1).to_dict("list")
    {'mw': [46.1, 78.1], 'rings': [0.0, 1.0]}
    """
    for name in names:
        property_of(name)
    rows = parallel_map(partial(property_row, tuple(names)), smiles, workers)
    return pd.DataFrame(rows, columns=list(names), dtype=float)


def property_row(names: Sequence[str], smiles: str) -> list[float]:
    """Properties of one molecule; NaN where RDKit cannot read it."""
    silence_rdkit()
    mol = MolFromSmiles(smiles)
    return [float("nan") if mol is None else float(PROPERTIES[name](mol)) for name in names]
