"""Tables of other people's programs at the command line: what goes in as a dialect comes out in it, with as many digits."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pandas as pd
import pytest

from vaehub.cli.app import main

ROWS = 60
HOURS = pd.date_range("2024-01-30", periods=ROWS, freq="h")
LEVEL = np.round(12 + 9 * np.sin(np.arange(ROWS) / 4) + np.random.default_rng(0).normal(size=ROWS) * 0.1, 2)


@pytest.fixture
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run a command; gives (exit code, what it wrote to stderr)."""

    def call(*words):
        code = main([str(word) for word in words])
        return code, capsys.readouterr().err

    return call


def german(number):
    return "" if number is None else f"{number:.2f}".replace(".", ",")


def test_a_german_table_comes_back_german(here, run):
    values = [None if 20 <= at < 24 else value for at, value in enumerate(LEVEL)]
    head = ["Messstelle: Süd", "", "Zeit;Pegel;Nr", ";[m];"]
    lines = head + [
        f"{at:%d.%m.%Y %H:%M};{german(value)};{number}" for number, (at, value) in enumerate(zip(HOURS, values, strict=True))
    ]
    (here / "in.csv").write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    code, err = run(
        "timeseries", "impute", "in.csv", "-o", "out.csv", "--quantiles", "0.05,0.95", "--samples", "1", "--encoding", "cp1252"
    )
    assert (code, err) == (0, "")
    out = (here / "out.csv").read_bytes().decode("cp1252").split("\r\n")
    assert [line for at, line in enumerate(out) if not 24 <= at < 28] == [
        line for at, line in enumerate([*lines, ""]) if not 24 <= at < 28
    ]
    for line, truth in zip(out[24:28], LEVEL[20:24], strict=True):
        filled = line.split(";")[1]
        assert filled[-3] == ","
        assert float(filled.replace(",", ".")) == pytest.approx(truth, abs=2)
    quantiles = (here / "out.quantiles.csv").read_bytes().decode("cp1252").split("\r\n")
    assert quantiles[0] == "Zeit;Pegel 0.05;Pegel 0.95;Nr 0.05;Nr 0.95"
    assert len(quantiles[23].split(";")[1].split(",")[1]) == 3
    assert (here / "out.samples.csv").read_bytes().decode("cp1252").startswith("sample;Zeit;Pegel;Nr\r\n1;30.01.2024 00:00;")
    code, err = run("timeseries", "forecast", "in.csv", "-o", "next.csv", "--steps", "2", "--encoding", "cp1252")
    assert (code, err) == (0, "")
    following = (here / "next.csv").read_bytes().decode("cp1252").split("\r\n")
    assert following[:4] == head
    assert [line.split(";")[0] for line in following[4:6]] == ["01.02.2024 12:00", "01.02.2024 13:00"]
    assert all(line.split(";")[1][-3] == "," for line in following[4:6])


def test_monthly_days_first_go_on_as_months(here, run):
    months = pd.date_range("2015-01-01", periods=72, freq="MS")
    pd.DataFrame({"Date": months.strftime("%d/%m/%Y"), "v": np.arange(72) % 12 + 0.5}).to_csv("in.csv", index=False)
    assert run("timeseries", "forecast", "in.csv", "-o", "out.csv", "--steps", "2")[0] == 0
    assert pd.read_csv("out.csv")["Date"].tolist() == ["01/01/2021", "01/02/2021"]


def test_what_is_said_goes_before_what_is_found(here, run):
    days = pd.date_range("2021-01-01", periods=12)
    lines = ["some|thing", "when|a", *(f"{day:%d/%m/%Y}|{at},250" for at, day in enumerate(days))]
    (here / "in.txt").write_text("\n".join(lines) + "\n")
    words = ["--sep", "|", "--decimal", ",", "--header", "2", "--no-dayfirst"]
    assert run("timeseries", "forecast", "in.txt", "-o", "out.txt", "--steps", "1", *words) == (0, "")
    out = (here / "out.txt").read_text().splitlines()
    assert out[:2] == ["some|thing", "when|a"]
    assert out[2].startswith("01/01/2022|")
    assert run("timeseries", "forecast", "in.txt", "-o", "out.txt", "--steps", "1", *words[:-1], "--date-format", "%d/%m/%Y") == (
        0,
        "",
    )
    assert (here / "out.txt").read_text().splitlines()[2].startswith("13/01/2021|")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sep", ":"], "sep=':' (--sep): give one of , ; | tab space"),
        (["--decimal", "x"], "decimal='x' (--decimal): give . or ,"),
        (["--encoding", "klingon"], "encoding='klingon' (--encoding): no such encoding; give one such as utf-8"),
        (["--encoding", "utf-8"], "in.csv: damaged (UnicodeDecodeError"),
        (["--header", "0"], "header=0 (--header): give the number of the line of names, from 1, or none"),
        (["--header", "x"], "header='x' (--header)"),
        (["--date-format", "%Y"], "give date_format= (--date-format)"),
    ],
)
def test_what_cannot_be_is_one_line(here, run, words, message):
    (here / "in.csv").write_bytes("Zeit;Temperatur °C\n2024-01-01;1,5\n2024-01-02;2,5\n".encode("cp1252"))
    code, err = run("timeseries", "impute", "in.csv", "-o", "out.csv", "--time", "Zeit", *words)
    assert code == 2
    assert message in err
    assert not (here / "out.csv").exists()


def test_a_file_without_names_keeps_its_first_row(here, run):
    np.savetxt("in.csv", np.column_stack([LEVEL, LEVEL[::-1]]), delimiter=",", fmt="%.2f")
    code, err = run("timeseries", "impute", "in.csv", "-o", "out.csv")
    assert code == 0
    assert "its first line holds numbers and no names, so it is read as data, and the columns are called 0 to 1" in err
    assert (here / "out.csv").read_text() == (here / "in.csv").read_text()
    assert run("timeseries", "impute", "in.csv", "-o", "out.csv", "--header=none") == (0, "")


@pytest.mark.parametrize(
    ("cells", "separator", "marks"),
    [
        (["1,5", "2,0", "2,5", ""], "\t", None),
        (['"12,500"', '"13,250"', '"1,250,000"', ""], ",", None),
        (["14%", "15%", "16%", ""], ",", None),
        (["12.5", "15.0", "-", "17.5"], ",", "-"),
        (["12.5", "15.0", "ND", "17.5"], ";", "ND"),
    ],
)
def test_numbers_as_text_are_never_categories(here, run, cells, separator, marks):
    lines = [separator.join(["q", "x"]), *(separator.join([cells[at % 4], str(at % 7)]) for at in range(80))]
    (here / "in.csv").write_text("\n".join(lines) + "\n")
    words = ["timeseries", "impute", "in.csv", "-o", "out.csv"]
    if marks is not None:
        code, err = run(*words)
        assert code == 2
        assert f"(--missing-values={marks})" in err
        words.append(f"--missing-values={marks}")
    assert run(*words) == (0, "")
    out = (here / "out.csv").read_text().splitlines()
    assert out[0] == lines[0]
    filled = 2 if marks else 3
    assert [line for at, line in enumerate(out[1:]) if at % 4 != filled] == [
        line for at, line in enumerate(lines[1:]) if at % 4 != filled
    ]
    assert all(line.split(separator)[0] not in ("", "-", "ND") for line in out[1:])


def test_readings_below_a_limit_stay_as_they_are_written(here, run):
    days = pd.date_range("2024-01-01", periods=ROWS)
    cells = ["<5,0" if value < 5 else german(value) for value in LEVEL]
    cells[30:33] = [""] * 3
    lines = [
        "Datum;NO3;T",
        *(f"{day:%d.%m.%Y};{cell};{german(value * 2)}" for day, cell, value in zip(days, cells, LEVEL, strict=True)),
    ]
    (here / "in.csv").write_text("\n".join(lines) + "\n")
    assert run("timeseries", "impute", "in.csv", "-o", "out.csv", "--report") == (0, "")
    out = (here / "out.csv").read_text().splitlines()
    assert out[:31] + out[34:] == lines[:31] + lines[34:]
    for line, value in zip(out[31:34], LEVEL[30:33], strict=True):
        assert float(line.split(";")[1].replace(",", ".")) == pytest.approx(value, abs=2)
    assert "<h3>NO3</h3>" in (here / "out.report.html").read_text()


def test_inputs_are_kept_also_by_another_name(here, run):
    frame = pd.DataFrame({"a": LEVEL})
    frame.to_csv("a.csv", index=False)
    frame.to_csv("b.quantiles.csv", index=False)
    frame.to_parquet("p.parquet")
    (here / "link.csv").symlink_to("a.csv")
    (here / "parts").mkdir()
    frame.to_parquet("parts/one.parquet")
    for source, target in (
        ("a.csv", "link.csv"),
        ("link.csv", "a.csv"),
        ("p.parquet", "./p.parquet"),
        ("parts", "parts/one.parquet"),
    ):
        assert "is the input itself, which would be lost" in run("timeseries", "impute", source, "-o", target)[1]
    message = run("timeseries", "impute", "b.quantiles.csv", "-o", "b.csv", "--quantiles", "0.5")[1]
    assert "b.quantiles.csv: is the input itself" in message


def test_sheets_of_excel(here, run):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Station South"])
    book.active.append(["when", "level", "n", "id"])
    for at, (hour, value) in enumerate(zip(HOURS, LEVEL, strict=True)):
        book.active.append([hour.to_pydatetime(), None if at in (7, 8) else float(value), at % 5, "007"])
    book.save("in.xlsx")
    assert run("timeseries", "impute", "in.xlsx", "-o", "out.xlsx") == (0, "")
    out = pd.read_excel("out.xlsx")
    assert out["when"].tolist() == list(HOURS)
    assert out["level"].drop([7, 8]).tolist() == np.delete(LEVEL, [7, 8]).tolist()
    assert out["level"].notna().all()
    assert run("timeseries", "forecast", "out.xlsx", "-o", "next.csv", "--steps", "1") == (0, "")
    assert pd.read_csv("next.csv")["when"].tolist() == ["2024-02-01 12:00:00"]
    (here / "broken.xlsx").write_bytes(b"PK")
    assert "broken.xlsx: damaged" in run("timeseries", "impute", "broken.xlsx", "-o", "out.csv")[1]


def test_excel_without_openpyxl_says_how_to_get_it(here, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (here / "in.xlsx").write_bytes(b"")
    code, err = run("timeseries", "impute", "in.xlsx", "-o", "out.csv")
    assert code == 2
    assert "in.xlsx: .xlsx needs openpyxl; pip install 'vaehub-timeseries[excel]', or save the sheet as .csv" in err


def test_a_domain_reads_what_the_commands_read(here, run):
    lines = ["# hand-made", *(f"{at:%d.%m.%Y %H:%M}|{german(value)}" for at, value in zip(HOURS, LEVEL, strict=True))]
    (here / "in.txt").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    (here / "in.txt").rename("in.txt.gz")
    from vaehub_timeseries.domain import TimeSeries

    with pytest.warns(UserWarning, match="its first line holds numbers and no names"):
        found = TimeSeries(path="in.txt.gz", window=8).panel
    said = TimeSeries(path="in.txt.gz", window=8, sep="|", decimal=",", header="none", dayfirst=True, encoding="utf-8").panel
    for panel in (found, said):
        assert panel.series[0].values[:, 0].tolist() == LEVEL.tolist()
        assert panel.series[0].index[0] == HOURS[0]
