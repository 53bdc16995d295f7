"""The page on what a recommender is worth, to whom, and why it recommends what it does."""

from vaehub_recommender.report.findings import Findings
from vaehub_recommender.report.gather import gather
from vaehub_recommender.report.page import report_page, sections_of, write

__all__ = ["Findings", "gather", "report_page", "sections_of", "write"]
