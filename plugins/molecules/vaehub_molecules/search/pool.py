"""Molecules that a search may begin with: a file's, or what the model itself writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from vaehub import UsageError, arguments
from vaehub_molecules.chem.canonical_many import standardise_all
from vaehub_molecules.chem.changes import Standardised, warn_of_changes
from vaehub_molecules.chem.fingerprints import fingerprints
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.reasons import Rejected

if TYPE_CHECKING:
    from vaehub_molecules.use.latent_space import LatentSpace

NAMES = (
    "name",
    "title",
    "id",
    "compound",
    "compound_id",
    "molecule_id",
    "chembl_id",
    "molecule_chembl_id",
)  # columns with names of leads
POOL_SAMPLES = 2_000  # molecules that a model writes where no pool is given
Source: TypeAlias = "Path | str | Sequence[str] | Pool | None"
Start: TypeAlias = "Path | str | Sequence[str] | Mapping[str, str]"


@final
@dataclass
class FingerprintCache:
    """Count fingerprints that are computed once a molecule."""

    rows: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def of(self, molecules: Sequence[str]) -> NDArray[np.uint8]:
        """(N, D) of these molecules."""
        new = [smiles for smiles in molecules if smiles not in self.rows]
        self.rows.update(zip(new, fingerprints(new), strict=True))
        return np.stack([self.rows[smiles] for smiles in molecules]) if len(molecules) else fingerprints([])


@final
@dataclass
class Pool:
    """Canonical molecules with their fingerprints, which are computed when first asked for; one pool can serve many searches.

    Arguments:
        smiles: canonical molecules.

    >>> pool = Pool(["CCO", "CCN", "CCC"])
    >>> len(pool), pool.rows([0, 2]).shape
    (3, (2, 2048))
    """

    smiles: Sequence[str]
    cache: FingerprintCache = field(default_factory=FingerprintCache, repr=False)

    def __len__(self) -> int:
        return len(self.smiles)

    def random_places(self, count: int, rng: np.random.Generator) -> list[int]:
        """Places of random molecules, each once, of all where there are no more."""
        return list(map(int, rng.permutation(len(self))[:count]))

    def rows(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """(N, D) count fingerprints of the molecules at these places."""
        return self.cache.of([self.smiles[place] for place in places])


def open_pool(source: Source, space: LatentSpace | None, policy: Policy, seed: int) -> Pool:
    """The pool of a search. Raises UsageError where it is empty, and where none is given and no model can write one."""
    if isinstance(source, Pool):
        return source
    if source is None:
        if space is None:
            raise UsageError("pool: is needed where run is None, a search without a model; give a file or a list of molecules")
        return Pool(sampled_molecules(space, seed))
    smiles = read_pool(Path(source), policy) if isinstance(source, (str, Path)) else canonical_unique(source, "pool", policy)
    if not smiles:
        raise UsageError(f"pool={source}: has no molecule; give another file")
    return Pool(smiles)


def sampled_molecules(space: LatentSpace, seed: int) -> list[str]:
    """Different valid molecules that the model writes from its prior."""
    found = space.molecules(space.prior(POOL_SAMPLES, seed), temperature=1.0, seed=seed)
    smiles = list(dict.fromkeys(filter(None, found)))
    if not smiles:
        raise UsageError(
            f"none of {POOL_SAMPLES:,} samples of the model is a valid molecule; train it longer, or give a pool of molecules"
        )
    return smiles


def read_pool(path: Path, policy: Policy) -> list[str]:
    """Canonical molecules of a file, each once."""
    from vaehub_molecules.files import read_molecules

    found = read_molecules(path, policy)
    found.warn_of_changes()
    return [str(smiles) for smiles in found.frame["smiles"]]


@final
@dataclass(frozen=True)
class Leads:
    """Canonical molecules to start from, and what they are called, "" where they have no name."""

    smiles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def open_leads(start: Start, policy: Policy) -> Leads:
    """Leads of a file, a sequence, or a mapping of SMILES to names. Raises UsageError that names one that cannot be read."""
    if isinstance(start, Path):
        return read_leads(start, policy)
    given = (
        start
        if isinstance(start, Mapping)
        else dict.fromkeys([start] if isinstance(start, str) else arguments.sequence("start", start), "")
    )
    names: dict[str, str] = {}
    for smiles, name in zip(standardised(list(given), "start", policy), given.values(), strict=True):
        names.setdefault(smiles, str(name))
    return Leads(tuple(names), tuple(names.values()))


def read_leads(path: Path, policy: Policy) -> Leads:
    """Canonical leads of a file. Raises UsageError that names a line that cannot be read: a lead is never dropped silently."""
    from vaehub_molecules.files import read_molecules

    found = read_molecules(path, policy)
    for line in found.rejected[:1]:
        raise UsageError(f"{path}: line {line.number}: {line.reason} ({line.text!r}); take it out or mend it")
    found.warn_of_changes()
    column = next((column for column in found.frame if str(column).lower() in NAMES), None)
    names = (
        [""] * len(found.frame) if column is None else [" ".join(str(name).split()) for name in found.frame[column].fillna("")]
    )
    return Leads(tuple(map(str, found.frame["smiles"])), tuple(names))


def canonical_unique(molecules: Sequence[str], what: str, policy: Policy) -> list[str]:
    """Canonical molecules, each once. Raises UsageError that names the one that cannot be read."""
    return list(dict.fromkeys(standardised(molecules, what, policy)))


def standardised(molecules: Sequence[str], what: str, policy: Policy) -> list[str]:
    """Canonical molecules, with a warning where some are changed. Raises UsageError that names the first that cannot be read."""
    for given in molecules:
        if not isinstance(given, str):
            raise arguments.wrong_argument(what, given, "SMILES strings")
    found: list[Standardised] = []
    for smiles, answer in zip(molecules, standardise_all(molecules, policy), strict=True):
        if isinstance(answer, Rejected):
            raise UsageError(f"{what}: {smiles!r} is not accepted: {answer}; take it out or mend it")
        found.append(answer)
    warn_of_changes(what, (answer.changes for answer in found))
    return [answer.smiles for answer in found]
