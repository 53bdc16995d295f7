"""How good a set of sampled molecules is: the measures of MOSES."""

from vaehub_molecules.metrics.reference import Reference
from vaehub_molecules.metrics.suite import compare, evaluate

__all__ = ["Reference", "compare", "evaluate"]
