"""Oracles by name."""

from __future__ import annotations

from collections.abc import Mapping

from vaehub import UsageError, hints
from vaehub_molecules.oracles import pmo
from vaehub_molecules.oracles.oracle import Formula, Oracle
from vaehub_molecules.oracles.parametrised import FAMILIES
from vaehub_molecules.oracles.terms import Descriptor

GUACAMOL = "GuacaMol, Brown et al. 2019, doi:10.1021/acs.jcim.8b00839"
RDKIT = "RDKit, doi:10.5281/zenodo.591637"
PROPERTY_SOURCES = {
    "logp": "Wildman & Crippen 1999, doi:10.1021/ci990307l",
    "penalised_logp": "logP - SA - max(0, largest ring - 6); Gómez-Bombarelli et al. 2018, doi:10.1021/acscentsci.7b00572",
    "penalised_logp_normalised": "(logP - 2.4571) / 1.4343 - (SA - 3.0526) / 0.8335 - (cycle - 0.0486) / 0.2860 with cycle = max(0, largest "
    "ring - 6); Jin et al. 2018, arXiv:1802.04364",
    "plogp_jtvae": "logP - SA; the constrained task of Jin et al. 2018, arXiv:1802.04364",
    "sa": "synthetic accessibility, 1 easy to 10 hard; Ertl & Schuffenhauer 2009, doi:10.1186/1758-2946-1-8",
    "tpsa": "polar surface in Å²; Ertl et al. 2000, doi:10.1021/jm000942e",
    "fsp3": "share of carbon atoms with four neighbours; Lovering et al. 2009, doi:10.1021/jm901241e",
    "mw": f"molecular weight in g/mol; {RDKIT}",
    "heavy": f"number of heavy atoms; {RDKIT}",
    "rings": f"number of rings; {RDKIT}",
    "aromatic_rings": f"number of aromatic rings; {RDKIT}",
    "rotatable": f"number of rotatable bonds; {RDKIT}",
    "hbd": f"number of donors of hydrogen bonds; {RDKIT}",
    "hba": f"number of acceptors of hydrogen bonds; {RDKIT}",
}
ORACLES: Mapping[str, Oracle] = {name: Formula(name, term, GUACAMOL) for name, term in pmo.TERMS.items()} | {
    name: Formula(name, Descriptor(name), source) for name, source in PROPERTY_SOURCES.items()
}


def oracle(name: str) -> Oracle:
    """An oracle by its name, or by that of a family and a parameter.

    Arguments:
        name: one of `ORACLES`, or `similarity:SMILES`, `rediscovery:SMILES`, `isomers:FORMULA`, `median:SMILES,SMILES`.

    Raises:
        UsageError: for a name that is none, and for a parameter that cannot be read.

    >>> oracle("similarity:CCO").describe
    'min(1, T_ECFP4(x, CCO) / 0.7) (GuacaMol, Brown et al. 2019, doi:10.1021/acs.jcim.8b00839)'
    >>> round(oracle("qed").score("CC(=O)Nc1ccc(O)cc1"), 3)
    0.595
    """
    family, colon, parameter = name.partition(":")
    if colon and family in FAMILIES:
        return Formula(name, FAMILIES[family](parameter), GUACAMOL)
    if name not in ORACLES:
        raise UsageError(f"no objective called {name!r}; {hints.did_you_mean(name, oracle_names())}")
    return ORACLES[name]


def oracle_names() -> list[str]:
    """The names that `oracle` takes, families with their colon.

    >>> [name for name in oracle_names() if name.startswith("isomers")]
    ['isomers_c7h8n2o2', 'isomers_c9h10n2o2pf2cl', 'isomers:']
    """
    return [*ORACLES, *(f"{family}:" for family in FAMILIES)]
