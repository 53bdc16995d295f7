"""`optimize`: search for the best molecules of an objective, every call counted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaehub import Json, UsageError, arguments, hints, jobs, signals
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.search.bo import TrustRegion
from vaehub_molecules.search.calls import Calls
from vaehub_molecules.search.constraints import Constraints
from vaehub_molecules.search.decoration import decorated_pool
from vaehub_molecules.search.evolve import Evolve
from vaehub_molecules.search.first_calls import FirstCalls
from vaehub_molecules.search.goal import Combination, Goal, Objective, goal_of
from vaehub_molecules.search.gradient import Gradient
from vaehub_molecules.search.hybrid import Hybrid
from vaehub_molecules.search.loop import SearchLoop
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.pool import Source, Start, open_leads, open_pool
from vaehub_molecules.search.result import BEST, Result
from vaehub_molecules.search.rounds import Rounds
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
    batch=arguments.at_least(1),
    retries=arguments.at_least(0),
)
def optimize(
    run: Run | LatentSpace | None,
    objective: Objective | Sequence[Objective],
    budget: int = 10_000,
    method: str | Method = "hybrid",
    start: Start = (),
    constraints: Constraints | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    workers: int | None = None,
    seconds: float = 60.0,
    weights: Sequence[float] = (),
    pool: Source = None,
    minimize: bool = False,
    combine: Combination | None = None,
    batch: int = 32,
    retries: int = 1,
    cond: Sequence[str | float] = (),
) -> Result:
    """The best molecules for an objective in `budget` calls, each of a canonical molecule that was not called before.

    Arguments:
        run: a model of molecules, or its latent space; None for a search with the pool and edits alone (hybrid).
        objective: a name ("qed", "mw:200..450", "similarity:CCO", "module:function", "cmd:dock.sh {smiles_file} {out_file}"), a function
            of canonical SMILES, or of a list of them (`batch`), or a list of these. What each is to be: see `oracles.load_objective`.
        budget: calls of the objective.
        method: hybrid, gradient, bo, evolve, or a `Method`.
        start: leads, as SMILES, as SMILES with their names, or the `Path` of a file.
        constraints: limits on what is called; of size, if not given, what is drug-like (`size_limit.default_max_heavy`).
        seed: of all noise.
        out: a folder for the results, where a search that was stopped, or that gets a larger budget, goes on.
        workers: processes that call; one a core, if not given, and 0 for this one.
        seconds: after which a call is stopped with all that it started; it counts.
        weights: of several objectives, in order; their product is sought, unless `combine` says otherwise.
        pool: molecules to begin with (a file, a list, a `Pool`); the model's own samples, if not given.
        minimize: low values are the best, of all objectives; "min:NAME" says so of one.
        combine: pareto seeks the front of several objectives, product and sum their weighted geometric and arithmetic mean.
        batch: molecules that an objective is given at once, if it takes many.
        retries: how often molecules of a batch that came to nothing are called again, each by itself; that costs no further calls.
        cond: of a model with conditions, what it is asked for: numbers in order or "name=value"; it is a hint, not a limit.

    Returns:
        tables of all calls and of the best; its `save` writes them.

    Raises:
        UsageError: where an option does not fit the model or another option.

    >>> result = optimize(space, lambda smiles: smiles.count("O"), budget=20, method="evolve", pool=["CCO", "OCCO", "CCN"], workers=0)
    >>> len(result.trace), bool(result.best.score[0] >= 2)
    (20, True)
    """
    space = None if run is None else space_of(run, cond)
    policy = Policy() if space is None else space.policy
    goal, chosen, leads = goal_of(objective, weights, combine, minimize), method_of(method), open_leads(start, policy)
    state = initial_state(space, policy, goal, leads.smiles, pool, constraints or Constraints(), seed, budget)
    path = None if out is None else Path(out) / JOURNAL
    settings = search_settings(state, chosen, goal)
    calling = Calls(goal, workers, seconds, batch, retries)
    with signals.interruptible(), Rounds(path, settings) as rounds, calling, jobs.stage("searching", budget) as bar:
        SearchLoop(state, chosen, rounds, calling, bar, FirstCalls(goal.names, goal.combination == "product", budget)).run()
    names = leads.names if any(leads.names) else ()
    result = Result(state.buffer, goal.names, goal.columns, state.leads, budget, goal.measured_columns, names)
    if out is not None:
        asked = {
            "method": method_name(chosen),
            "weights": list(weights),
            "combine": combine,
            "minimize": minimize,
            "cond": list(cond),
        }
        sources = {"start file": path_text(start, Path), "pool file": path_text(pool, str | Path)}
        calls = {"workers": workers, "seconds": seconds, "batch": batch, "retries": retries}
        write_results(result, goal, state, Path(out).resolve(), settings | asked | sources | calls)
    return result


def path_text(given: object, kinds: Any) -> str | None:
    """Where a file was given, its path."""
    return str(given) if isinstance(given, kinds) else None


def write_results(result: Result, goal: Goal, state: SearchState, folder: Path, settings: Json) -> None:
    """The tables, the structures, how they were made, and the page."""
    from vaehub_molecules.search.hits import hits_of, save_hits
    from vaehub_molecules.search.provenance import provenance_of, write_provenance
    from vaehub_molecules.search.report import search_page

    with jobs.stage("writing the results"):
        result.save(folder)
        hits = hits_of(result, state.model, state.constraints.core)
        save_hits(hits, BEST, folder)
        provenance = provenance_of(result, goal, state.model, folder, settings)
        write_provenance(provenance, folder)
    with jobs.stage("drawing the report"):
        search_page(result, state.model, folder, provenance["settings"], hits, provenance["date"]).write(folder / "report.html")


def method_name(method: Method) -> str:
    """What a method is called on the command line, or its class where it is the user's own."""
    return next((name for name, made in METHODS.items() if type(method) is made), type(method).__name__)


def space_of(run: Run | LatentSpace, cond: Sequence[str | float] = ()) -> LatentSpace:
    """The latent space of a run under a condition, or the one that was given. Raises UsageError for anything else, and without a condition
    where the model has some."""
    from vaehub import Run

    if run is None or isinstance(run, str | Path | Number):
        raise arguments.wrong_argument("run", run, "a run, such as vaehub.load('runs/molecules')")
    if not isinstance(run, Run):
        return run
    from vaehub_molecules.use.latent_space import LatentSpace

    space = LatentSpace(run)
    if bool(run.spec.cond) != bool(cond):
        wanted = (
            "is conditional: say which molecules to draw (cond, --cond qed=0.9)"
            if not cond
            else "has no condition: leave out cond"
        )
        raise UsageError(f"run: the model {wanted}")
    return LatentSpace(run, space.codec.condition(cond)) if cond else space


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
    space: LatentSpace | None,
    policy: Policy,
    goal: Goal,
    leads: tuple[str, ...],
    source: Source,
    constraints: Constraints,
    seed: int,
    budget: int,
) -> SearchState:
    """A search before its first round. Raises UsageError where a lead cannot be read, or no molecule can satisfy a constraint."""
    check_leads(space, leads)
    pool = open_pool(source, space, policy, seed)
    if constraints.max_heavy is None:
        constraints = replace(constraints, max_heavy=default_max_heavy(leads, pool.smiles))
    limits = constraints.with_leads(leads)
    if limits.core is not None:
        pool = decorated_pool(limits.core, pool, policy, seed)
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
        **({} if state.model is None or state.model.cond is None else {"condition": state.model.cond.tolist()}),
    }


def digest_of_molecules(molecules: Sequence[str]) -> str:
    """Which molecules in which order, with how many there are."""
    return f"{len(molecules)} molecules, {jobs.digest(molecules)}"
