"""Which model a table is best served by, found on validation users."""

from vaehub_recommender.choose.choice import Choice, Tried
from vaehub_recommender.choose.search import choose

__all__ = ["Choice", "Tried", "choose"]
