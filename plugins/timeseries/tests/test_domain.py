"""The domain of tables: windows, splits, files, state, and what it tells of a run."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import vaehub
from vaehub import Spec
from vaehub.base import Batch
from vaehub.errors import UsageError
from vaehub.evaluation.judge import judge_of_run
from vaehub.files.model_file import load_model, save_model
from vaehub.report import NARROW
from vaehub.report.style import drawn
from vaehub.testing.damage import damaged
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.domain import TimeSeries
from vaehub_timeseries.files import read_table
from vaehub_timeseries.frames import ReadOptions
from vaehub_timeseries.imputation_task import HIDDEN, ImputationTask
from vaehub_timeseries.model.em import Autocovariance
from vaehub_timeseries.splits import split, split_in_three
from vaehub_timeseries.windows import Windows

STEPS = 4
CONFIG = {
    "latent": 3,
    "encoder": {"name": "linear_gaussian", "width": 8, "layers": 1},
    "decoder": "linear_gaussian",
    "likelihood": {"name": "normal", "scale": 0.1},
    "objective": "absolute_error",
    "trainer": {"accelerator": "cpu"},
    "train": {"epochs": 2, "batch_size": 16, "monitor": "val_imputation", "score_rows": 20},
}


def table(folder, length=120, **columns):
    """Two waves, numbered by time so that every value is its own, a fifth of them missing."""
    rng = np.random.default_rng(0)
    t = np.arange(length)
    x = np.stack([np.sin(t / 5) + 0.001 * t, np.cos(t / 5) - 0.001 * t], 1)
    frame = pd.DataFrame(np.where(rng.random(x.shape) < 0.2, np.nan, 10 + 3 * x), columns=["a", "b"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=length, freq="h"))
    for name, values in columns.items():
        frame[name] = values
    frame.to_csv(folder / "series.csv", index=False)
    return folder / "series.csv"


def everything(data):
    return data[torch.arange(len(data))]


def steps_of(data):
    """All observed values of a split."""
    batch = everything(data)
    return set(batch.x[batch.mask].tolist())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domain")
    domain = {"name": "timeseries", "path": str(table(folder)), "window": STEPS}
    return vaehub.train({**CONFIG, "domain": domain}, out=folder / "run", progress=False)


@pytest.mark.parametrize("length", [1, 3, 4, 5, 9, 10])
@pytest.mark.parametrize("stride", [1, 3, 4])
def test_windows_cover_every_step_of_every_series_and_mix_none(length, stride):
    series = [torch.arange(length * 2.0).view(length, 2) + 100 * i for i in range(3)]
    data = Windows(series, STEPS, stride)
    batch = everything(data)
    assert batch.x.shape == (len(data), STEPS, 2)
    assert set(batch.x[batch.mask].tolist()) == set(torch.cat(series).flatten().tolist())
    owner = torch.where(batch.mask, batch.x // 100, -1.0)
    assert all(len(set(row[row >= 0].tolist())) == 1 for row in owner)
    if length < STEPS:
        assert not batch.mask[:, length:].any()
    steps = batch.x[..., 0]
    assert bool(((steps[:, 1:] - steps[:, :-1] == 2) | ~batch.mask[:, 1:, 0]).all())


def test_missing_cells_are_zero_and_masked():
    x = torch.randn(10, 2)
    x[3, 1] = torch.nan
    batch = everything(Windows([x], STEPS))
    assert not batch.x[~batch.mask].any()
    assert bool((~batch.mask).any())


def test_levels_shift_where_asked_alone_and_by_channel_for_half_of_the_windows():
    x = torch.zeros(2000, 2)
    x[5, 0] = torch.nan
    assert not everything(Windows([x], STEPS)).x.any()
    torch.manual_seed(0)
    data = Windows([x], STEPS, shift=0.5)
    batch = everything(data)
    assert not batch.x[~batch.mask].any()
    clean = batch.x[batch.mask.flatten(1).all(1)]
    assert bool((clean == clean[:, :1]).all())
    moved = clean[:, 0, 0] != 0
    assert 0.45 < moved.float().mean() < 0.55
    assert 0.45 < clean[moved, 0, 0].std() < 0.55
    assert bool((clean[moved, 0, 0] != clean[moved, 0, 1]).all())
    assert not torch.equal(batch.x, everything(data).x)


def test_windows_move_with_all_that_they_know():
    process = Autocovariance(torch.zeros(2), torch.zeros(STEPS, 2, 2), torch.ones(2))
    data = Windows([torch.randn(9, 2)], STEPS, 2, process=process)
    moved = data.to("cpu")
    assert torch.equal(everything(moved).x, everything(data).x)
    assert moved.facts is data.facts
    assert moved.facts.process is process


@pytest.mark.parametrize("length", [1, 2, 3, 10, 101])
def test_cuts_are_disjoint_in_order_and_whole(length):
    rows = list(range(length))
    train, val, test = split_in_three(rows, 0.1)
    assert train + val + test == rows
    assert len(val) == (max(1, round(0.1 * length)) if length >= 3 else 0)


def test_long_series_give_their_ends_and_short_ones_are_dealt_out_whole():
    long = split([np.arange(100.0)[:, None], np.arange(50.0)[:, None]], STEPS, 0.1)
    assert [len(x) for x in long["train"]] == [80, 40]
    assert [x[0, 0] for x in long["test"]] == [90.0, 45.0]
    short = split([np.full((STEPS, 1), float(i)) for i in range(10)], STEPS, 0.1)
    assert [[x[0, 0] for x in short[name]] for name in ("train", "val", "test")] == [list(map(float, range(8))), [8.0], [9.0]]


def test_splits_of_a_table_share_no_step_and_are_scaled_by_training_alone(tmp_path):
    domain = TimeSeries(path=str(table(tmp_path)), window=STEPS, shift=0.0)
    values = {name: steps_of(domain.data(name)) for name in ("train", "val", "test")}
    assert not values["train"] & values["val"]
    assert not values["train"] & values["test"]
    assert not values["val"] & values["test"]
    parts = domain.parts
    raw = read_table(tmp_path / "series.csv")[["a", "b"]].to_numpy()
    assert sum(len(x) for given in parts.values() for x in given) == len(raw)
    train = domain.codec.scaler.scale(np.concatenate(parts["train"]))
    np.testing.assert_allclose(np.nanmean(train, 0), 0, atol=1e-9)
    np.testing.assert_allclose(np.nanstd(train, 0), 1, atol=1e-9)
    np.testing.assert_allclose(np.concatenate(parts["test"]), raw[-12:])


def test_entities_do_not_mix(tmp_path):
    path = table(tmp_path, 120, who=np.repeat(["x", "y"], 60))
    frame = pd.read_csv(path)
    frame["time"] = np.tile(frame["time"][:60], 2)
    frame["a"] += np.where(frame["who"] == "y", 1000, 0)
    frame.to_csv(path, index=False)
    domain = TimeSeries(path=str(path), entity="who", window=STEPS, shift=0.0)
    batch = everything(domain.data("train"))
    high = batch.x[..., 0] > 0
    either = [set(h[m].tolist()) for h, m in zip(high, batch.mask[..., 0], strict=True) if m.any()]
    assert {len(found) for found in either} == {1}
    assert {True, False} <= set().union(*either)


def test_state_comes_back_from_json_and_reads_the_same(tmp_path):
    path = table(tmp_path)
    domain = TimeSeries(path=str(path), window=STEPS)
    spec, state = domain.codec.spec, json.loads(json.dumps(domain.codec.to_json()))
    fresh = SeriesCodec.from_json(spec, state)
    assert fresh.spec == spec
    assert fresh.to_json() == state
    one, other = everything(domain.codec.read(path)), everything(fresh.read(path))
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.mask, other.mask)


def test_what_is_written_is_read_again_in_the_users_units(tmp_path):
    domain = TimeSeries(path=str(table(tmp_path)), window=STEPS)
    x = torch.randn(3, *domain.codec.spec.shape)
    for name in ("rows.csv", "rows.parquet", "rows.csv.gz"):
        domain.codec.write(x, tmp_path / name)
        torch.testing.assert_close(everything(domain.codec.read(tmp_path / name)).x, x)
    frame = read_table(tmp_path / "rows.csv")
    assert list(frame.columns) == ["time", "a", "b"]
    assert 5 < frame["a"].mean() < 15


FORMS = {
    "entity": (lambda f: f.assign(who=np.repeat(["x", "y"], 60), time=np.tile(f["time"][:60], 2)), {"entity": "who"}),
    "date and time apart": (
        lambda f: f.assign(date=f["time"].dt.strftime("%d/%m/%Y"), clock=f["time"].dt.strftime("%H:%M:%S")).drop(columns="time"),
        {"time": "date"},
    ),
    "numbers": (lambda f: f.assign(time=np.arange(len(f)) * 0.5), {"time": "time"}),
    "places": (lambda f: f.drop(columns="time"), {}),
    "index": (lambda f: f.set_index("time").rename_axis(None), {}),
    "category": (lambda f: f.assign(sky=np.tile(["clear", "cloud", "rain"], 40)), {}),
    "long": (lambda f: f.melt("time"), {}),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_table_is_written_as_it_was_read(tmp_path, name):
    change, options = FORMS[name]
    path = table(tmp_path)
    frame = change(pd.read_csv(path, parse_dates=["time"]))
    frame.to_csv(path, index=name == "index")
    domain = TimeSeries(path=str(path), window=STEPS, **options)
    x = everything(domain.data("test")).x[:2]
    if name == "category":
        scaled = domain.codec.scaler.scale(domain.parts["train"][0][:8])
        x[..., 2:] = torch.from_numpy(scaled)[:, 2:].reshape(2, 4, 3)  # one of them holds
    domain.codec.write(x, tmp_path / "back.csv")
    torch.testing.assert_close(everything(domain.codec.read(tmp_path / "back.csv")).x, x, atol=1e-4, rtol=1e-4)


def test_errors_say_what_to_do(run, tmp_path):
    with pytest.raises(UsageError, match=r"domain\.path"):
        _ = TimeSeries().codec
    domain = TimeSeries(path=str(table(tmp_path)), window=STEPS)
    with pytest.raises(UsageError, match=r"gone\.csv"):
        domain.codec.read(tmp_path / "gone.csv")
    held = SeriesCodec(domain.codec.spec, ReadOptions())
    with pytest.raises(UsageError, match="arrays"):
        held.read(tmp_path / "series.csv")
    with pytest.raises(UsageError, match="arrays"):
        held.write(torch.zeros(1, STEPS, 2), tmp_path / "out.csv")


def test_series_in_memory_are_windows_without_a_table():
    process = Autocovariance(torch.zeros(2), torch.zeros(3, 2, 2), torch.ones(2))
    windows = TimeSeries(shift=0.0).windows([np.full((9, 2), 1.0)], 3, training=True, process=process)
    assert everything(windows).x.unique().tolist() == [1.0]
    assert windows.facts.process is process
    assert SeriesCodec(Spec((3, 2)), ReadOptions()).to_json()["schema"] is None


def test_a_trial_hides_observed_cells_always_the_same_ones():
    x = torch.randn(60, STEPS, 2)
    mask = torch.rand(60, STEPS, 2) < 0.8
    task, again, other = (ImputationTask.of(Batch(x, None, mask), key) for key in ("val", "val", "test"))
    assert torch.equal(task.hidden, again.hidden)
    assert not torch.equal(task.hidden, other.hidden)
    assert not (task.hidden & ~mask).any()
    assert abs(task.hidden.sum() / mask.sum() - HIDDEN) < 0.05
    assert not (task.given.mask & task.hidden).any()
    assert not task.given.x[task.hidden].any()


def test_the_linear_error_is_that_of_straight_lines():
    line = torch.arange(5.0).view(1, 5, 1).repeat(40, 1, 1)
    truth = line.clone()
    truth[:, 2] += 1.0
    hidden = torch.zeros_like(line, dtype=torch.bool)
    hidden[:, 2] = True
    task = ImputationTask(Batch(torch.where(hidden, 0.0, truth), None, ~hidden), truth, hidden)
    assert task.mean_error(task.linear_estimates()) == pytest.approx(1.0, abs=1e-6)


def test_the_error_of_a_mean_takes_windows_for_independent_and_not_their_cells():
    """Each of 100 windows has 4 hidden cells with the same error: as sure as of 100 cells."""
    errors = torch.randn(100, 1, 1).abs()
    hidden = torch.ones(100, 4, 1, dtype=torch.bool)
    truth = torch.cat([torch.zeros(100, 4, 1), torch.full((100, 1, 1), torch.nan)], 1)  # a cell that was never observed
    hidden, errors = torch.cat([hidden, torch.zeros(100, 1, 1, dtype=torch.bool)], 1), errors.repeat(1, 5, 1)
    task = ImputationTask(Batch(truth, None, ~hidden), truth, hidden)
    assert task.standard_error(errors) == pytest.approx(float(errors[:, 0].std()) / 10, rel=1e-4)
    assert np.isnan(ImputationTask(task.given, truth, hidden & False).standard_error(errors))


def test_a_run_is_judged_by_hidden_cells_and_shown(run):
    metrics, judge = judge_of_run(run).metrics(run, "test"), judge_of_run(run)
    assert set(metrics) == {"imputation_mae", "linear_mae", "imputation_mae_se", "linear_mae_se"}
    assert set(judge.headline) <= set(metrics)
    assert all(0 < metrics[name] < 5 for name in judge.headline)
    val = run.data("val")
    assert judge_of_run(run).validate(run.vae, val) == judge_of_run(run).validate(run.vae, val)
    assert judge_of_run(run).validate(run.vae, val)["imputation"] < 0
    assert not run.vae.training
    (section,) = judge.sections(run)
    (figure,) = (drawn(figure.draw, NARROW) for figure in section.figures())
    titles = {axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()}
    assert titles <= {"a", "b"}
    assert titles


def test_validation_leaves_a_model_in_training_as_it_was(run):
    run.vae.train()
    judge_of_run(run).validate(run.vae, run.data("val"))
    assert run.vae.training
    run.vae.eval()


def test_the_decoder_knows_the_process_of_the_training_series(run):
    decoder = run.vae.decoder
    assert decoder.gamma[0].diagonal().tolist() == pytest.approx([1.0, 1.0], abs=0.3)
    assert bool((decoder.spread > 0).all())
    loaded = vaehub.load(run.path)
    assert torch.equal(loaded.vae.decoder.factor, decoder.factor)


def test_a_saved_run_reads_tables_without_its_training_data(run, tmp_path):
    loaded = vaehub.load(run.path)
    path = table(tmp_path)
    rows = loaded.codec.read(path)
    assert np.isfinite(loaded.reconstruct(rows)).all()
    scores = loaded.score(rows)
    assert scores["percentile"].between(0, 100).all()


def test_arrays_are_in_scaled_units_and_nan_is_a_gap():
    given = np.array([[[1.0], [np.nan]]])
    codec = SeriesCodec(Spec((2, 1)), ReadOptions())
    batch = codec.convert(given)[torch.tensor([0])].without_hidden()
    assert batch.x.tolist() == [[[1.0], [0.0]]]
    assert batch.mask.tolist() == [[[True], [False]]]
    with pytest.raises(UsageError, match="got list"):
        codec.convert([1.0])


@pytest.mark.slow
def test_every_json_type_at_every_place_of_the_header_is_one_line_or_a_model(run, tmp_path):
    weights, header = load_model(run.path / "model.safetensors")
    complaints = []
    for _, other in damaged(header["codec"]):
        save_model(tmp_path / "m", weights, header | {"codec": other})
        try:
            vaehub.load(tmp_path / "m")
        except UsageError as error:
            complaints.append(str(error))
    assert len(complaints) > 100
    assert [text for text in complaints if "\n" in text or not text.startswith(str(tmp_path / "m"))] == []
