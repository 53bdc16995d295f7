"""What pages show of molecules: sections of a run's page, and the page of a search."""

from vaehub_molecules.report.page import write_search
from vaehub_molecules.report.sections import run_sections

__all__ = ["run_sections", "write_search"]
