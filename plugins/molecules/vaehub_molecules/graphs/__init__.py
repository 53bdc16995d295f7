"""Edits of molecular graphs: mutation of one, crossover of two.

"A graph-based genetic algorithm and generative model/Monte Carlo tree search for the exploration of chemical space" (Jensen, 2019),
doi:10.1039/C8SC05372C, as the library mol_ga has it: "Genetic algorithms are strong baselines for molecule generation" (Tripp &
Hernández-Lobato, 2023), arXiv:2310.09267. Theirs make every product of an edit and draw one of those that are sound; here the first
sound product is taken, of atoms in random order, which gives such molecules in a fraction of the time.
"""

from vaehub_molecules.graphs.crossover import cross
from vaehub_molecules.graphs.mutation import mutate

__all__ = ["cross", "mutate"]
