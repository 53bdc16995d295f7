"""How hard a molecule is to make."""

from __future__ import annotations

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from rdkit import RDConfig
from rdkit.Chem import Mol

from vaehub import UsageError


def sa_score(mol: Mol) -> float:
    """Synthetic accessibility: 1 = easy, 10 = very hard, from how common its fragments are, its size, stereo centres and rings.

    "Estimation of synthetic accessibility score of drug-like molecules" (Ertl & Schuffenhauer, 2009), doi:10.1186/1758-2946-1-8, by the
    implementation of its authors in RDKit.

    Arguments:
        mol: a molecule.

    Returns:
        the score; NaN for no atoms.

    Raises:
        UsageError: where RDKit came without its Contrib folder.

    >>> from rdkit.Chem import MolFromSmiles
    >>> round(sa_score(MolFromSmiles("CCO")), 2)
    1.98
    """
    score = _scorer().calculateScore(mol)
    return float("nan") if score is None else float(score)


@cache
def _scorer() -> ModuleType:
    """RDKit's own SA_Score; it is part of the wheel but of no package, hence by its path."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = spec_from_file_location("rdkit_sascorer", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{path}: RDKit's SA_Score is missing; install the wheel `rdkit` from PyPI, which has it")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
