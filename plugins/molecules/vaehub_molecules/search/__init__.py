"""Search for molecules: `optimize` and what it is made of."""

from vaehub_molecules.search.constraints import Constraints
from vaehub_molecules.search.hybrid import Hybrid, HybridOptions
from vaehub_molecules.search.method import Method, SearchState
from vaehub_molecules.search.optimize import optimize
from vaehub_molecules.search.pool import Pool
from vaehub_molecules.search.result import Result

__all__ = ["Constraints", "Hybrid", "HybridOptions", "Method", "Pool", "Result", "SearchState", "optimize"]
