"""One HTML page that opens offline, from `Findings` alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from vaehub.files.atomic import atomic_write
from vaehub_recommender.report import verdict
from vaehub_recommender.report.charts import curves_figure, exposure_figure, segment_figure
from vaehub_recommender.report.findings import Findings, Map
from vaehub_recommender.report.gather import gather
from vaehub_recommender.report.look import HALF, Picture, picture
from vaehub_recommender.report.mapped import map_figure
from vaehub_recommender.report.tables import measures, segments

if TYPE_CHECKING:
    from vaehub_recommender.judge import Judged
    from vaehub_recommender.recommender import Recommender


def write(recommender: Recommender, path: Path, judged: Judged | None = None) -> Path:
    """Write the page, whole or not at all. `judged`: what `recommender.evaluate()` gave; without it, that is done now.

    Raises UsageError for a recommender that knows no users.
    """
    title = path.resolve().parent.name
    atomic_write(path, render(gather(recommender, title, judged)).encode())
    return path


def render(findings: Findings) -> str:
    """The page as HTML: the same findings give the same bits."""
    judged = findings.judged
    well, text = verdict.verdict(judged)
    return template().render(
        findings=findings,
        tiles=list(verdict.tiles(judged)),
        well=well,
        verdict=text,
        measures=measures(judged),
        others=judged.models[1:],
        pictures=dict(pictures(findings)),
        segments=segments(judged),
        exposure=verdict.exposure_in_words(judged),
        metric=verdict.spelled(verdict.main_metric(judged)),
    )


@cache
def template() -> jinja2.Template:
    """The page with its gaps; everything put into them is escaped."""
    loader = jinja2.PackageLoader("vaehub_recommender.report")
    options: dict[str, Any] = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return jinja2.Environment(loader=loader, autoescape=True, **options).get_template("report.html")


def pictures(findings: Findings) -> Iterator[tuple[str, Picture]]:
    """Every figure that there is something for, by its place in the page."""
    judged = findings.judged
    yield "history", picture("Quality by the users' number of items.", partial(segment_figure, judged, "history"), HALF)
    yield "popularity", picture("Quality by the items' popularity.", partial(segment_figure, judged, "popularity"), HALF)
    yield "exposure", picture("What is recommended beside what users choose.", partial(exposure_figure, judged))
    yield from maps({"users": findings.users, "items": findings.items})
    if len(findings.curves):
        yield "curves", picture("Training by epoch.", partial(curves_figure, findings.curves))


AMOUNT = {"users": "items that the user has", "items": "users who have the item"}


def maps(found: dict[str, Map | None]) -> Iterator[tuple[str, Picture]]:
    """The maps that there are."""
    for name, shown in found.items():
        if shown is not None:
            yield name, picture(f"Map of {name}.", partial(map_figure, shown, AMOUNT[name]), HALF)
