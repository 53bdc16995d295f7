"""What a run's lists are worth and to whom, as figures for `vaehub report`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vaehub_recommender.judge import judged_run
from vaehub_recommender.report.charts import exposure_figure, segment_figure
from vaehub_recommender.report.look import SCREEN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaehub import TrainedModel


def by_segment(run: TrainedModel) -> Mapping[str, Figure]:
    """The model beside EASE and popularity for users of the test: by how active they are, how popular the items are, and what is shown."""
    judged = judged_run(run)
    return {
        "Quality by how many items users have": segment_figure(judged, "history", SCREEN),
        "Quality by how popular the items are": segment_figure(judged, "popularity", SCREEN),
        "Popularity of what is recommended": exposure_figure(judged, SCREEN),
    }
