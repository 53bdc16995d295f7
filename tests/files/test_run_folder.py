"""Whose a run folder is: nothing of anybody else's is deleted, one process trains in it, a run that never started leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import vaehub
from vaehub.cli.app import main
from vaehub.config.build import build_domain
from vaehub.config.load import load_config
from vaehub.errors import UsageError
from vaehub.files.run_folder import LOCK, MARKER, OLD, held
from vaehub.training.module import Training

RUN = {"config.yaml", "model.safetensors", "last.safetensors", "metrics.csv", "resume", MARKER, LOCK}


@pytest.fixture
def train(small, tmp_path, monkeypatch):
    """Train for one epoch, without a word, in a fresh working directory."""
    monkeypatch.chdir(tmp_path)

    def train(out="run", *, rows=None, resume=False, force=False, config=None, **changes):
        given = config or small(train={"epochs": 1, "score_rows": 0}, **changes)
        return vaehub.train(given, out=out, resume=resume, force=force, domain=rows, progress=False)

    return train


def tree(folder="."):
    """Everything below a folder, with its content."""
    found = sorted(Path(folder).rglob("*"))
    return {str(p): p.read_bytes() if p.is_file() else None for p in found if p.name != LOCK}


def test_force_replaces_the_run_and_leaves_what_is_not_of_it(train):
    train()
    for name in (
        "thesis.tex",
        ".download.part",
        ".model.safetensors.part",
        "data/x.csv",
        "data/.big.iso.part",
        "sub/config.yaml",
    ):
        path = Path("run", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("years of work")
    before = tree("run")
    train(force=True, latent=3)
    after = tree("run")
    mine = {path for path, content in after.items() if content == b"years of work"}
    assert len(mine) == 6
    assert before["run/model.safetensors"] != after["run/model.safetensors"]
    assert before.keys() == after.keys()
    assert {p.name for p in Path("run").iterdir()} >= RUN


def test_a_users_own_config_is_no_run(train):
    """The first loss of all: --out . --force in the folder of a config deleted that folder."""
    Path("config.yaml").write_text("domain: toy")
    Path("thesis.tex").write_text("years of work")
    before = tree()
    for options in ({}, {"force": True}, {"resume": True}):
        with pytest.raises(UsageError, match=r"config.yaml: is not of a run of vaehub and would be overwritten; choose another"):
            train(".", **options)
        assert tree() == before


@pytest.mark.parametrize("name", ["metrics.csv", "report.html", "figures", "resume", "model.safetensors"])
def test_a_file_of_the_user_with_the_name_of_ours_is_kept(train, name):
    Path("out").mkdir()
    Path("out", name).write_text("mine")
    with pytest.raises(UsageError, match=f"out/{name}: is not of a run of vaehub"):
        train("out", force=True)
    assert tree("out") == {f"out/{name}": b"mine"}


def test_a_fresh_run_goes_into_a_folder_with_other_files(train):
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    train("out")
    assert Path("out/notes.txt").read_text() == "mine"


def test_force_refuses_foreign_files_inside_folders_of_ours_and_links(train):
    train()
    Path("run/figures").mkdir()
    for path in ("run/figures/thesis.pdf", "run/resume/notes.txt"):
        Path(path).write_text("mine")
        with pytest.raises(UsageError, match=f"{path}: is not vaehub's and would be deleted; move it"):
            train(force=True)
        Path(path).unlink()
    Path("precious").mkdir()
    Path("precious/a.png").write_text("mine")
    Path("run/figures").rmdir()
    Path("run/figures").symlink_to("../precious")
    with pytest.raises(UsageError, match="run/figures: is not what vaehub writes there"):
        train(force=True)
    Path("run/figures").unlink()
    Path("link").symlink_to("run")
    with pytest.raises(UsageError, match="link: is a symbolic link, which --force does not follow"):
        train("link", force=True)
    assert Path("precious/a.png").read_text() == "mine"


def test_force_refuses_the_folder_of_the_config_the_data_and_the_working_directory(train, small, monkeypatch, capsys):
    train()
    Path("run/mine.yaml").write_text(yaml.safe_dump(small()))
    with pytest.raises(UsageError, match=r"run: holds the config \(run/mine.yaml\), so no run in it is replaced"):
        train(force=True, config="run/mine.yaml")
    with pytest.raises(UsageError, match=r"run: holds the config \(run/config.yaml\)"):
        train(force=True, config="run/config.yaml")
    assert main(["train", "run/config.yaml", "--out", "run", "--force"]) == 2
    assert "run: holds the config (run/config.yaml)" in capsys.readouterr().err
    monkeypatch.chdir("run")
    with pytest.raises(UsageError, match=r"holds the working directory"):
        train("../run", force=True)
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    with pytest.raises(UsageError, match=r"holds the working directory"):
        train("..", force=True)


def test_force_refuses_the_folder_of_the_data(tmp_path):
    folder = tmp_path / "run"
    with held(folder, resume=False, force=False, needed=()) as hold:
        hold.make_way()
        hold.start(b"", lambda folder: None)
    (folder / "model.safetensors").touch()
    (folder / "data.csv").touch()
    with pytest.raises(UsageError, match="holds the data"), held(folder, False, True, [("the data", folder / "data.csv")]):
        pass


def test_a_run_of_an_earlier_version_can_be_resumed_and_is_not_replaced(train):
    train()
    Path("run", MARKER).unlink()
    before = tree("run")
    with pytest.raises(UsageError, match="without vaehub's mark"):
        train(force=True)
    assert tree("run") == before
    assert vaehub.load("run").sample(1).shape == (1, 1, 8, 8)
    train(resume=True)


def test_a_run_that_never_started_leaves_nothing(train):
    for options in ({"trainer": {"accelerator": "gpu"}}, {"domain": {"name": "toy", "poison": True}}):
        with pytest.raises(UsageError):
            train("runs/deep/a", **options)
        assert not Path("runs").exists()
    train("runs/deep/a")


def test_a_replacement_that_never_started_leaves_the_earlier_run(train, small, monkeypatch):
    train()
    before = tree("run")
    with pytest.raises(UsageError, match="trainer: "):
        train(force=True, trainer={"accelerator": "gpu"})
    assert tree("run") == before
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r"vaehub\[mlflow\]"):
        train(force=True, config=small(train={"logger": "mlflow"}))
    assert tree("run") == before


def test_an_earlier_run_comes_back_after_a_kill_before_its_successor_started(train):
    train()
    before = tree("run")
    Path("run", OLD).mkdir()
    for name in ("model.safetensors", "resume", MARKER):
        os.rename(Path("run", name), Path("run", OLD, name))
    with pytest.raises(UsageError, match="already holds a run"):
        train()
    assert tree("run") == before


HOLDER = """
import sys
from pathlib import Path
from vaehub.files.run_folder import held
with held(Path(sys.argv[1]), False, False, ()):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_trains_in_a_folder_and_its_death_frees_it(train):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDER, "run"], env=environment, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(
            UsageError, match=f"run: process {process.pid} trains here; wait for its end, or choose another --out"
        ):
            train()
        process.kill()
    train()


def test_what_a_domain_records_belongs_to_the_run(train, small):
    domain = build_domain(load_config(small()))
    domain.record = lambda folder: (folder / "rejected.csv").write_text("row,why")
    train(rows=domain)
    assert json.loads(Path("run", MARKER).read_text())["written"] == ["rejected.csv"]
    train(rows=domain, resume=True)
    train(force=True)
    assert not Path("run/rejected.csv").exists()


def test_what_a_domain_records_does_not_replace_a_file_of_the_user(train, small):
    domain = build_domain(load_config(small()))
    domain.record = lambda folder: (folder / "rejected.csv").write_text("row,why")
    Path("run").mkdir()
    Path("run/rejected.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"run/rejected\.csv: is not of a run of vaehub"):
        train(rows=domain)
    assert tree("run") == {"run/rejected.csv": b"mine"}


def test_samples_that_are_written_to_the_run_folder_unasked_belong_to_it(train, capsys):
    train()
    assert main(["sample", "run", "-n", "2"]) == 0
    assert np.load("run/samples.npy").shape == (2, 1, 8, 8)
    train(force=True)
    assert not Path("run/samples.npy").exists()


def test_a_marker_cannot_name_what_lies_elsewhere(train):
    train()
    Path("precious").mkdir()
    Path("precious/a").write_text("mine")
    Path("run", MARKER).write_text(json.dumps({"run": "1", "written": ["../precious", "/etc/passwd", ".vaehub-lock", ".."]}))
    train(force=True)
    assert Path("precious/a").read_text() == "mine"
    Path("run", MARKER).write_text("{")
    train(force=True)


def damaged(path, change):
    state = torch.load(path, weights_only=True)
    changed = change(state)
    torch.save(state if changed is None else changed, path)


def drop(*keys):
    def change(state):
        for key in keys[:-1]:
            state = state[key]
        del state[keys[-1]]

    return change


def put(value, *keys):
    def change(state):
        for key in keys[:-1]:
            state = state[key]
        state[keys[-1]] = value

    return change


def nan_moment(state):
    state["optimizer_states"][0]["state"][0]["exp_avg"] *= float("nan")


def nan_weight(state):
    next(iter(state["state_dict"].values())).fill_(float("nan"))


def cut_weight(state):
    name = next(iter(state["state_dict"]))
    state["state_dict"][name] = state["state_dict"][name][:1]


DAMAGE = [
    lambda state: {},
    lambda state: [1, 2],
    lambda state: 7,
    put([], "optimizer_states"),
    put({}, "optimizer_states", 0, "state"),
    put(torch.zeros(3), "optimizer_states", 0, "state", 0, "exp_avg"),
    nan_moment,
    nan_weight,
    cut_weight,
    drop("loops"),
    drop("callbacks"),
    drop("lr_schedulers"),
    put([], "callbacks", "History", "rows"),
    put(-5, "epoch"),
    put(10**6, "epoch"),
    put(0, "global_step"),
    put("two", "global_step"),
    put("no version at all", "pytorch-lightning_version"),
    drop("pytorch-lightning_version"),
    put(torch.zeros(2), "state_dict", "another"),
]


@pytest.mark.parametrize("change", DAMAGE)
def test_a_damaged_resume_state_is_one_line(train, change):
    train()
    damaged("run/resume/last.ckpt", change)
    before = tree("run")
    with pytest.raises(
        UsageError, match=r"run/resume/last.ckpt: cannot resume from it \(.*\); start again with --force$"
    ) as error:
        train(resume=True)
    assert "\n" not in str(error.value)
    assert tree("run") == before


def test_a_resume_state_that_is_no_file_at_all(train):
    train()
    Path("run/resume/last.ckpt").write_bytes(b"\x80\x04nonsense")
    with pytest.raises(UsageError, match="cannot resume"):
        train(resume=True)
    Path("run/resume/last.ckpt").unlink()
    Path("run/resume").rmdir()
    Path("run/resume").write_text("a file")
    with pytest.raises(UsageError, match="run/resume"):
        train(resume=True)


def test_a_finished_run_goes_on_when_its_epochs_are_raised(small, tmp_path, capsys):
    """The rate follows the schedule of the new length from its first step on, not the zero that the shorter one ended with."""
    config = small(train={"epochs": 2, "batch_size": 64})
    vaehub.train(config, out=tmp_path / "run", progress=False)
    rates = []
    step = Training.training_step

    def spied(self, index, number):
        rates.append((self.global_step, self.trainer.optimizers[0].param_groups[0]["lr"]))
        return step(self, index, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "training_step", spied)
        vaehub.train(config, ["train.epochs=4"], tmp_path / "run", resume=True)
    assert "train.epochs is raised from 2 to 4: the learning rate follows the schedule of 4 epochs" in capsys.readouterr().out
    assert [number for number, _ in rates] == list(range(14, 28))
    expected = [1e-3 * 0.5 * (1 + np.cos(np.pi * number / 28)) for number, _ in rates]
    np.testing.assert_allclose([rate for _, rate in rates], expected, rtol=1e-9)
    assert len((tmp_path / "run/metrics.csv").read_text().splitlines()) == 5
    assert vaehub.load(tmp_path / "run").config.train.epochs == 4
    with pytest.raises(UsageError, match=r"other options \(train.epochs=4 then and 3 now\)"):
        vaehub.train(config, ["train.epochs=3"], tmp_path / "run", resume=True)
