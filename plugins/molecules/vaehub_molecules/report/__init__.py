"""Molecules on pages: drawn, described, measured and charted."""
