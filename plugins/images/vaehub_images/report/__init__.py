"""What the page of a run shows of images."""

from vaehub_images.report.book import picture_book

__all__ = ["picture_book"]
