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

from vaehub import Json, UsageError, hints
from vaehub_molecules.chem.alerts import ALERTS, has_alert
from vaehub_molecules.chem.cores import Core, is_core
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
        scaffold: SMARTS that must match, with the stereo that it has, or several that all must. One of them may be SMILES with attachment
            points, `*` or `[*:1]`: a core that has substituents there, and nowhere else.
        max_heavy: heavy atoms, at most.
        sa_max: synthetic accessibility, at most; from 1 (easy) to 10 (hard).
        elements: symbols that may occur.
        forbid: SMARTS that must not match.
        alerts: sets of structural alerts of which there must be none: pains, brenk, moses.
        similarity_each: the same similarity to every lead, at least.
        similarity_max: to the nearest lead, at most.

    Raises:
        UsageError: for a limit out of range, a symbol that is no element, SMARTS that RDKit cannot read, and alerts that there are not.

    >>> Constraints(max_heavy=3).violation("CCCO"), Constraints(max_heavy=3).violation("CCO")
    ('max_heavy', '')
    """

    similarity: float | None = None
    scaffold: str | tuple[str, ...] | None = None
    max_heavy: int | None = None
    sa_max: float | None = None
    elements: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    similarity_each: float | None = None
    similarity_max: float | None = None
    _leads: list[Any] = field(default_factory=list, repr=False, compare=False)  # their fingerprints

    def __post_init__(self) -> None:
        silence_rdkit()
        for name, value, low, high in (
            ("similarity", self.similarity, 0.0, 1.0),
            ("similarity_each", self.similarity_each, 0.0, 1.0),
            ("similarity_max", self.similarity_max, 0.0, 1.0),
            ("sa_max", self.sa_max, 1.0, 10.0),
            ("max_heavy", self.max_heavy, 1, 1000),
        ):
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name}={value}: must be from {low:g} to {high:g}")
        object.__setattr__(self, "elements", tuple(map(checked_element, self.elements)))
        for name in ("scaffold", "forbid", "alerts"):
            object.__setattr__(self, name, compact(getattr(self, name), name == "scaffold"))
        for scaffold in self.scaffolds:
            check_scaffold(scaffold)
        for smarts in self.forbid:
            check_smarts("forbid", smarts)
        if unknown := [name for name in self.alerts if name not in ALERTS]:
            raise UsageError(f"alerts={unknown[0]!r}: {hints.did_you_mean(unknown[0], ALERTS)}")
        if sum(map(is_core, self.scaffolds)) > 1:
            raise UsageError("scaffold: several have attachment points; of one core the substituents can be sought, give one")

    def options(self) -> Json:
        """What was asked for, as JSON; of the options that came later only those that were set, so that searches from before go on."""
        later = {name: getattr(self, name) for name in ("forbid", "alerts", "similarity_each", "similarity_max")}
        return {
            "similarity": self.similarity,
            "scaffold": self.scaffold,
            "max_heavy": self.max_heavy,
            "sa_max": self.sa_max,
            "elements": self.elements,
            **{name: value for name, value in later.items() if value not in (None, ())},
        }

    @property
    def scaffolds(self) -> tuple[str, ...]:
        """All that must match."""
        return (self.scaffold,) if isinstance(self.scaffold, str) else self.scaffold or ()

    @cached_property
    def core(self) -> Core | None:
        """The scaffold with attachment points, if there is one."""
        return next((Core(scaffold) for scaffold in self.scaffolds if is_core(scaffold)), None)

    def with_leads(self, leads: Sequence[str]) -> Constraints:
        """The same with the leads that similarity is measured to. Raises UsageError where there are none, or one breaks the scaffold."""
        for name in ("similarity", "similarity_each", "similarity_max"):
            if (limit := self.options().get(name)) is not None and not leads:
                raise UsageError(f"{name}={limit:g}: to which molecule? Give the leads (start, --start FILE)")
        for lead in leads:
            if not self.has_scaffolds(Chem.MolFromSmiles(lead)):
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

    def has_scaffolds(self, mol: Chem.Mol) -> bool:
        """Whether all scaffolds match, their stereo included, and the core is substituted at its attachment points alone."""
        if not all(mol.HasSubstructMatch(pattern, useChirality=True) for pattern in self.patterns):
            return False
        return self.core is None or self.core.match(mol) is not None

    def similarities(self, mol: Chem.Mol) -> list[float]:
        """Similarity to every lead."""
        return list(map(float, BulkTanimotoSimilarity(fingerprint(mol), self._leads)))

    def nearest_similarity(self, mol: Chem.Mol) -> float:
        """Similarity to the nearest lead."""
        return max(self.similarities(mol), default=0.0)

    @cached_property
    def tests(self) -> dict[str, Test]:
        """The limits that were set, cheap ones first."""
        limits = self.options()
        return {name: partial(test, self) for name, test in TESTS.items() if limits.get(name) not in (None, ())}

    @cached_property
    def patterns(self) -> list[Any]:
        """The scaffolds without attachment points."""
        return [Chem.MolFromSmarts(scaffold) for scaffold in self.scaffolds if not is_core(scaffold)]

    @cached_property
    def forbidden(self) -> list[Any]:
        """The patterns that must not match."""
        return list(map(Chem.MolFromSmarts, self.forbid))


def compact(value: Any, single: bool) -> Any:
    """Texts as a tuple, in any form that they were given; where `single`, one is itself and none is None."""
    texts = (value,) if isinstance(value, str) else tuple(value or ()) if value is not None else ()
    return (texts[0] if len(texts) == 1 else texts or None) if single else texts


def check_smarts(name: str, smarts: str) -> Any:
    """The pattern of a limit. Raises UsageError where RDKit cannot read it, or it has no atom."""
    silence_rdkit()
    pattern = Chem.MolFromSmarts(smarts)
    if pattern is None:
        raise UsageError(f"{name}={smarts!r}: is no SMARTS that RDKit can read; check the pattern")
    if not pattern.GetNumAtoms():
        raise UsageError(f"{name}={smarts!r}: every molecule has it; name atoms, as in c1ccncc1")
    return pattern


def check_scaffold(scaffold: str) -> None:
    """Raises UsageError for what is no SMARTS, and for SMARTS that every molecule matches."""
    pattern = check_smarts("scaffold", scaffold)
    if is_core(scaffold):
        return
    if not pattern.GetNumAtoms() or all(Chem.MolFromSmiles(atom).HasSubstructMatch(pattern) for atom in "CNO"):
        raise UsageError(f"scaffold={scaffold!r}: every molecule has it; name atoms, as in c1ccncc1")


TESTS: dict[str, Callable[[Any, Chem.Mol], bool]] = {
    "max_heavy": lambda limits, mol: mol.GetNumHeavyAtoms() <= limits.max_heavy,
    "elements": lambda limits, mol: all(atom.GetSymbol() in limits.elements for atom in mol.GetAtoms()),
    "scaffold": lambda limits, mol: limits.has_scaffolds(mol),
    "forbid": lambda limits, mol: not any(mol.HasSubstructMatch(pattern, useChirality=True) for pattern in limits.forbidden),
    "similarity": lambda limits, mol: limits.nearest_similarity(mol) >= limits.similarity,
    "similarity_each": lambda limits, mol: min(limits.similarities(mol)) >= limits.similarity_each,
    "similarity_max": lambda limits, mol: limits.nearest_similarity(mol) <= limits.similarity_max,
    "alerts": lambda limits, mol: not has_alert(mol, limits.alerts),
    "sa_max": lambda limits, mol: sa_score(mol) <= limits.sa_max,
}


def fingerprint(mol: Chem.Mol) -> Any:
    """Morgan counts of radius 2, not folded: two molecules never share a place by chance."""
    return _MORGAN.GetSparseCountFingerprint(mol)


_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)
