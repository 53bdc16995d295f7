"""`optimize`: search for the best molecules of an objective, every call counted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING

from vaehub import Json, UsageError, arguments, hints, jobs, signals
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.search.bo import TrustRegion
from vaehub_molecules.search.constraints import Constraints
from vaehub_molecules.search.evolve import Evolve
from vaehub_molecules.search.first_calls import FirstCalls
from vaehub_molecules.search.goal import Goal, Objective, goal_of
from vaehub_molecules.search.gradient import Gradient
from vaehub_molecules.search.hybrid import Hybrid
from vaehub_molecules.search.loop import SearchLoop
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.pool import Source, canonical_unique, open_pool
from vaehub_molecules.search.result import Result
from vaehub_molecules.search.rounds import Rounds, values_of
from vaehub_molecules.search.size_limit import default_max_heavy

if TYPE_CHECKING:
    from vaehub import Run
    from vaehub_molecules.use.latent_space import LatentSpace

METHODS: Mapping[str, Callable[[], Method]] = {"hybrid": Hybrid, "gradient": Gradient, "bo": TrustRegion, "evolve": Evolve}
JOURNAL = "calls.jsonl"


@arguments.accepts(
    budget=arguments.at_least(1),
    seed=arguments.at_least(0),
    out=arguments.or_none(arguments.path),
    workers=arguments.or_none(arguments.at_least(0)),
    seconds=arguments.real_number,
)
def optimize(
    run: Run | LatentSpace | None,
    objective: Objective | Sequence[Objective],
    budget: int = 10_000,
    method: str | Method = "hybrid",
    start: Sequence[str] = (),
    constraints: Constraints | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    workers: int | None = None,
    seconds: float = 60.0,
    weights: Sequence[float] = (),
    pool: Source = None,
) -> Result:
    """The best molecules for an objective, to be maximised, in `budget` calls, each of a canonical molecule that was not called before.

    Arguments:
        run: a model of molecules without conditions, or its latent space; None for a search with the pool and edits alone (hybrid).
        objective: a name ("qed", "similarity:CCO", "module:function"), a function of canonical SMILES, or a list: of several the front
            is sought, or with `weights` their weighted geometric mean.
        budget: calls of the objective.
        method: hybrid, gradient, bo, evolve, or a `Method`.
        start: leads, as SMILES.
        constraints: limits on what is called; of size, if not given, what is drug-like (`size_limit.default_max_heavy`).
        seed: of all noise.
        out: a folder for the results, where a search that was stopped, or that gets a larger budget, goes on.
        workers: processes that call; one a core, if not given, and 0 for this one.
        seconds: after which a call is stopped with all that it started; it counts.
        weights: of several objectives, in order; their product is sought.
        pool: molecules to begin with (a file, a list, a `Pool`); the model's own samples, if not given.

    Returns:
        tables of all calls and of the best; its `save` writes them.

    Raises:
        UsageError: where an option does not fit the model or another option.

    >>> result = optimize(space, lambda smiles: smiles.count("O"), budget=20, method="evolve", pool=["CCO", "OCCO", "CCN"], workers=0)
    >>> len(result.trace), bool(result.best.score[0] >= 2)
    (20, True)
    """
    space, goal, chosen = None if run is None else space_of(run), goal_of(objective, weights), method_of(method)
    state = initial_state(space, goal, start, pool, constraints or Constraints(), seed, budget)
    path = None if out is None else Path(out) / JOURNAL
    settings = search_settings(state, chosen, goal)
    calling = jobs.Workers(partial(values_of, goal), workers, jobs.Limits(seconds=seconds))
    with signals.interruptible(), Rounds(path, settings) as rounds, calling, jobs.stage("searching", budget) as bar:
        SearchLoop(state, chosen, rounds, calling, bar, FirstCalls(goal.names, bool(weights), budget)).run()
    result = Result(state.buffer, goal.names, goal.columns, state.leads, budget)
    if out is not None:
        with jobs.stage("drawing the report"):
            from vaehub_molecules.search.report import search_page

            folder = Path(out).resolve()
            result.save(folder)
            search_page(result, space, folder, settings | {"method": method_name(chosen), "weights": list(weights)}).write(
                folder / "report.html"
            )
    return result


def method_name(method: Method) -> str:
    """What a method is called on the command line, or its class where it is the user's own."""
    return next((name for name, made in METHODS.items() if type(method) is made), type(method).__name__)


def space_of(run: Run | LatentSpace) -> LatentSpace:
    """The latent space of a run, or the one that was given. Raises UsageError for anything else, and for a model with conditions."""
    from vaehub import Run

    if run is None or isinstance(run, str | Path | Number):
        raise arguments.wrong_argument("run", run, "a run, such as vaehub.load('runs/molecules')")
    if not isinstance(run, Run):
        return run
    if run.spec.cond:
        raise UsageError(
            "run: is conditional, and a search cannot know which condition to give; train one without condition or scaffold"
        )
    from vaehub_molecules.use.latent_space import LatentSpace

    return LatentSpace(run)


def method_of(method: str | Method) -> Method:
    """A method by name, or the one that was given. Raises UsageError where there is none of this name."""
    if isinstance(method, Method):
        return method
    if not isinstance(method, str):
        raise arguments.wrong_argument("method", method, f"one of {', '.join(METHODS)}, or a Method")
    if method not in METHODS:
        raise UsageError(f"method={method!r}: {hints.did_you_mean(method, METHODS)}")
    return METHODS[method]()


def initial_state(
    space: LatentSpace | None, goal: Goal, start: Sequence[str], source: Source, constraints: Constraints, seed: int, budget: int
) -> SearchState:
    """A search before its first round. Raises UsageError where a lead cannot be read, or no molecule can satisfy a constraint."""
    policy = Policy() if space is None else space.policy
    leads = tuple(canonical_unique([start] if isinstance(start, str) else arguments.sequence("start", start), "start", policy))
    check_leads(space, leads)
    pool = open_pool(source, space, policy, seed)
    if constraints.max_heavy is None:
        constraints = replace(constraints, max_heavy=default_max_heavy(leads, pool.smiles))
    limits = constraints.with_leads(leads)
    limits.require_feasible([*leads, *pool.smiles], "the leads and the pool")
    return SearchState(space, goal.names, leads, pool, limits, policy, seed, budget)


def check_leads(space: LatentSpace | None, leads: Sequence[str]) -> None:
    """Raise UsageError where the model can read none of the leads; warn of each that it cannot."""
    if space is None:
        return
    unknown = [lead for lead in leads if not space.can_read(lead)]
    if unknown and len(unknown) == len(leads):
        space.encode(unknown)  # says which symbol it lacks
    for lead in unknown:
        text = f"start: the model cannot read {lead}: it is scored, but nothing is proposed around it"
        warnings.warn(text, UserWarning, stacklevel=2)


def search_settings(state: SearchState, method: Method, goal: Goal) -> Json:
    """All that decides the course of a search: one that goes on must have the same, save that its budget may be larger."""
    run = None if state.model is None else state.model.run
    return {
        "objective": goal.names,
        "values": [oracle.name for oracle in goal.oracles],
        "code of the objective": goal.code,
        "budget": state.budget,
        "method": type(method).__name__,
        "method options": method.options(),
        "start": digest_of_molecules(state.leads),
        "pool": digest_of_molecules(state.pool.smiles),
        "constraints": state.constraints.options(),
        "seed": state.seed,
        "model": "" if run is None else jobs.digest_of_model(run.config.to_dict(), run.vae.state_dict()),
    }


def digest_of_molecules(molecules: Sequence[str]) -> str:
    """Which molecules in which order, with how many there are."""
    return f"{len(molecules)} molecules, {jobs.digest(molecules)}"
