"""An imputer around a run of `vaehub train`, from the library and from the command line."""

import numpy as np
import pandas as pd
import pytest

import vaehub
from vaehub.cli.app import main
from vaehub.errors import UsageError
from vaehub_timeseries import Imputer
from vaehub_timeseries.impute import saved

ROWS = 240
TRAIN = {"epochs": 1, "batch_size": 32, "seed": 0, "score_rows": 0}
PARTS = {
    "linear": {"encoder": {"name": "linear_gaussian", "width": 8, "layers": 1}, "decoder": "linear_gaussian"},
    "other": {"encoder": {"name": "masked_series", "width": 16}, "decoder": {"name": "series", "width": 16}},
}


def whole():
    t = np.arange(ROWS)
    wave = np.stack([20 + 5 * np.sin(t / 3), 3 * np.cos(t / 3)], 1) + 0.2 * np.random.default_rng(0).standard_normal((ROWS, 2))
    stamps = pd.date_range("2024-01-01", periods=ROWS, freq="h").strftime("%Y-%m-%d %H:%M")
    return pd.DataFrame({"when": stamps, "a": wave[:, 0], "b": wave[:, 1]})


def holed():
    frame = whole()
    hidden = np.random.default_rng(1).random((ROWS, 2)) < 0.2
    frame[["a", "b"]] = frame[["a", "b"]].mask(hidden)
    frame.loc[frame["b"].isna(), "b"] = -900.0
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, and a run of each kind of model on it."""
    path = tmp_path_factory.mktemp("runs")
    holed().to_csv(path / "in.csv", index=False)
    domain = {"name": "timeseries", "path": str(path / "in.csv"), "window": 12, "time": "when", "missing_values": [-900]}
    for name, parts in PARTS.items():
        vaehub.train(
            {"domain": domain, "latent": 8, "likelihood": "normal", **parts, "train": TRAIN}, out=path / name, progress=False
        )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_a_run_imputes_and_is_judged_on_the_table_at_hand(folder, name, tmp_path):
    imputer, frame, truth = Imputer.load(folder / name), holed(), whole()
    out = imputer.transform(frame)
    hidden = {"a": frame["a"].isna(), "b": frame["b"] == -900}
    for column, gaps in hidden.items():
        assert out[column][~gaps].equals(frame[column][~gaps])
        linear = frame[column].mask(gaps).interpolate(limit_direction="both")
        assert (out[column] - truth[column])[gaps].abs().mean() <= 1.25 * (linear - truth[column])[gaps].abs().mean()
    q = imputer.quantiles(frame, [0.05, 0.95])["a"]
    assert 0.75 < ((q[0.05] <= truth["a"]) & (truth["a"] <= q[0.95]))[hidden["a"]].mean() <= 1
    assert imputer.generate(3).shape == (36, 2)
    assert imputer.generate(1, 30)["a"].mean() == pytest.approx(20, abs=8)
    imputer.save(tmp_path / "saved")
    pd.testing.assert_frame_equal(Imputer.load(tmp_path / "saved").transform(frame), out, check_exact=True)


def test_the_closed_form_is_there_where_the_decoder_holds_a_process(folder):
    names = {name: [expert.name for expert in Imputer.load(folder / name).fitted_.experts] for name in PARTS}
    assert names == {"linear": ["linear", "gaussian", "adapted", "vae"], "other": ["linear", "vae"]}
    frame, truth = holed(), whole()
    error = (Imputer.load(folder / "linear").transform(frame)["a"] - truth["a"])[frame["a"].isna()].abs().mean()
    line = (frame["a"].interpolate(limit_direction="both") - truth["a"])[frame["a"].isna()].abs().mean()
    assert error < 0.8 * line


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_the_command_takes_a_run(folder, name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--samples", "2", "--quantiles", "0.1,0.9", "--report", "--model", str(folder / name)]
    assert main(["timeseries", "impute", str(folder / "in.csv"), "-o", "out.csv", *words]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.splitlines()[-4:] == ["out.csv", "out.quantiles.csv", "out.samples.csv", "out.report.html"]
    filled = pd.read_csv("out.csv")
    assert filled["when"].equals(holed()["when"])
    assert filled["a"].notna().all()
    assert filled["b"].min() > -50


def test_what_is_no_run_of_series(folder, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="no such folder"):
        Imputer.load(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no model file here"):
        Imputer.load(tmp_path)
    run = vaehub.load(folder / "linear")
    run.codec.schema = None
    run.save(tmp_path / "model.safetensors")
    with pytest.raises(UsageError, match="trained on arrays"):
        Imputer.load(tmp_path)
    run.codec = None
    monkeypatch.setattr(saved, "load_run", lambda path: run)
    with pytest.raises(UsageError, match="with domain timeseries"):
        Imputer.load(tmp_path)
