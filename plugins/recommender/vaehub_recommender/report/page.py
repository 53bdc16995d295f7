"""The page on a recommender, and the sections that a run's page has on it, from `Findings` alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vaehub import report
from vaehub_recommender.report import verdict
from vaehub_recommender.report.charts import exposure_figure, length_figure, segment_figure
from vaehub_recommender.report.findings import Example, Findings, Map
from vaehub_recommender.report.gather import gather
from vaehub_recommender.report.map_figure import map_figure
from vaehub_recommender.report.tables import meanings, measures, segments, tried

if TYPE_CHECKING:
    from vaehub_recommender.judge import Judged
    from vaehub_recommender.recommender import Recommender

BANDS = "Head, middle and tail are the most popular, the next and the other items, each with about a third of all interactions."
CODES = (
    "The mean of q(z|x) in the plane where it varies most. Near is alike as far as two dimensions can show it; "
    "the axes mean nothing by themselves."
)
EXAMPLES = (
    "Users who are known, from few items to many. After “for” stand the items of theirs that carry a recommendation's score, and how much "
    "of it; over a whole history, these parts add up to the score less that of an empty history."
)
LENGTHS = "Of the first k places of a list, mean ± standard error over users; the scale of k is logarithmic."
NO_BOX = "No box to try histories in: it is for models with a linear part and at most 5,000 items. `vaehub recommender recommend` serves all."
PRIVACY = (
    "These are single users with parts of their histories, under the ids of the table: keep this page where the table may be."
)


def write(recommender: Recommender, path: Path, judged: Judged | None = None) -> Path:
    """Write the page on a recommender, whole or not at all.

    Arguments:
        recommender: a fitted one.
        path: the .html file.
        judged: what `recommender.evaluate()` gave; without it, that is done now.

    Returns:
        The path. The page shows four users with parts of their histories, and says so.

    Raises:
        UsageError: a recommender that knows no users, or a place that cannot be written to.

    Example:
        >>> from vaehub_recommender.recommender import Recommender
        >>> write(Recommender(), Path("films.html"))
        Traceback (most recent call last):
        vaehub.errors.UsageError: this Recommender knows nothing yet; call fit, or Recommender.load
    """
    return report_page(gather(recommender, judged), path.resolve().parent.name).write(path)


def report_page(findings: Findings, title: str) -> report.Page:
    """The page of a recommender that is no run of `vaehub train`."""
    return report.Page(
        title=title,
        subtitle=f"Recommendation report: {findings.about}",
        sections=[
            *sections_of(findings),
            *([report.Section("Training", findings.training)] if findings.training else []),
            report.Section("How it was made", [report.Facts(findings.made), *tried(findings.choice)]),
        ],
    )


def sections_of(findings: Findings) -> Sequence[report.Section]:
    """How good the lists are, for whom, what is shown, what the model has made of users and items, and examples."""
    judged, (well, text) = findings.judged, verdict.verdict(findings.judged)
    quality = [
        report.Finding(text, "good" if well else "warning"),
        report.Tiles(list(verdict.tiles(judged))),
        measures(judged),
        report.Figure(
            "By the length of the list", partial(length_figure, judged), "NDCG and recall by how many places count.", LENGTHS
        ),
        meanings(judged),
    ]
    shown = report.Figure(
        "Popularity of what is recommended", partial(exposure_figure, judged), "What is recommended beside what users choose."
    )
    sections = [
        report.Section("How good the lists are", quality, f"{findings.how} Items that a user has already are never on the list."),
        report.Section("For whom they are good", [report.Beside(list(by_segment(judged)))], BANDS),
        report.Section("What is shown to them", [shown], verdict.exposure_in_words(judged)),
        report.Section(
            "What the model has made of users and items", maps(findings), CODES if findings.users or findings.items else ""
        ),
    ]
    sections.append(report.Section("Try it", [findings.box or report.Text(NO_BOX, faint=False)]))
    if findings.examples:
        listings = report.Beside([listing(example) for example in findings.examples])
        sections.append(report.Section("Examples", [report.Text(PRIVACY, faint=False), listings], EXAMPLES))
    return sections


def by_segment(judged: Judged) -> Iterator[report.Block]:
    """The main measure by how much is known of users, and by how popular the items are, each as a chart and in figures."""
    titles = {"history": "By how many items the model saw of a user", "popularity": "By how popular the items to be found are"}
    alts = {"history": "Quality by the users' number of items.", "popularity": "Quality by the items' popularity."}
    for by, title in titles.items():
        chart = report.Figure(title, partial(segment_figure, judged, by), alts[by], half=True)
        yield report.Column([chart, segments(judged, by)])


def maps(findings: Findings) -> list[report.Block]:
    """Where users and items lie, where the model has codes."""
    found: list[report.Block] = []
    if findings.users is not None:
        by = ", by their favourite kind" if findings.users.kinds is not None else ""
        most = "A favourite kind is the one that a user has most of, compared with all users." if by else ""
        found.append(map_of(f"Users{by}", findings.users, "items that the user has", most))
    if findings.items is not None:
        by = ", by kind" if findings.items.kinds is not None else ""
        words = "Each stands where a user is who has only this one."
        found.append(map_of(f"Items{by}", findings.items, "users who have the item", words))
    return (
        [report.Beside(found)]
        if found
        else [report.Text("There is no map: this model ranks without codes, or they do not vary.", faint=False)]
    )


def map_of(title: str, shown: Map, amount: str, caption: str) -> report.Figure:
    """One map with what it shows."""
    note = f"{len(shown.points):,} points; the plane has {shown.share:.0%} of the codes' variance."
    return report.Figure(title, partial(map_figure, shown, amount), "in the plane of most variance.", caption, note, half=True)


def listing(example: Example) -> report.Listing:
    """A known user with what is recommended and why."""
    first = ", those first that count most here" if example.items > 1 else ""
    more = " …" if example.items > len(example.history) else ""
    have = f"{example.items:,} item{'' if example.items == 1 else 's'}{first}: {' · '.join(example.history)}{more}"
    nothing = "" if example.suggestions else ". Nothing is left to recommend: this user has every item."
    items = [(suggestion.item, reasons(suggestion.reasons)) for suggestion in example.suggestions]
    return report.Listing(example.user, have + nothing, items)


def reasons(found: Sequence[tuple[str, float]]) -> str:
    """What carries a recommendation, and how much of it."""
    return f"for {', '.join(f'{name} {part:+.2f}' for name, part in found)}" if found else ""
