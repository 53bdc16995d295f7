"""Molecules from files and into files."""

from vaehub_molecules.files.molecule_table import Molecules
from vaehub_molecules.files.reading import read_molecules
from vaehub_molecules.files.records import Line

__all__ = ["Line", "Molecules", "read_molecules"]
