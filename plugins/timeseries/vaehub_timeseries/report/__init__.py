"""The page that shows what was missing, what was put in its place, and how far to trust it."""

from vaehub_timeseries.report.content import ReportContent
from vaehub_timeseries.report.gather import gather_content
from vaehub_timeseries.report.page import render, write_report

__all__ = ["ReportContent", "gather_content", "render", "write_report"]
