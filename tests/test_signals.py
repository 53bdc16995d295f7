"""Ctrl-C and SIGTERM, sent to real processes at every stage of a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
import yaml

import vaehub
from vaehub.files.model_file import load_model
from vaehub.host.registry import registry, use_file
from vaehub.signals import Interrupted, listening, raise_if_requested, rearm, requested, shielded

HERE = Path(__file__).parent
NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


@pytest.fixture
def here(small, tmp_path, monkeypatch):
    """A folder with a config, in which commands run."""
    if "domain/stalling" not in registry().components:
        use_file(HERE / "stalling.py")
    monkeypatch.chdir(tmp_path)
    config = small(domain="stalling", train={"epochs": 4, "batch_size": 64, "score_rows": 0})
    Path("config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def command(*words, **environment):
    """A command of vaehub as a process of its own."""
    code = [sys.executable, "-m", "vaehub", "--plugin", str(HERE / "stalling.py"), *map(str, words)]
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"} | environment
    return subprocess.Popen(code, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait(process, reached):
    """Wait until the process has come to a place."""
    for _ in range(6000):
        if reached():
            return
        if process.poll() is not None:
            raise AssertionError(process.communicate())
        time.sleep(0.01)
    raise AssertionError("it never came to that place")


def stop(process, number, reached=lambda: Path("stalled").exists()):
    """Send a signal at that place; what the process said of it, on the last line of stderr."""
    wait(process, reached)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    *progress, last = errors.strip().splitlines()
    assert not [line for line in progress if not line.endswith("…")], errors  # "starting …", and no traceback
    assert last.startswith(f"stopped by {NAMES[number]}")
    return last


def finish(process):
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_python_still_imports(here, number):
    process = command("train", "config.yaml", "--out", "run")
    stop(process, number, lambda: "libtorch" in Path(f"/proc/{process.pid}/maps").read_text())
    assert sorted(os.listdir()) == ["config.yaml"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_before_training_a_run_leaves_nothing(here, number):
    line = stop(command("train", "config.yaml", "--out", "runs/a", STALL="data"), number)
    assert line.endswith("before training began; runs/a is as it was")
    assert sorted(os.listdir()) == ["config.yaml", "stalled"]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "epoch"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 3), (signal.SIGTERM, 3)])
def test_stopped_in_training_and_resumed_a_run_ends_with_the_same_bits(here, number, epoch, capsys):
    vaehub.train("config.yaml", out="whole", progress=False)
    line = stop(command("train", "config.yaml", "--out", "run", STALL="validate", NUMBER=str(epoch)), number)
    assert "run keeps " in line
    assert line.endswith(": go on with the same command and --resume")
    there = {path.name for path in Path("run").iterdir()}
    assert "last.safetensors" in there
    assert ("model.safetensors" in there) == ("resume" in there) == (epoch > 1)
    assert load_model(Path("run/last.safetensors"))[0]
    vaehub.train("config.yaml", out="run", resume=True)
    assert ("epoch 1/4" in capsys.readouterr().out) == (epoch == 1)
    for name in ("model.safetensors", "last.safetensors"):
        whole, resumed = (load_model(Path(folder) / name)[0] for folder in ("whole", "run"))
        assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert len(Path("run/metrics.csv").read_text().splitlines()) == 5


@pytest.mark.slow
def test_ctrl_c_works_though_a_library_put_its_own_handler_below_pythons(here):
    config = yaml.safe_load(Path("config.yaml").read_text()) | {"train": {"epochs": 100000, "score_rows": 0}}
    Path("config.yaml").write_text(yaml.safe_dump(config))
    process = command("train", "config.yaml", "--out", "run", DEAFEN="1", STALL="validate", NUMBER="3", SECONDS="0")
    wait(process, lambda: Path("stalled").exists())
    for _ in range(100):  # those that come while the library's handler stands are lost
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        if process.poll() is not None:
            break
    assert "the state to resume from: go on" in process.communicate(timeout=60)[1]
    assert process.returncode in (130, -signal.SIGINT)  # the latter where one more came after all was done


@pytest.mark.slow
def test_other_commands_stop_in_one_line_and_leave_no_half_output(here):
    line = stop(command("train", "config.yaml", "--out", "run", STALL="sections"), signal.SIGTERM)
    assert line.endswith("run holds the whole run: draw its report with vaehub report run")
    Path("samples.npy").write_text("precious")
    for words, place in (
        (("sample", "run", "-o", "samples.npy"), "write"),
        (("evaluate", "run"), "metrics"),
        (("report", "run"), "sections"),
    ):
        Path("stalled").unlink()
        before = {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file()}
        assert stop(command(*words, STALL=place), signal.SIGINT) == "stopped by Ctrl-C"
        after = {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file() and path.name != "stalled"}
        assert after == before
    assert Path("samples.npy").read_text() == "precious"


@pytest.mark.slow
def test_what_a_killed_process_was_writing_is_removed_by_the_next_write(here):
    finish(command("train", "config.yaml", "train.epochs=1", "--out", "run"))
    process = command("sample", "run", "-o", "samples.npy", STALL="write")
    wait(process, lambda: Path("stalled").exists())
    finish(command("sample", "run", "-o", "other.npy"))
    (left,) = Path().glob(".samples.npy.????????.part")
    process.kill()
    process.communicate()
    finish(command("sample", "run", "-o", "samples.npy"))
    assert not left.exists()
    assert Path("samples.npy").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_python_training_raises_a_keyboard_interrupt_and_restores_the_handlers(small, tmp_path, monkeypatch, number):
    """Lightning would call sys.exit and leave Ctrl-C ignored: a notebook's stop button would be dead afterwards."""
    from vaehub.training.module import Training

    before = [signal.getsignal(one) for one in NAMES]
    step = Training.training_step

    def stopped(self, index, batch):
        if self.current_epoch == 1:
            os.kill(os.getpid(), number)
        return step(self, index, batch)

    monkeypatch.setattr(Training, "training_step", stopped)
    with pytest.raises(KeyboardInterrupt, match="go on with the same command and --resume") as caught:
        vaehub.train(small(), out=tmp_path / "run", progress=False)
    assert isinstance(caught.value, Interrupted)
    assert caught.value.exit_code == 128 + number
    assert [signal.getsignal(one) for one in NAMES] == before
    assert {"model.safetensors", "last.safetensors", "resume"} <= set(os.listdir(tmp_path / "run"))
    monkeypatch.undo()
    assert vaehub.train(small(), out=tmp_path / "run", resume=True, progress=False).sample(1).shape == (1, 1, 8, 8)


def test_an_error_that_a_signal_became_on_its_way_is_still_a_stop(small, tmp_path, monkeypatch):
    from vaehub.training.callbacks import History

    def swallowing(self, trainer, module):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException as error:
            raise RuntimeError("cannot join thread before it is started") from error

    monkeypatch.setattr(History, "on_train_epoch_end", swallowing)
    with pytest.raises(Interrupted, match="stopped by Ctrl-C"):
        vaehub.train(small(), out=tmp_path / "run", progress=False)


def test_a_signal_that_was_swallowed_is_found_at_the_next_check():
    with listening():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException:
            assert requested() == signal.SIGTERM
        with pytest.raises(Interrupted, match="stopped by SIGTERM"):
            raise_if_requested()
    raise_if_requested()
    with listening():
        raise_if_requested()


def test_a_signal_waits_for_the_end_of_a_shield():
    done = []

    def write():
        with shielded():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)

    with listening(), pytest.raises(Interrupted):
        write()
    assert done == [1]


def test_signals_that_are_ignored_or_handled_otherwise_stay_so():
    got = []
    previous = signal.signal(signal.SIGTERM, lambda *_: got.append(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with listening():
            rearm()
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
        assert got == [1]
    finally:
        signal.signal(signal.SIGTERM, previous)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_thread_listens_to_nothing():
    errors = []

    def run():
        try:
            with listening():
                rearm()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert errors == []


def test_a_forked_child_dies_of_the_signal_as_if_nobody_listened():
    ready, says = os.pipe()
    with listening():
        child = os.fork()
        if not child:
            os.write(says, b"!")
            time.sleep(30)
            os._exit(0)
        os.read(ready, 1)
        os.kill(child, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    os.close(ready)
    os.close(says)


def test_ctrl_c_reaches_python_whatever_a_library_does_below_it():
    """In a process whose other threads are its own, as a test runner's are not."""
    file = HERE / "interrupts_alone.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout
