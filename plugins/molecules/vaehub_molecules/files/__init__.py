"""Molecules from files and into files."""

from vaehub_molecules.files.molecule_table import MoleculeTable
from vaehub_molecules.files.reading import read_molecules, read_strings
from vaehub_molecules.files.records import RejectedLine
from vaehub_molecules.files.sampling import Sample

__all__ = ["MoleculeTable", "RejectedLine", "Sample", "read_molecules", "read_strings"]
