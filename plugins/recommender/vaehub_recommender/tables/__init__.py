"""Tables of interactions in, positions out, and ids back as they came. Knows no model."""

from vaehub_recommender.tables.cleaning import interaction_log, training_log
from vaehub_recommender.tables.columns import Columns
from vaehub_recommender.tables.frames import Frame, as_frame
from vaehub_recommender.tables.histories import Histories, History, histories
from vaehub_recommender.tables.ids import Ids
from vaehub_recommender.tables.layout import Layout
from vaehub_recommender.tables.log import Log, Tally, decayed
from vaehub_recommender.tables.reading import read_frame, read_table
from vaehub_recommender.tables.stream import read_histories
from vaehub_recommender.tables.transforms import WeightTransform

__all__ = [
    "Columns",
    "Frame",
    "Histories",
    "History",
    "Ids",
    "Layout",
    "Log",
    "Tally",
    "WeightTransform",
    "as_frame",
    "decayed",
    "histories",
    "interaction_log",
    "read_frame",
    "read_histories",
    "read_table",
    "training_log",
]
