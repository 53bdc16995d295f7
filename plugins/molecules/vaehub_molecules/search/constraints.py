"""What every proposed molecule must satisfy, each with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from typing import Any, final

from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity

from vaehub import Json, UsageError
from vaehub_molecules.chem.policy import checked_element
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.chem.sascore import sa_score

MAX_CHECKED = 20_000  # molecules of a pool that are looked at before a constraint is called infeasible
Test = Callable[[Chem.Mol], bool]


@final
@dataclass(frozen=True)
class Constraints:
    """Limits on molecules; None and () are no limit.

    Arguments:
        similarity: count Tanimoto of Morgan fingerprints (radius 2, not folded) to the nearest lead, at least; from 0 to 1.
        scaffold: SMARTS that must match, with the stereo that it has.
        max_heavy: heavy atoms, at most.
        sa_max: synthetic accessibility, at most; from 1 (easy) to 10 (hard).
        elements: symbols that may occur.

    Raises:
        UsageError: for a limit out of range, a symbol that is no element, and SMARTS that RDKit cannot read.

    >>> Constraints(max_heavy=3).violation("CCCO"), Constraints(max_heavy=3).violation("CCO")
    ('max_heavy', '')
    """

    similarity: float | None = None
    scaffold: str | None = None
    max_heavy: int | None = None
    sa_max: float | None = None
    elements: tuple[str, ...] = ()
    _leads: list[Any] = field(default_factory=list, repr=False, compare=False)  # their fingerprints

    def __post_init__(self) -> None:
        silence_rdkit()
        for name, value, low, high in (
            ("similarity", self.similarity, 0.0, 1.0),
            ("sa_max", self.sa_max, 1.0, 10.0),
            ("max_heavy", self.max_heavy, 1, 1000),
        ):
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name}={value}: must be from {low:g} to {high:g}")
        object.__setattr__(self, "elements", tuple(map(checked_element, self.elements)))
        if self.scaffold is not None:
            check_scaffold(self.scaffold)

    def options(self) -> Json:
        """What was asked for, as JSON."""
        return {
            "similarity": self.similarity,
            "scaffold": self.scaffold,
            "max_heavy": self.max_heavy,
            "sa_max": self.sa_max,
            "elements": self.elements,
        }

    def with_leads(self, leads: Sequence[str]) -> Constraints:
        """The same with the leads that similarity is measured to. Raises UsageError where there are none, or one breaks the scaffold."""
        if self.similarity is not None and not leads:
            raise UsageError(f"similarity={self.similarity:g}: to which molecule? Give the leads (start, --start FILE)")
        for lead in leads:
            if self.scaffold is not None and not self.has_scaffold(Chem.MolFromSmiles(lead)):
                raise UsageError(f"scaffold={self.scaffold!r}: the lead {lead} does not have it; change the SMARTS or the lead")
        return Constraints(**self.options(), _leads=[fingerprint(Chem.MolFromSmiles(lead)) for lead in leads])

    def require_feasible(self, molecules: Iterable[str], where: str) -> None:
        """Raise UsageError that says which constraint no molecule of those given satisfies; looks at MAX_CHECKED of them at most."""
        missing = dict(self.tests)
        for smiles in islice(molecules, MAX_CHECKED):
            mol = Chem.MolFromSmiles(smiles)
            missing = {name: test for name, test in missing.items() if not test(mol)}
            if not missing:
                return
        name = next(iter(missing))
        raise UsageError(
            f"{name}={self.options()[name]!r}: no molecule of {where} satisfies it; loosen it, or give leads that do"
        )

    def violation(self, smiles: str) -> str:
        """The name of the first constraint that a molecule breaks, "" for none."""
        if not self.tests:
            return ""
        mol = Chem.MolFromSmiles(smiles)
        return next((name for name, test in self.tests.items() if not test(mol)), "")

    def has_scaffold(self, mol: Chem.Mol) -> bool:
        """Whether the scaffold matches, its stereo included."""
        return bool(mol.HasSubstructMatch(self.pattern, useChirality=True))

    def nearest_similarity(self, mol: Chem.Mol) -> float:
        """Similarity to the nearest lead."""
        return float(max(BulkTanimotoSimilarity(fingerprint(mol), self._leads), default=0.0))

    @cached_property
    def tests(self) -> dict[str, Test]:
        """The limits that were set, cheap ones first."""
        limits = self.options()
        return {name: partial(test, self) for name, test in TESTS.items() if limits[name] not in (None, ())}

    @cached_property
    def pattern(self) -> Any:
        """The scaffold."""
        return Chem.MolFromSmarts(self.scaffold)


def check_scaffold(scaffold: str) -> None:
    """Raises UsageError for what is no SMARTS, and for SMARTS that every molecule matches."""
    silence_rdkit()
    pattern = Chem.MolFromSmarts(scaffold)
    if pattern is None:
        raise UsageError(f"scaffold={scaffold!r}: is no SMARTS that RDKit can read; check the pattern")
    if not pattern.GetNumAtoms() or all(Chem.MolFromSmiles(atom).HasSubstructMatch(pattern) for atom in "CNO"):
        raise UsageError(f"scaffold={scaffold!r}: every molecule has it; name atoms, as in c1ccncc1")


TESTS: dict[str, Callable[[Any, Chem.Mol], bool]] = {
    "max_heavy": lambda limits, mol: mol.GetNumHeavyAtoms() <= limits.max_heavy,
    "elements": lambda limits, mol: all(atom.GetSymbol() in limits.elements for atom in mol.GetAtoms()),
    "scaffold": lambda limits, mol: limits.has_scaffold(mol),
    "similarity": lambda limits, mol: limits.nearest_similarity(mol) >= limits.similarity,
    "sa_max": lambda limits, mol: sa_score(mol) <= limits.sa_max,
}


def fingerprint(mol: Chem.Mol) -> Any:
    """Morgan counts of radius 2, not folded: two molecules never share a place by chance."""
    return _MORGAN.GetSparseCountFingerprint(mol)


_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)
