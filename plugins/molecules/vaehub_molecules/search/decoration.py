"""Decoration: a core that stays as it is while its substituents come from other molecules and change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import final

from rdkit.Chem import MolFromSmiles, MolToSmiles

from vaehub import UsageError
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.cores import Core, substituents
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.graphs import mutate
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.pool import Pool
from vaehub_molecules.search.proposers import Draft, Parents, Proposer

SOURCES = 2_000  # molecules of a pool whose substituents are taken
DECORATED = 2_000  # molecules that are made of a core and substituents of the pool
BARE = 0.3  # chance of a hydrogen at an attachment point of these
MUTATED = 0.4  # share of children of which a substituent is changed atom by atom, in place of taken from another molecule
MATES = 500  # molecules of the pool that others take substituents from in a round
DECAY = 0.05  # the chance of a parent of rank i among N is in proportion to 1 / (DECAY N + i)
TRIES = 5


def decorated_pool(core: Core, pool: Pool, policy: Policy, seed: int) -> Pool:
    """The core with random substituents, which hang at rings of the molecules of a pool, common ones more often; and those that have the core.

    Raises:
        UsageError: where no molecule can be made.
    """
    rng = Random(seed)
    sources = [pool.smiles[place] for place in sorted(rng.sample(range(len(pool)), min(SOURCES, len(pool))))]
    mols = [MolFromSmiles(smiles) for smiles in sources]
    counts = Counter(group for mol in mols for group in substituents(mol))
    groups, weights = list(counts), [count**0.5 for count in counts.values()]
    made = [smiles for smiles, mol in zip(sources, mols, strict=True) if core.match(mol)]
    for _ in range(DECORATED if groups else 0):
        made.append(core.with_groups({site: rng.choices(groups, weights)[0] for site in core.sites if rng.random() >= BARE}))
    made.append(core.with_groups({}))
    found = [smiles for smiles in dict.fromkeys(canonical_or_empty(made, policy)) if smiles and core.match(MolFromSmiles(smiles))]
    if not found:
        raise UsageError(f"scaffold={core.text!r}: no molecule can be made of it that the model's rules accept; change the core")
    return Pool(found)


@final
@dataclass(frozen=True)
class Decorations(Proposer):
    """Parents whose substituents are exchanged for those of other molecules with the core, or changed atom by atom."""

    name: str = "decoration"

    def fits(self, state: SearchState) -> bool:
        """Whether there is a core to decorate."""
        return state.constraints.core is not None

    def draft(self, state: SearchState, parents: Parents, count: int) -> Draft:
        """Children of parents."""
        core = state.constraints.core
        assert core is not None  # or it would not fit
        rng = Random(state.seed_of(self.name))
        ranks = [1 / (DECAY * len(parents.smiles) + rank) for rank in range(len(parents.smiles))]
        first = rng.choices(parents.smiles, ranks, k=count)
        others = [*parents.smiles, *(state.pool.smiles[place] for place in state.pool.random_places(MATES, state.rng("mates")))]
        groups = {smiles: found for smiles in others if (found := core.groups(MolFromSmiles(smiles))) is not None}
        mates = list(groups.values())
        return Draft(first, texts=[child(core, smiles, groups.get(smiles), mates, rng) for smiles in first])


def child(core: Core, parent: str, groups: dict[int, str] | None, mates: Sequence[dict[int, str]], rng: Random) -> str:
    """A molecule with the core and one or more substituents of a parent changed; "" where it came to nothing."""
    if groups is None:
        return ""
    if rng.random() < MUTATED:
        for _ in range(TRIES):
            changed = mutate(MolFromSmiles(parent), rng)
            if changed is not None and core.match(changed):
                return str(MolToSmiles(changed))
    mate, (site, *more) = rng.choice(mates), rng.sample(list(core.sites), len(core.sites))
    taken = [site, *(other for other in more if rng.random() < 1 / len(core.sites))]
    kept = {place: group for place, group in groups.items() if place not in taken}
    source = {place: mate.get(rng.choice(list(core.sites)), "") for place in taken}
    return core.with_groups(kept | source)
