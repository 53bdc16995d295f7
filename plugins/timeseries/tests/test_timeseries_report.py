"""The report page: what it says, what it draws, and that it is one file which needs nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from vaehub.report import HALF, NARROW, WIDE
from vaehub.report.style import drawn
from vaehub_timeseries.report import ReportContent, render, write_report
from vaehub_timeseries.report.bands import band_figure, column_series, with_breaks, with_neighbours
from vaehub_timeseries.report.charts import binned, error_bars, missing_map
from vaehub_timeseries.report.content import (
    column_summary,
    missing,
    most_missing_first,
    overall_ratio,
    ratios,
    verdict,
    worst_first,
)
from vaehub_timeseries.report.gaps import Gap
from vaehub_timeseries.report.page import DRAWN, error_row, report_page

ERRORS = {"imputer": 0.5, "linear": 1.0, "last": 1.5, "mean": 4.0, "coverage": 0.9, "cells": 100.0}


def content(frame, **changes):
    """What an imputer might have found on a frame of numbers: straight lines, with bands of ±1."""
    filled = frame.interpolate(limit_direction="both").fillna(0.0)
    made = ReportContent(
        title="sample.csv",
        frame=frame,
        completed=filled,
        low=filled - 1,
        high=filled + 1,
        level=0.9,
        errors=pd.DataFrame([ERRORS] * frame.shape[1], index=frame.columns),
        calibration=pd.DataFrame({"nominal": [0.5, 0.9], "reached": [0.52, 0.89]}),
    )
    return replace(made, **changes)


def frame_of(rows=60, columns=3, rate=0.2, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).cumsum(0)
    values[rng.random(values.shape) < rate] = np.nan
    return pd.DataFrame(
        values, index=pd.date_range("2024-03-01", periods=rows, freq="h"), columns=[f"c{i}" for i in range(columns)]
    )


def shown_on(draw, canvas):
    """The figure as it is drawn for this width."""
    figure = drawn(draw, canvas)
    figure.draw_without_rendering()
    return figure


def test_the_summary_counts_gaps_within_each_series():
    frame = pd.DataFrame({"a": [1.0, np.nan, np.nan, 4.0], "b": [1.0, 2.0, np.inf, 4.0]}, index=[0, 1, 0, 1])
    table = column_summary(content(frame, entity=np.array(["x", "x", "y", "y"])))
    assert table.loc["a"].tolist() == ["float64", 2, 0.5, 2, 1]
    assert table.loc["b", "missing"] == 1  # inf is missing, too
    assert column_summary(content(frame)).loc["a", ["gaps", "longest"]].tolist() == [
        1,
        2,
    ]  # as one series, both lie side by side in time


def test_gaps_that_were_left_are_counted_and_told_apart():
    frame = frame_of(rows=40, columns=2, rate=0.0)
    frame.iloc[5:15, 0], frame.iloc[20:22, 0], frame.iloc[30:33, 1] = np.nan, np.nan, np.nan
    filled = frame.interpolate()
    left = np.zeros(frame.shape, bool)
    left[5:15, 0], left[30:33, 1] = True, True
    made = content(frame, completed=filled.mask(left), left=left)
    assert missing(made).sum(0).tolist() == [12, 3]
    assert column_summary(made).loc["c0"].tolist() == ["float64", 12, 12 / 40, 2, 10]
    shown = column_series(made, "c0")
    assert np.flatnonzero(shown.left).tolist() == list(range(5, 15))
    html = render(made)
    assert re.search(r"left missing.*?13", html, re.DOTALL)
    assert "10 missing cells left as they are." in html
    assert "<h3>c0</h3>" in html
    assert "<h3>c1</h3>" not in html  # nothing of it was filled
    assert "left missing" not in render(content(frame))
    figure = shown_on(partial(band_figure, shown), WIDE)
    marks = [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() == "|"]
    assert [len(mark) for mark in marks] == [2, 10]
    assert "around the longest gap that was filled (2 rows)" in [axes.get_title(loc="left") for axes in figure.axes]


def test_a_cell_that_was_not_imputed_is_no_gap():
    frame = pd.DataFrame({"a": [1.0, np.nan, np.nan]})
    filled = pd.DataFrame({"a": [1.0, 2.0, np.nan]})
    assert missing(content(frame, completed=filled))[:, 0].tolist() == [False, True, False]


def test_verdicts():
    good = content(frame_of()).errors
    names = list(good.index)
    said = "On cells hidden for the test, the imputer's error is 50% below linear interpolation's (3 columns, weighted by hidden cells)."
    assert verdict(good, names) == (True, f"{said} It is lower in every column that was tested.")
    tied = good.copy()
    tied.loc["c1", "imputer"] = 0.999
    well, text = verdict(tied, names)
    assert not well
    assert "does not beat linear interpolation on c1: take the values there" in text
    assert "above linear" in verdict(good.assign(imputer=1.2), names)[1]
    assert "equals linear" in verdict(good.assign(imputer=1.0), names)[1]
    assert "cannot be judged" in verdict(good.iloc[:0], names)[1]


def test_columns_that_were_not_tested_are_named():
    good = content(frame_of()).errors
    well, text = verdict(good.iloc[:1], list(good.index))
    assert not well
    assert text.endswith("(1 column). It is lower in every column that was tested. Not tested: c1, c2.")


def test_the_overall_error_counts_every_hidden_cell():
    errors = content(frame_of(columns=2)).errors.assign(imputer=[0.2, 0.8], cells=[300.0, 100.0])
    assert overall_ratio(errors) == pytest.approx(0.35)


def test_a_long_list_of_losing_columns_is_cut():
    many = content(frame_of(columns=20)).errors
    assert "c5 and 14 more:" in verdict(many.assign(imputer=2.0), list(many.index))[1]


def test_orders_of_columns():
    f = content(frame_of())
    errors = f.errors.assign(imputer=[0.2, 0.9, 0.5], linear=[0.1, 1.0, 1.0])
    errors = errors.drop("c2")
    f = replace(f, errors=errors)
    assert worst_first(f.errors) == ["c0", "c1"]
    assert most_missing_first(errors, pd.Series({"c0": 3, "c1": 3, "c2": 3})) == ["c2", "c1", "c0"]
    assert most_missing_first(errors, pd.Series({"c0": 9, "c1": 3})) == ["c0", "c1"]
    assert ratios(errors.assign(imputer=0.0, linear=0.0)).tolist() == [1.0, 1.0]


@pytest.fixture(scope="module")
def whole():
    """A page with everything in it."""
    notes, made = ("a: <b>odd</b>",), {"command": "vaehub timeseries impute"}
    return render(content(frame_of(), notes=notes, made=made, step="every hour"))


def test_the_page_is_one_file_that_needs_nothing_else(whole):
    assert not re.search(r"(src|href|srcset)=\"(?!data:|#)", whole)
    assert "http" not in whole
    assert "&lt;b&gt;odd&lt;/b&gt;" in whole
    assert "60 rows, 3 columns, 01 Mar 2024 to 03 Mar 2024, every hour" in whole
    for name in ("c0", "c1", "c2"):
        assert whole.count(f"<h3>{name}</h3>") == 1
    assert "50%" in whole
    assert re.search(r"<th scope=\"row\">90%</th>\s*<td>89.0%</td>", whole)
    assert "vaehub timeseries impute" in whole


def test_every_figure_is_there_for_screens_and_phones_and_has_its_text(whole):
    charts = re.findall(r"<svg [^>]*>", whole)
    assert len(charts) == 2 * (1 + 3 + 1 + 1)
    assert all('role="img"' in chart and 'aria-label="' in chart for chart in charts)
    assert whole.count("<figcaption>") == 3


def test_the_same_findings_give_the_same_bits(tmp_path):
    f = content(pd.DataFrame({"a": [2.0, np.nan, 2.0]}))
    one, two = (write_report(f, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert one == two
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_wide_frames_are_capped_and_progress_is_told(monkeypatch):
    monkeypatch.setattr("vaehub.report.page.chart", lambda figure, place: ("", ""))
    told = []
    html = render(content(frame_of(columns=300)), lambda done, of: told.append((done, of)))
    assert len(re.findall("<h3>c[0-9]", html)) == DRAWN
    assert f"{300 - DRAWN} more are in the tables only" in html
    assert told[0] == (0, DRAWN + 3)
    assert told[-1] == (DRAWN + 3, DRAWN + 3)


EDGES = {
    "no gap": frame_of(rate=0.0),
    "one row": pd.DataFrame({"a": [np.nan], "b": [1.0]}),
    "nothing observed": pd.DataFrame({"a": [np.nan] * 40}),
    "constant": pd.DataFrame({"a": [2.0, np.nan, 2.0]}),
    "tiny and huge": frame_of(rows=30, columns=2) * [1e-9, 1e12],
    "time zone over a change of the clock": frame_of(rows=30, columns=1).tz_localize("UTC").tz_convert("Europe/Rome"),
    "numbers as time": frame_of(rows=30, columns=1).set_axis(np.linspace(0, 1, 30), axis=0),
    "signs in a name": frame_of(rows=30, columns=1).rename(columns={"c0": "$x_1$ & <b>"}),
}


@pytest.mark.parametrize("name", EDGES)
def test_odd_frames_give_a_page(name):
    frame = EDGES[name]
    tested = content(frame)
    tested.errors.iloc[0, tested.errors.columns.get_loc("coverage")] = np.nan
    untested = replace(tested, errors=tested.errors.iloc[:0], calibration=tested.calibration.iloc[:0])
    for f in (tested, untested)[: 2 if name == "one row" else 1]:
        html = render(f)
        assert html.rstrip().endswith("</html>")
        words = re.sub(r"base64,[^\"]+|<style>.*?</style>", "", html, flags=re.S).lower()
        assert "nan" not in words.replace("nanosecond", "")


def test_columns_that_are_no_numbers_have_no_band():
    frame = frame_of(columns=1)
    mixed = frame.assign(kind=pd.Categorical(["x", None] * 30))
    f = replace(content(frame), frame=mixed, completed=content(frame).completed.assign(kind=pd.Categorical(["x", "y"] * 30)))
    html = render(f)
    assert "<h3>kind</h3>" not in html
    assert re.search(r"<th scope=\"row\">kind</th>\s*<td>category</td>\s*<td>30</td>", html)


def test_a_lane_is_the_series_with_most_gaps_in_the_order_of_time():
    frame = pd.DataFrame({"a": [3.0, 1.0, np.nan, np.nan, 7.0]}, index=[2, 1, 1, 0, 2])
    shown = column_series(content(frame, entity=np.array(["x", "x", "y", "y", "y"]), completed=frame.fillna(5.0)), "a")
    assert shown.entity == "y"
    assert shown.filled.tolist() == [5.0, 5.0, 7.0]
    assert shown.missing.tolist() == [True, True, False]
    assert shown.stamps.tolist() == [0, 1, 2]


def test_a_band_is_drawn_at_gaps_only_and_reaches_their_neighbours():
    frame = pd.DataFrame({"a": [0.0, 0.0, np.nan, 0.0, 0.0]})
    shown = column_series(content(frame), "a")
    assert (shown.high - shown.low).tolist() == [0, 0, 2, 0, 0]
    assert with_neighbours(shown.missing).tolist() == [False, True, True, True, False]


def test_no_line_crosses_a_hole_in_time():
    stamps, values = with_breaks(np.array([0.0, 1, 2, 9, 10]), np.arange(5.0)[None])
    assert stamps.tolist() == [0, 1, 2, 5.5, 9, 10]
    assert np.isnan(values[0]).tolist() == [False, False, False, True, False, False]


def test_titles_do_not_run_into_each_other():
    frame = frame_of(rows=400, columns=1)
    for canvas in (WIDE, NARROW):
        figure = shown_on(partial(band_figure, column_series(content(frame), "c0")), canvas)
        boxes = [axes.get_tightbbox() for axes in figure.axes]
        assert all(not one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1 + 1 for box in boxes)


def test_shares_of_the_map():
    holes = np.array([[True], [False], [False], [True]])
    shares, start, end = binned(holes, np.array([0, 1, 10, 11]), 2)
    assert shares[:, 0].tolist() == [0.5, 0.5]
    assert (start, end) == (0, 11)
    assert np.isnan(binned(holes, np.array([0, 1, 10, 11]), 4)[0][1, 0])  # no row then, so nothing is missing


def test_the_map_names_few_columns_and_counts_many():
    few, many = (shown_on(partial(missing_map, content(frame_of(columns=n, rows=20))), WIDE).axes[0] for n in (5, 60))
    assert [label.get_text() for label in few.get_yticklabels()] == [f"c{i}" for i in range(5)]
    assert many.get_ylabel() == "60 columns, in the order of the file"


def test_bars_tell_winners_from_losers():
    f = content(frame_of(columns=2))
    f = replace(f, errors=f.errors.assign(imputer=[0.5, 1.5]))
    bars = shown_on(partial(error_bars, f, worst_first(f.errors)), NARROW).axes[0].patches
    assert [round(bar.get_width(), 3) for bar in bars] == [1.5, 0.5]
    assert bars[0].get_facecolor() != bars[1].get_facecolor()


@pytest.mark.parametrize("hours", [1, 3, 20, 60, 100, 500, 2000, 9000, 30000])
@pytest.mark.parametrize("canvas", [WIDE, NARROW], ids=["wide", "narrow"])
def test_dates_never_crowd(hours, canvas):
    index = pd.date_range("2023-12-30 22:00", periods=25, freq=pd.Timedelta(hours=hours / 24))
    frame = pd.DataFrame({"a": np.where(np.arange(25) == 12, np.nan, 1e7)}, index=index)
    figure = shown_on(partial(band_figure, column_series(content(frame), "a")), canvas)
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
        assert len(boxes) >= 2
        assert all(one.x1 < two.x0 for one, two in pairwise(boxes))
        assert boxes[-1].x1 <= figure.bbox.x1


def test_a_close_view_names_the_gap_that_it_is_around_and_marks_it():
    values = np.arange(100.0)
    values[[20, 40, 42, 44, *range(60, 66)]] = np.nan
    shown = column_series(content(pd.DataFrame({"a": values})), "a")
    _, longest, typical = shown_on(partial(band_figure, shown), HALF).axes
    assert longest.get_title(loc="left") == "around the longest gap (6 rows)"
    assert typical.get_title(loc="left") == "around a typical gap (1 row)"
    (ground,) = [patch for patch in longest.patches if patch.get_zorder() == 0]
    assert (ground.get_x(), ground.get_x() + ground.get_width()) == (59.5, 65.5)
    assert Gap(0, 1).length == 1


def test_bold_is_the_smallest_error_and_not_ours():
    row = pd.Series({"imputer": 0.5, "linear": 0.4, "last": 1.5, "mean": 4.0, "coverage": 0.9, "cells": 100.0})
    assert [cell.best for cell in error_row("a", row, 1.25)[1:5]] == [False, True, False, False]
    assert error_row("a", row, 1.25)[5].tone == "warning"
    equal = row.replace({0.4: 0.50001})
    assert [cell.best for cell in error_row("a", equal, 1.0)[1:5]] == [True, True, False, False]
    assert error_row("a", equal, 1.0)[5].tone == ""
    assert not any(cell.best for cell in error_row("a", row * 0, 1.0)[1:5])


def test_a_page_has_only_the_sections_that_it_has_something_for():
    f = content(frame_of())
    titles = [section.title for section in report_page(replace(f, calibration=f.calibration.iloc[:0])).sections]
    assert titles == ["What is missing", "What was put in its place", "How large the errors are"]
