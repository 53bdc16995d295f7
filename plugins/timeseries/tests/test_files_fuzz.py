"""Five hundred dialects of text: each is read as it is meant, and written back as it was."""

import random

import numpy as np
import pandas as pd
import pytest

from vaehub_timeseries.files import find_dialect, read_table, write_table

CASES, PER_TEST = 500, 50
ROWS = 40
PREAMBLES = {
    "none": [],
    "comments": ["# Station Süd", "# version 3, which was made and mended by hand"],
    "lines": ["Station: Süd", "", "made by; hand"],
    "excel": None,  # sep=;
}
NAMES = ["temp", "wind speed", "load", "humidity"]
UNITS = ["°C", "m/s", "[kW]", "%"]
DATES = {
    "iso": "%Y-%m-%d %H:%M",
    "german": "%d.%m.%Y %H:%M",
    "american": "%m/%d/%Y %I:%M %p",
    "isot": "%Y-%m-%dT%H:%M:%S",
}


class Case:
    """A table of text by chance: what its cells mean, and how it is written."""

    def __init__(self, seed):
        draw = self.draw = random.Random(seed)
        rng = np.random.default_rng(seed)
        self.separator = draw.choice([",", ";", "\t", "|", " "])
        self.decimal = draw.choice(".,")
        self.encoding = draw.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
        self.newline = draw.choice(["\n", "\r\n"])
        self.suffix = draw.choice([".csv", ".txt", ".csv.gz"] if self.separator != "\t" else [".tsv", ".txt", ".tsv.gz"])
        self.quotes = draw.random() < 0.3
        self.headed = draw.random() < 0.85
        self.units = self.headed and self.separator != " " and draw.random() < 0.3
        self.comma_in_name = self.headed and draw.random() < 0.3
        self.preamble = draw.choice(["none", "none", "comments", "lines", "excel"])
        if self.separator in " ," and self.preamble == "lines":
            self.preamble = "comments"
        self.group = draw.choice(["", "", {".": ",", ",": "."}[self.decimal], "\u00a0", "'"])
        self.percent = draw.random() < 0.2 and self.separator != " "
        self.dates = draw.choice([None, *DATES])
        self.width = draw.randint(2, 4)
        self.places = [draw.randint(1, 3) for _ in range(self.width)]
        self.fixed = [draw.random() < 0.6 for _ in range(self.width)]
        scale = [draw.choice([20, 3000, 150000]) for _ in range(self.width)]
        values = rng.normal(size=(ROWS, self.width)) * scale
        self.values = np.column_stack([values[:, at].round(self.places[at]) for at in range(self.width)])
        self.gaps = (rng.random((ROWS, self.width)) < 0.15) & (self.separator != " ")
        self.gaps[[3, 4, -1]] = False
        names = [*NAMES[: self.width]]
        if self.comma_in_name:
            names[0] = "temp, outdoor; C"
        self.names = (
            [*(["when"] if self.dates else []), *names]
            if self.headed
            else [str(at) for at in range(self.width + bool(self.dates))]
        )

    def number(self, value, at):
        text = f"{value:{',' if self.group else ''}.{self.places[at]}f}"
        whole, _, part = text.partition(".")
        part = part if self.fixed[at] else part.rstrip("0")
        whole = "0" if whole == "-0" and not part.strip("0") else whole
        return whole.replace(",", self.group) + (self.decimal + part if part else "") + ("%" if self.percent and at == 1 else "")

    def cell(self, text, always=False):
        special = self.separator in text or '"' in text
        return f'"{text}"' if special or (always and self.quotes) else text

    def lines(self, missing=""):
        stamps = pd.date_range("2021-11-20", periods=ROWS, freq="3h").strftime(DATES[self.dates]) if self.dates else None
        out = []
        if self.preamble == "excel" and self.separator != " ":
            out.append(f"sep={self.separator}")
        elif self.preamble != "excel":
            out += PREAMBLES[self.preamble]
        if self.headed:
            out.append(self.separator.join(self.cell(name, True) for name in self.names))
        if self.units:
            out.append(self.separator.join([*([""] if self.dates else []), *UNITS[: self.width]]))
        for row in range(ROWS):
            cells = [missing if self.gaps[row, at] else self.number(self.values[row, at], at) for at in range(self.width)]
            cells = [stamps[row], *cells] if self.dates else cells
            out.append(self.separator.join(map(self.cell, cells)))
        return out

    @property
    def content(self):
        return "".join(line + self.newline for line in self.lines()).encode(self.encoding, "replace")


def check(case, folder):
    import gzip

    source, target = folder / f"in{case.suffix}", folder / f"out{case.suffix}"
    source.write_bytes(gzip.compress(case.content) if case.suffix.endswith("gz") else case.content)
    frame = read_table(source)
    assert [str(name) for name in frame.columns] == case.names
    assert len(frame) == ROWS
    found = frame.iloc[:, int(bool(case.dates)) :].to_numpy(float, na_value=np.nan)
    assert np.array_equal(found, np.where(case.gaps, np.nan, case.values), equal_nan=True)
    write_table(frame, target, find_dialect(source))
    back = gzip.decompress(target.read_bytes()) if case.suffix.endswith("gz") else target.read_bytes()
    assert back.decode(case.encoding) == case.content.decode(case.encoding)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is not UTF-8:UserWarning", "ignore:.*its first line holds numbers:UserWarning")
@pytest.mark.parametrize("first", range(0, CASES, PER_TEST))
def test_any_dialect_is_read_and_written_back(tmp_path, first):
    failed = []
    for seed in range(first, first + PER_TEST):
        try:
            check(Case(seed), tmp_path)
        except Exception as error:
            failed.append((seed, vars(Case(seed)), error))
    assert not failed, f"{len(failed)}: {failed[0]}"
