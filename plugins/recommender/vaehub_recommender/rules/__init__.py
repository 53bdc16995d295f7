"""What may be shown at all: filters by attribute, windows of time. Knows no model."""

from vaehub_recommender.rules.expression import passing
from vaehub_recommender.rules.item_table import ItemTable
from vaehub_recommender.rules.windows import open_at, time_of

__all__ = ["ItemTable", "open_at", "passing", "time_of"]
