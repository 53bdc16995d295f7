"""What the page of a run of `vaehub train` shows of its lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from vaehub import Run, TrainedModel, report
from vaehub_recommender.api.files import of_run
from vaehub_recommender.api.fitted import codec_of
from vaehub_recommender.recommender import Recommender
from vaehub_recommender.report.gather import gather
from vaehub_recommender.report.page import sections_of


def run_sections(run: TrainedModel) -> Sequence[report.Section]:
    """The sections on a run, judged by what its domain keeps from it."""
    fitted = of_run(cast("Run", run), codec_of(run).ids)
    return sections_of(gather(Recommender.of(fitted)))
