"""What the commands share: options, names of files, tables with their keys, warnings."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

from vaehub.cli.session import session
from vaehub.errors import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.commands.anomalies import most_surprising
from vaehub_timeseries.commands.settings import OF_FILES, Settings, with_settings
from vaehub_timeseries.commands.tables import parse_levels, sibling, stacked, with_keys
from vaehub_timeseries.frames import ReadOptions, to_panel


def test_names_beside_the_output(tmp_path):
    assert sibling(tmp_path / "a.b.csv.gz", "quantiles") == tmp_path / "a.b.quantiles.csv.gz"
    assert sibling(tmp_path / "out.parquet", "report", ".html") == tmp_path / "out.report.html"


def test_levels():
    assert parse_levels("0.05, 0.5") == [0.05, 0.5]
    for wrong in ("", "0", "1", "nan", "a"):
        with pytest.raises(UsageError, match="between 0 and 1"):
            parse_levels(wrong)


def test_settings_are_options_of_every_command():
    seen = {}

    def command(name: str, *, settings: Settings) -> None:
        seen.update(name=name, settings=settings)

    wrapped = with_settings(command)
    assert next(iter(inspect.signature(wrapped).parameters)) == "name"
    assert "settings" not in inspect.signature(wrapped).parameters
    wrapped(name="x", missing_values="-200, NA", columns="a,b", causal=True)
    settings = seen["settings"]
    assert settings.options() == {"missing_values": (-200, "NA"), "columns": ["a", "b"], "causal": True}
    assert (
        settings.as_flags == "--columns=a,b '--missing-values=-200, NA' --causal"
        or settings.as_flags == "--columns=a,b --missing-values='-200, NA' --causal"
    )


@pytest.mark.parametrize(("text", "season"), [("24", [24]), ("D, W", ["D", "W"]), ("none", False)])
def test_periods_of_rhythms_on_the_command_line(text, season):
    assert Settings(season=text).options() == {"season": season}


def test_settings_are_options_of_the_imputer():
    assert set(inspect.signature(Imputer).parameters) >= set(inspect.signature(Settings).parameters) - {"model", *OF_FILES}


def test_samples_below_one_another():
    frame = pd.DataFrame({"x": [1, 2]})
    assert stacked([frame, frame]).to_dict("list") == {"sample": [1, 1, 2, 2], "x": [1, 2, 1, 2]}
    assert list(frame) == ["x"]
    named = stacked([frame.set_axis(["a", "b"], axis=0)] * 2)
    assert named.index.tolist() == ["a", "b", "a", "b"]


def test_numbers_behind_their_keys():
    frame = pd.DataFrame({"x": [1.0, 2.0], "when": pd.date_range("2024", periods=2), "y": [0.0, 1.0]})
    numbers = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=pd.MultiIndex.from_product([["x"], [0.05, 0.5]]))
    assert list(with_keys(to_panel(frame, ReadOptions()).keys(), numbers)) == ["when", "x 0.05", "x 0.5"]


def test_the_most_surprising_cells_come_first_and_unscored_ones_never():
    frame = pd.DataFrame({"when": ["2024-01-01", "2024-01-02", "2024-01-03"], "x": [5.0, 6.0, np.nan], "y": [1.0, 2.0, 3.0]})
    scores = pd.DataFrame({"x": [0.5, 9.0, np.nan], "y": [3.0, np.nan, np.nan]})
    found = most_surprising(to_panel(frame, ReadOptions()), scores, 10)
    assert found == [
        ["1", "2024-01-02", "x", "6.0", "9.0"],
        ["0", "2024-01-01", "y", "1.0", "3.0"],
        ["0", "2024-01-01", "x", "5.0", "0.5"],
    ]


def test_only_warnings_for_the_user_are_told(capsys):
    with session() as running:
        for _ in range(2):
            warnings.warn("a: odd", UserWarning, stacklevel=1)
        with pytest.raises(DeprecationWarning):
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert running.notes == ["a: odd"]
    assert capsys.readouterr().err == "warning: a: odd\n"
