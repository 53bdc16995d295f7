"""The commands: what they write, what they say, and that a mistake is one line and leaves nothing behind."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from vaehub.cli.app import main
from vaehub_timeseries import Imputer
from vaehub_timeseries.files import read_table

ROWS = 80


def table():
    """Two columns that go together, a column of whole numbers, with gaps; -900 is a sentinel."""
    rng = np.random.default_rng(0)
    level = np.sin(np.arange(ROWS) / 5) * 10
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=ROWS, freq="h").strftime("%Y-%m-%d %H:%M")})
    frame["a"], frame["b"] = np.round(level + rng.normal(size=(2, ROWS)) * 0.1, 3)
    frame["count"] = pd.array(np.round(level + 20), dtype="Int64")
    frame.loc[10:13, "a"] = np.nan
    frame.loc[[30, 31, 50], "count"] = pd.NA
    frame.loc[[20, 40, 60], "b"] = -900.0
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table and a model that was fitted on it."""
    path = tmp_path_factory.mktemp("series")
    table().to_csv(path / "in.csv", index=False)
    Imputer(missing_values=[-900.0]).fit(table()).save(path / "model")
    return path


@pytest.fixture
def here(folder, monkeypatch, tmp_path):
    """The commands are run in a folder of their own, beside the table and the model."""
    for name in ("in.csv", "model"):
        (tmp_path / name).symlink_to(folder / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def works(capsys):
    """Run a command that must succeed in silence; gives the lines that it printed."""

    def run(*words):
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        assert (code, told.err) == (0, "")
        return told.out.splitlines()

    return run


@pytest.fixture
def fails(capsys, here):
    """Run a command that must end in one line of error and write nothing; gives that line."""

    def run(*words):
        before = sorted(here.rglob("*"))
        assert main([str(word) for word in words]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        (line,) = told.err.strip().splitlines()
        assert line.startswith("error: ")
        assert sorted(here.rglob("*")) == before
        return line

    return run


def test_a_table_is_filled_and_nothing_else_of_it_changes(here, works):
    verdict, output = works("timeseries", "impute", "in.csv", "-o", "out.csv", "--missing-values=-900")
    assert "linear interpolation" in verdict
    assert output == "out.csv"
    before, after = pd.read_csv("in.csv"), pd.read_csv("out.csv")
    assert list(after) == list(before)
    assert after.notna().all().all()
    known = before.notna() & (before != -900.0)
    assert (after[known].fillna(0) == before[known].fillna(0)).all().all()
    assert after["b"].min() > -50
    assert pd.api.types.is_integer_dtype(after["count"])
    assert sorted(path.name for path in here.iterdir()) == ["in.csv", "model", "out.csv"]


def test_the_same_seed_gives_the_same_file(here, works):
    for name in ("one.csv", "two.csv"):
        works("timeseries", "impute", "in.csv", "-o", name, "--model", "model")
    assert (here / "one.csv").read_bytes() == (here / "two.csv").read_bytes()


def test_a_model_knows_which_words_mean_missing(here, works):
    frame = table().astype({"a": object}).assign(b=1.5)
    frame.loc[10:13, "a"] = "none"
    frame.to_csv("words.csv", index=False)
    Imputer(missing_values=["none"]).fit(read_table("words.csv", None, ["none"])).save("fitted")
    works("timeseries", "impute", "words.csv", "-o", "out.csv", "--model", "fitted")
    assert pd.read_csv("out.csv")["a"].dtype == float


def test_quantiles_samples_and_report_lie_beside_the_table(here, works):
    words = ("--quantiles", "0.05,0.5,0.95", "--samples", 3, "--report", "--model", "model")
    lines = works("timeseries", "impute", "in.csv", "-o", "deep/out.csv.gz", *words)
    assert lines[1:] == ["deep/out.csv.gz", "deep/out.quantiles.csv.gz", "deep/out.samples.csv.gz", "deep/out.report.html"]
    before, quantiles, samples = (pd.read_csv(name) for name in ("in.csv", lines[2], lines[3]))
    assert next(iter(quantiles)) == "when"
    assert quantiles["when"].tolist() == before["when"].tolist()
    gap = slice(10, 13)
    low, middle, high = (quantiles.loc[gap, f"a {q}"].to_numpy() for q in (0.05, 0.5, 0.95))
    assert ((low < middle) & (middle < high)).all()
    assert samples["sample"].tolist() == [1] * ROWS + [2] * ROWS + [3] * ROWS
    assert samples.groupby("when")["a"].nunique().loc[before.loc[gap, "when"]].tolist() == [3] * 4
    html = (here / lines[4]).read_text()
    assert "<h1>in.csv</h1>" in html
    assert "vaehub timeseries impute in.csv -o deep/out.csv.gz --report --model=model" in html


def test_gaps_that_are_left_and_flags(here, works):
    words = ("--max-gap", "3h", "--flags", "--report", "--missing-values=-900")
    lines = works("timeseries", "impute", "in.csv", "-o", "out.csv", *words)
    assert lines[1:] == ["out.csv", "out.flags.csv", "out.report.html"]
    filled, flags = pd.read_csv("out.csv"), pd.read_csv("out.flags.csv")
    assert filled.isna().sum().to_dict() == {"when": 0, "a": 4, "b": 0, "count": 0}
    assert list(flags)[:4] == ["when", "a flag", "a half_width", "a gap"]
    assert flags.loc[[9, 10, 13], ["a flag", "a gap"]].to_numpy().tolist() == [["observed", 0], ["missing", 4], ["missing", 4]]
    assert flags.loc[[20, 30], ["b flag", "count flag"]].to_numpy().tolist() == [
        ["estimated", "observed"],
        ["observed", "estimated"],
    ]
    html = (here / "out.report.html").read_text()
    assert "left missing" in html
    assert "vaehub timeseries impute in.csv -o out.csv --report --max-gap=3h --missing-values=-900" in html


def test_limits_go_with_a_model(here, works):
    works("timeseries", "impute", "in.csv", "-o", "out.csv", "--model", "model", "--limit-area", "outside")
    assert pd.read_csv("out.csv")[["a", "count"]].isna().sum().tolist() == [4, 3]
    works("timeseries", "impute", "in.csv", "-o", "out.csv", "--model", "model")
    assert pd.read_csv("out.csv").notna().all().all()


def test_rows_that_were_left_out_are_put_in(here, works):
    table().drop([33, 34, 62]).to_csv("short.csv", index=False)
    words = ("--freq", "h", "--quantiles", "0.5", "--flags", "--missing-values=-900", "--report")
    works("timeseries", "impute", "short.csv", "-o", "out.csv", *words)
    filled, quantiles, flags = (pd.read_csv(name) for name in ("out.csv", "out.quantiles.csv", "out.flags.csv"))
    for frame in (filled, quantiles, flags):
        assert frame["when"].tolist() == table()["when"].tolist()
    assert filled.notna().all().all()
    assert flags["count flag"].iloc[[32, 33, 34, 35]].tolist() == ["observed", "estimated", "estimated", "observed"]
    works("timeseries", "forecast", "short.csv", "-o", "next.csv", "--steps", 2, "--freq", "h", "--missing-values=-900")
    assert pd.read_csv("next.csv")["when"].tolist() == ["2024-01-04 08:00", "2024-01-04 09:00"]


def test_the_report_alone_with_the_warnings_that_are_told_once_on_a_line_of_their_own(here, capsys):
    assert main(["timeseries", "report", "in.csv", "-o", "page.html"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "page.html"
    html, lines = (here / "page.html").read_text(), told.err.splitlines()
    assert all(f"<h3>{name}</h3>" in html for name in ("a", "count"))
    assert len(lines) == len(set(lines))
    assert any(line.startswith("warning: b: ") and "-900" in line for line in lines)
    assert "far below the rest" in html


def test_a_long_table_of_several_series_comes_back_long_and_is_reported_by_variable(here, works):
    wide = table().drop(columns="count").replace(-900.0, 0.0)
    both = pd.concat([wide.assign(site="north"), wide.assign(site="south", a=wide["a"] + 5)])
    long = both.melt(["when", "site"]).sample(frac=1.0, random_state=0)
    long.to_csv("long.csv", index=False)
    works("timeseries", "impute", "long.csv", "-o", "out.csv", "--quantiles", "0.5", "--report", "--entity", "site")
    filled, quantiles = pd.read_csv("out.csv"), pd.read_csv("out.quantiles.csv")
    assert filled.drop(columns="value").equals(pd.read_csv("long.csv").drop(columns="value"))
    assert filled["value"].notna().all()
    assert list(quantiles) == ["when", "site", "variable", "value 0.5"]
    html = (here / "out.report.html").read_text()
    assert "160 rows, 2 columns, 2 series" in html
    assert "<h3>a</h3>" in html


def test_a_forecast_continues_the_table(works, here):
    words = ("--steps", 5, "--quantiles", "0.1,0.9", "--model", "model")
    assert works("timeseries", "forecast", "in.csv", "-o", "next.csv", *words) == ["next.csv", "next.quantiles.csv"]
    future, quantiles = pd.read_csv("next.csv"), pd.read_csv("next.quantiles.csv")
    stamps = [f"2024-01-04 {hour:02}:00" for hour in range(8, 13)]
    assert future["when"].tolist() == quantiles["when"].tolist() == stamps
    assert future.notna().all().all()
    assert (quantiles["a 0.1"] < quantiles["a 0.9"]).all()


def test_a_forecast_takes_columns_that_are_given_ahead(works, here):
    stamps = [f"2024-01-04 {hour:02}:00" for hour in range(8, 13)]
    pd.DataFrame({"when": stamps, "a": [1.5, 2.5, None, 4.5, 5.5]}).to_csv("ahead.csv", index=False)
    words = ("--steps", 5, "--future", "ahead.csv", "--model", "model")
    assert works("timeseries", "forecast", "in.csv", "-o", "next.csv", *words) == ["next.csv"]
    future = pd.read_csv("next.csv")
    assert future["a"].drop(2).tolist() == [1.5, 2.5, 4.5, 5.5]
    assert future.notna().all().all()


def test_a_backtest_is_written(works, here):
    words = ("--steps", 4, "--origins", 1, "--window", 4, "--season", "none", "--missing-values=-900")
    assert works("timeseries", "backtest", "in.csv", "-o", "scores.csv", *words) == ["scores.csv"]
    scores = pd.read_csv("scores.csv")
    assert list(scores) == ["column", "method", "mae", "mase", "crps", "coverage", "cells"]
    assert scores["method"].unique()[:3].tolist() == ["imputer", "seasonal_naive", "drift"]


def test_anomalies_are_printed_and_written(works, here):
    odd = table()
    odd.loc[60, "a"] += 40
    odd.to_csv("odd.csv", index=False)
    lines = works("timeseries", "anomalies", "odd.csv", "-o", "scores.csv", "--top", 2, "--model", "model")
    assert lines[0].split() == ["row", "when", "column", "value", "score"]
    assert lines[1].split()[:4] == ["60", "2024-01-03", "12:00", "a"]
    assert len(lines) == 4
    scores = pd.read_csv("scores.csv")
    assert scores["when"].tolist() == odd["when"].tolist()
    assert scores["a"].idxmax() == 60


def test_events_are_printed_and_written(works, here):
    odd = table()
    odd.loc[60, "a"] += 40
    odd.to_csv("odd.csv", index=False)
    lines = works("timeseries", "anomalies", "odd.csv", "-o", "scores.csv", "--events", "--model", "model")
    assert lines[0].split() == ["columns", "start", "end", "rows", "kind", "strength", "reason"]
    assert lines[1].split()[:7] == ["a", "2024-01-03", "12:00", "2024-01-03", "12:00", "1", "spike"]
    assert lines[-2:] == ["scores.csv", "scores.events.csv"]
    events = pd.read_csv("scores.events.csv")
    assert events["kind"].tolist() == ["spike"]
    assert events.loc[0, "start"] == odd.loc[60, "when"]


def test_series_are_generated_from_a_model(works, here):
    assert works("timeseries", "generate", "-o", "new.csv", "-n", 2, "--steps", 12, "--model", "model") == ["new.csv"]
    drawn = pd.read_csv("new.csv")
    assert len(drawn) == 24
    assert {"a", "b", "count"} <= set(drawn)
    assert drawn.notna().all().all()


MISTAKES = [
    ("impute", "nope.csv", "-o", "x.csv", "nope.csv: no such file"),
    ("impute", "in.csv", "-o", "x.xls", "x.xls: no known suffix; give one of .csv, .tsv, .txt, .parquet, .feather, .arrow"),
    ("impute", "in.csv", "Missing option '--output'"),
    ("impute", "in.csv", "-o", "x.csv", "--quantiles", "0.5,2", "'2' is no number between 0 and 1"),
    ("impute", "in.csv", "-o", "x.csv", "--quantiles", "low", "'low' is no number between 0 and 1"),
    ("impute", "in.csv", "-o", "x.csv", "--samples", "-1", "Invalid value for '--samples'"),
    ("impute", "in.csv", "-o", "x.csv", "--time", "wen", "did you mean 'when'?"),
    ("impute", "in.csv", "-o", "x.csv", "--columns", "a,c", "'c'"),
    ("impute", "in.csv", "-o", "x.csv", "--aggregate", "sum", "Invalid value for '--aggregate'"),
    ("impute", "in.csv", "-o", "x.csv", "--model", "model", "--time", "when", "--time cannot go with --model"),
    ("impute", "in.csv", "-o", "x.csv", "--model", "nowhere", "nowhere"),
    ("impute", "in.csv", "-o", "x.csv", "--max-gap", "long", "--max-gap: should be a whole number of steps"),
    ("impute", "in.csv", "-o", "x.csv", "--max-gap", "0", "--max-gap: should be a whole number of steps, 1 or more"),
    (
        "impute",
        "in.csv",
        "-o",
        "x.csv",
        "--missing-values=-900",
        "--max-gap",
        "1min",
        "(--max-gap) is less than the step of 01:00:00",
    ),
    ("report", "in.csv", "-o", "x.html", "--limit-area", "middle", "Invalid value for '--limit-area'"),
    (
        "impute",
        "in.csv",
        "-o",
        "x.csv",
        "--freq",
        "hourly",
        "give a frequency of pandas such as 'h', '15min', 'D' or 'MS' (--freq=h)",
    ),
    ("impute", "in.csv", "-o", "x.csv", "--freq", "D", "row 1: 2024-01-01 01:00 is not on the grid of freq='D'"),
    ("impute", "in.csv", "-o", "x.csv", "--model", "model", "--freq", "h", "--freq cannot go with --model"),
    ("impute", "twice.csv", "-o", "x.csv", "aggregate="),
    ("impute", "words.csv", "-o", "x.csv", "--report", "column 'a'"),
    ("report", "in.csv", "-o", "x.pdf", "x.pdf: the report is a page"),
    ("forecast", "in.csv", "-o", "x.csv", "Missing option '--steps'"),
    ("forecast", "in.csv", "-o", "x.csv", "--steps", "0", "Invalid value for '--steps'"),
    ("forecast", "in.csv", "-o", "x.csv", "--steps", "2", "--future", "in.csv", "--model", "model", "none of the rows ahead"),
    ("backtest", "in.csv", "-o", "x.csv", "--steps", "2", "--model", "model", "--model cannot be used"),
    ("backtest", "in.csv", "-o", "x.csv", "--steps", "2", "--season", "soon", "season='soon'"),
    ("generate", "-o", "x.csv", "give INPUT"),
    ("anomalies", "short.csv", "-o", "x.csv", "--model", "model", "column 'b' is absent"),
]


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: " ".join(case[:-1]))
def test_a_mistake_is_one_line_and_leaves_nothing(here, fails, case):
    pd.concat([table().iloc[:5], table().iloc[2:3]]).to_csv(here / "twice.csv", index=False)
    table().astype({"a": object}).assign(a=lambda f: f["a"].where(f.index != 7, "broken")).to_csv(here / "words.csv", index=False)
    table().drop(columns="b").to_csv(here / "short.csv", index=False)
    *words, expected = case
    assert expected in fails("timeseries", *words)


def test_a_failed_write_keeps_the_file_that_was_there(here, fails, monkeypatch):
    (here / "kept.csv").write_text("precious")

    def broken(source, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr("vaehub.files.atomic.os.replace", broken)
    assert "No space left on device" in fails("timeseries", "impute", "in.csv", "-o", "kept.csv", "--model", "model")
    assert (here / "kept.csv").read_text() == "precious"


def test_an_input_is_not_overwritten_unless_told(here, works, fails):
    (here / "own.csv").write_bytes((here / "in.csv").read_bytes())
    for words in (["impute"], ["forecast", "--steps", "2"], ["anomalies"]):
        message = fails("timeseries", words[0], "own.csv", "-o", "./own.csv", "--model", "model", *words[1:])
        assert "own.csv: is the input itself, which would be lost; write elsewhere, or replace it with --force" in message
    assert (here / "own.csv").read_bytes() == (here / "in.csv").read_bytes()
    works("timeseries", "impute", "own.csv", "-o", "own.csv", "--model", "model", "--force")
    assert pd.read_csv("own.csv").notna().all().all()


def test_stations_keep_their_zeros(here, works):
    table().assign(station="007", b=1.5).to_csv("st.csv", index=False)
    works("timeseries", "impute", "st.csv", "-o", "o.CSV.gz", "--entity", "station")
    found = pd.read_csv("o.CSV.gz", dtype=str, compression="gzip")
    assert set(found["station"]) == {"007"}
    assert found.notna().all().all()


def test_marks_for_missing_are_named_with_the_option(here, works, fails):
    table().assign(a=["-" if n % 9 == 0 else f"{n % 5},5" for n in range(ROWS)]).to_csv("na.csv", sep=";", index=False)
    assert "(--missing-values=-)" in fails("timeseries", "impute", "na.csv", "-o", "o.csv")
    works("timeseries", "impute", "na.csv", "-o", "o.csv", "--missing-values=-,-900")
    out = pd.read_csv("o.csv", sep=";", dtype=str)
    assert out["a"].str.fullmatch(r"-?\d+,\d").all()
    assert out["b"].str.fullmatch(r"-?\d+\.\d+").all()


def test_packed_input_is_read(here, works):
    (here / "in.csv.gz").write_bytes(gzip.compress((here / "in.csv").read_bytes()))
    works("timeseries", "impute", "in.csv.gz", "-o", "out.parquet", "--model", "model")
    assert pd.read_parquet("out.parquet").notna().all().all()


@pytest.mark.slow
def test_the_demo_runs_offline_and_ends_with_its_report(here, capsys):
    assert main(["demo", "imputation", "--out", "demo"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.splitlines()[-1] == "demo/filled.report.html"
    filled = pd.read_csv("demo/filled.csv")
    assert len(filled) == 2928
    assert filled.notna().all().all()
    html = (here / "demo/filled.report.html").read_text()
    assert "vaehub timeseries impute demo/nyc_weather.csv.gz -o demo/filled.csv --report" in html
    assert "<h3>pressure EWR</h3>" in html
    assert "878" in html
