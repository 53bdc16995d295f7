"""The first calls of a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vaehub_molecules.chem.fingerprints import fingerprints, tanimoto
from vaehub_molecules.search.buffer import Proposal
from vaehub_molecules.search.edits import Mutation
from vaehub_molecules.search.latent_proposers import Around, Samples
from vaehub_molecules.search.method import SearchState
from vaehub_molecules.search.proposers import Parents, Proposer, proposals

SLACK = 0.1  # by which a folded fingerprint may differ from the exact one that a constraint asks for
BLOCK = 1_000  # molecules of the pool that are looked at together


def initial_proposals(state: SearchState, calls: int) -> list[Proposal]:
    """What to call before there were `initial_calls`; [] from then on, and where nothing is found."""
    missing = initial_calls(state, calls) - len(state.buffer)
    return first_proposals(state, missing) if missing > 0 else []


def initial_calls(state: SearchState, calls: int) -> int:
    """The first calls of a search, of which a small budget gives a tenth, and all leads their part."""
    return max(min(calls, state.budget // 10), len(state.leads), 1)


def first_proposals(state: SearchState, count: int) -> list[Proposal]:
    """The leads, as many molecules around them as of the pool, random ones of the pool, and the model's own where those are too few."""
    return state.admit(_first_candidates(state, count), count)


def _first_candidates(state: SearchState, count: int) -> Iterator[Proposal]:
    """The same without an end; what the model writes is drawn when it is first asked for."""
    yield from (Proposal(lead, "lead") for lead in state.leads)
    parents = Parents(state.leads, state.model)
    if count > 1 and (near := _near_leads(parents)):
        yield from state.admit(proposals([(near, 4 * (count // 2))], state, parents), count // 2)
    order = shuffled_places(state)
    for start in range(0, len(order), BLOCK):
        places = admissible_places(state, order[start : start + BLOCK])
        yield from (Proposal(state.pool.smiles[place], "pool") for place in places)
    if state.model is not None:
        yield from proposals([(Samples(), 4 * count)], state, parents)


def _near_leads(parents: Parents) -> Proposer | None:
    """Who proposes around leads: the model where it can read some, else edits."""
    if parents.model is not None:
        return Around() if parents.readable else None
    return Mutation() if parents.smiles else None


def pool_places(state: SearchState, count: int) -> list[int]:
    """Places of molecules of the pool, the same in every round, that may be called."""
    return admissible_places(state, shuffled_places(state)[:count])


def shuffled_places(state: SearchState) -> list[int]:
    """All places of the pool in a random order, the same in every round."""
    return state.pool.random_places(len(state.pool), np.random.default_rng(state.seed))


def admissible_places(state: SearchState, places: Sequence[int]) -> list[int]:
    """Those of these places of the pool that were not called and may be similar enough to a lead."""
    places = [place for place in places if state.pool.smiles[place] not in state.buffer]
    least = state.constraints.similarity
    if least is None or not places:
        return places
    nearest = tanimoto(state.pool.rows(places), fingerprints(state.leads)).max(1)
    return [place for place, similarity in zip(places, nearest, strict=True) if similarity >= least - SLACK]
