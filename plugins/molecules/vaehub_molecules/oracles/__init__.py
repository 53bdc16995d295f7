"""What molecules are optimised for: scores by name, with a parameter, or by a function of the user's."""

from vaehub_molecules.oracles.batch import batch
from vaehub_molecules.oracles.functions import as_oracle, load_objective
from vaehub_molecules.oracles.named import ORACLES, oracle, oracle_names
from vaehub_molecules.oracles.oracle import Oracle
from vaehub_molecules.oracles.product import summed, weighted

__all__ = ["ORACLES", "Oracle", "as_oracle", "batch", "load_objective", "oracle", "oracle_names", "summed", "weighted"]
