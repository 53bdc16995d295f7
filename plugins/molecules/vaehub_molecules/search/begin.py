"""The first calls of a search."""

from __future__ import annotations

import numpy as np

from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.method import State
from vaehub_molecules.search.proposers import Around, Parents

SLACK = 0.1  # by which a folded fingerprint may differ from the exact one that a constraint asks for


def first(state: State, count: int) -> list[Proposal]:
    """The leads, as many molecules around them as of the pool, and random molecules of the pool."""
    leads = [Proposal(lead, "lead") for lead in state.leads]
    pool = [Proposal(state.pool.smiles[i], "pool") for i in pool_places(state, 10 * count)]
    return state.admit([*leads, *around_leads(state, count // 2), *pool], count)


def around_leads(state: State, count: int) -> list[Proposal]:
    """What the model writes around the leads that it can read."""
    parents = Parents.of(state.codec, state.leads)
    return state.admit(Around().propose(state, parents, 4 * count), count) if parents.smiles and count else []


def pool_places(state: State, count: int) -> list[int]:
    """Places of molecules of the pool, the same in every round, that were not called and may be similar enough to a lead."""
    rng = np.random.default_rng(state.seed)
    places = [i for i in state.pool.some(count, rng) if state.pool.smiles[i] not in state.buffer]
    least = state.constraints.similarity
    if least is None or not places:
        return places
    alike = tanimoto(state.pool.rows(places), fingerprints(state.leads)).max(1)
    return [place for place, similarity in zip(places, alike, strict=True) if similarity >= least - SLACK]
