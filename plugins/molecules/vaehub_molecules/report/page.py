"""Pages of HTML that open offline: a run's, and a search's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub_molecules.report.gather import gather
from vaehub_molecules.report.searched import gather_search

if TYPE_CHECKING:
    from vaehub.run import Run
    from vaehub_molecules.search import Result
    from vaehub_molecules.use.codec import Codec


def write_report(run: Run) -> Path:
    """Write RUN/molecules.html, whole or not at all, and give its path. Raises UsageError for a model without folder or of other things."""
    if run.path is None:
        raise UsageError("report: a model file alone has no run folder to write to; give the folder")
    path = run.path / "molecules.html"
    atomic_write(path, render("run.html", gather(run)).encode())
    return path


def write_search(result: Result, codec: Codec, path: Path) -> Path:
    """Write the page of a search, whole or not at all, and give its path."""
    atomic_write(path, render("search.html", gather_search(result, codec, path.resolve().parent.name)).encode())
    return path


def render(name: str, findings: Any) -> str:
    """A page as HTML: the same findings give the same bits."""
    return environment().get_template(name).render(findings=findings)


@cache
def environment() -> jinja2.Environment:
    """Templates in which everything is escaped that is put into them."""
    options: dict[str, Any] = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return jinja2.Environment(loader=jinja2.PackageLoader("vaehub_molecules.report"), autoescape=True, **options)
