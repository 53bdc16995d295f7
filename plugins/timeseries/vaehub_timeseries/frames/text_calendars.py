"""Stamps as text that no pattern of strptime reads: 24:00, weeks, quarters, and names of time zones behind the time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta, timezone

import numpy as np
import pandas as pd

from vaehub_timeseries.frames.date_formats import DATE_LIKE, DateOptions, Dates, parse_dates

MIDNIGHT = re.compile(r"(?<=[ T])24([:.]00(?:[:.]00(?:\.0+)?)?)$")
WEEK = re.compile(r"(\d{4})(-?)W(\d{2})(?:(-?)([1-7]))?")
QUARTER = re.compile(r"(?P<year>\d{4})(?P<mark>[-/ ]?)Q(?P<quarter>[1-4])|Q(?P<first>[1-4])(?P<between>[-/ ]?)(?P<last>\d{4})")
ABBREVIATION = re.compile(r" (?!AM$|PM$)([A-Z]{3,5})$")
HOURS = {
    "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "EST": -5, "EDT": -4,
    "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
REGIONS = {
    ("GMT", "BST"): "Europe/London", ("WET", "WEST"): "Europe/Lisbon", ("CET", "CEST"): "Europe/Berlin", ("EET", "EEST"): "Europe/Helsinki",
    ("EST", "EDT"): "America/New_York", ("CST", "CDT"): "America/Chicago", ("MST", "MDT"): "America/Denver",
    ("PST", "PDT"): "America/Los_Angeles",
}  # fmt: skip


def looks_like_dates(text: pd.Series, options: DateOptions) -> bool:
    """Whether the first value that is there begins as a date does, or is in the format that is given."""
    seen = text.dropna()
    likely = len(seen) > 0 and (options.format is not None or DATE_LIKE.match(seen.iloc[0]) is not None)
    return likely and parse_text(seen.iloc[:1], options) is not None


def parse_text(text: pd.Series, options: DateOptions) -> Dates | None:
    """Text as stamps, by the first calendar that all of it is of; None where it is of none.

    >>> parse_text(pd.Series(["2020Q1", "2020Q2"]), DateOptions()).stamps.strftime("%Y-%m-%d").tolist()
    ['2020-01-01', '2020-04-01']
    """
    if options.format is not None:
        return parse_dates(text, options)
    stripped = text.astype(object).str.strip()
    for read in CALENDARS:
        if (found := read(stripped, options)) is not None:
            return found
    return parse_dates(text, options)


def parse_weeks(text: pd.Series, options: DateOptions) -> Dates | None:
    """2024-W05 is the Monday of the week, 2024-W05-3 the Wednesday."""
    first = WEEK.fullmatch(text.iloc[0])
    if first is None or not text.str.fullmatch(WEEK.pattern).all():
        return None
    pattern = f"%G{first[2]}W%V" + (f"{first[4]}%u" if first[5] else "")
    behind = "" if first[5] else "-1"
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(text + behind, format=pattern + ("" if first[5] else "-%u"), utc=True))
    except ValueError:
        return None
    return Dates(stamps, lambda index: pd.Index(list(index.strftime(pattern))))


def parse_quarters(text: pd.Series, options: DateOptions) -> Dates | None:
    """2020Q1, 2020-Q1 and Q1 2020 are the first day of the quarter."""
    if not text.str.fullmatch(QUARTER.pattern).all():
        return None
    parts = text.str.extract(QUARTER)
    year = parts["year"].fillna(parts["last"]).astype(int)
    quarter = parts["quarter"].fillna(parts["first"]).astype(int)
    stamps = pd.DatetimeIndex(pd.to_datetime({"year": year, "month": 3 * quarter - 2, "day": 1}), tz="UTC")
    mark, year_first = (parts["mark"].iloc[0], True) if text.iloc[0][0] != "Q" else (parts["between"].iloc[0], False)

    def write(index: pd.DatetimeIndex) -> pd.Index:
        entries = [(str(at.year), f"Q{at.quarter}") for at in index]
        written: list[str] = [mark.join(entry if year_first else entry[::-1]) for entry in entries]
        return pd.Index(written)

    return Dates(stamps, write)


def parse_zones(text: pd.Series, options: DateOptions) -> Dates | None:
    """… CET and … CEST are hours from UTC; where both halves of a zone are there, its clock goes on as theirs."""
    names = text.str.extract(ABBREVIATION)[0]
    seen = [] if names.isna().any() else list(names.unique())
    if not seen or not set(seen) <= set(HOURS):
        return None
    parsed = parse_dates(text.str.replace(ABBREVIATION, "", regex=True), options)
    if parsed is None:
        return None
    stamps = parsed.stamps - pd.to_timedelta(names.map(HOURS).to_numpy(), "h")
    region = next((zone for pair, zone in REGIONS.items() if len(seen) == 2 and set(seen) == set(pair)), None)
    if region is None and len(seen) > 1:
        return None
    zone = region or timezone(timedelta(hours=HOURS[seen[0]]), seen[0])

    def write(index: pd.DatetimeIndex) -> pd.Index:
        local = index.tz_convert(zone)
        entries = zip(parsed.write(local.tz_localize(None).tz_localize("UTC")), local.strftime("%Z"), strict=True)
        return pd.Index([f"{entry} {name}" for entry, name in entries])

    return Dates(stamps, write, parsed.rival, zone)


def parse_midnights(text: pd.Series, options: DateOptions) -> Dates | None:
    """24:00 is the end of its day."""
    late = np.array([MIDNIGHT.search(entry) is not None for entry in text])
    if not late.any():
        return None
    parsed = parse_dates(text.str.replace(MIDNIGHT, r"00\1", regex=True), options)
    if parsed is None:
        return None
    stamps = parsed.stamps + pd.to_timedelta(late.astype(int), "D")
    starts = bool((stamps == stamps.normalize())[~late].any())

    def write(index: pd.DatetimeIndex) -> pd.Index:
        ends = np.asarray(index == index.normalize()) & (not starts)
        entries = parsed.write(index - pd.to_timedelta(ends.astype(int), "D"))
        return pd.Index(
            [re.sub(r"(?<=[ T])00(?=[:.]00)", "24", entry) if end else entry for entry, end in zip(entries, ends, strict=True)]
        )

    return Dates(stamps, write, parsed.rival)


CALENDARS: tuple[Callable[[pd.Series, DateOptions], Dates | None], ...] = (
    parse_weeks,
    parse_quarters,
    parse_zones,
    parse_midnights,
)
