"""Pages that open offline: what a model of molecules has learnt, and what a search has found."""

from vaehub_molecules.report.page import write_report, write_search

__all__ = ["write_report", "write_search"]
