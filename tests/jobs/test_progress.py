"""What is told of long work: to a terminal, a notebook and a log, each in its own way."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from types import SimpleNamespace

from vaehub.jobs import displays
from vaehub.jobs.displays import Lines, Notebook, Terminal, showing
from vaehub.jobs.progress import Display, Stage, stage


class Recorder(Display):
    """Everything that a display is told."""

    def __init__(self):
        super().__init__()
        self.seen, self.lines = [], []

    def changed(self):
        self.seen.append(self.words())

    def keep(self, line):
        self.lines.append(line)


def test_stages_are_told_in_order_and_inside_each_other():
    recorder = Recorder()
    with showing(recorder), stage("fitting"):
        with stage("reading", total=2) as bar:
            bar.update(note="fine")
        bar.keep("a line")
    assert recorder.seen == [
        "fitting",
        "fitting › reading, 0/2",
        "fitting › reading, 1/2, 0 s left, fine",
        "fitting",
        "",
    ]
    assert recorder.lines == ["a line"]


def test_nothing_is_shown_unasked(capsys):
    with stage("reading", total=2) as bar:
        bar.update()
        bar.keep("a line")
    assert capsys.readouterr() == ("", "")


def test_what_is_shown_goes_on_in_an_inner_block():
    outer, inner = Recorder(), Recorder()
    with showing(outer), showing(inner), stage("reading"):
        pass
    assert outer.seen == ["reading", ""]
    assert inner.seen == []


def test_epochs_count_from_one():
    bar = Stage("training", 3, "epoch")
    counts = []
    for done in (0, 0.4, 0.9, 1, 2.5, 3):
        bar.reach(done)
        counts.append(bar.count())
    assert counts == [f"epoch {number}/3" for number in (1, 1, 1, 2, 3, 3)]


def test_the_time_that_is_left_does_not_count_what_was_done_before(monkeypatch):
    bar = Stage("training", 10, "epoch", started=time.monotonic() - 10)
    bar.resume(6)
    assert bar.remaining() == ""
    bar.reach(8)
    assert bar.remaining() == "10 s left"
    bar.reach(11)
    assert bar.remaining() == "0 s left"


def test_a_stage_without_a_known_end_counts():
    bar = Stage("reading")
    assert bar.words() == "reading"
    bar.update(1500)
    assert bar.words() == "reading, 1,500"


def test_a_log_gets_a_line_now_and_then_and_short_stages_none(capsys):
    with showing(Lines(first=0.2, every=0.4)):
        with stage("short"):
            pass
        with stage("long", total=4) as bar:
            for _ in range(4):
                time.sleep(0.25)
                bar.update()
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert 2 <= len(lines) <= 4
    assert all(re.fullmatch(r"long, \d/4(, \d s left)? …", line) for line in lines)


def test_a_line_for_the_record_goes_to_standard_output(capsys):
    with showing(Lines()), stage("training", 2, unit="epoch") as bar:
        bar.keep("epoch 1/2")
    assert capsys.readouterr() == ("epoch 1/2\n", "")


def test_a_notebook_has_one_line_that_is_written_anew(monkeypatch):
    written = []

    def display(line, raw, display_id):
        written.append(("display", line["text/plain"]))
        return SimpleNamespace(update=lambda line, raw: written.append(("update", line["text/plain"])))

    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    assert isinstance(displays.display_for_stderr(), Notebook)
    with showing(), stage("reading", total=100) as bar:
        for _ in range(100):
            bar.update()
    assert written == [("display", "reading, 0/100"), ("update", "")]


def test_the_display_fits_where_standard_error_goes(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(displays.display_for_stderr(), Lines)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(displays.display_for_stderr(), Terminal)


SCRIPT = """
import sys, time
from vaehub.jobs.displays import showing
from vaehub.jobs.progress import stage
with showing():
    print("before")
    with stage("reading ratings", total=4) as bar:
        for _ in range(4):
            time.sleep(0.3)
            bar.update()
            print("warning: odd", file=sys.stderr)
    print("after")
"""


def in_terminal(command, environment=None):
    """Runs a command whose standard error is a terminal of 60 columns; what it wrote there, and on standard output."""
    leader, follower = pty.openpty()
    environment = os.environ | {"COLUMNS": "60", "TERM": "xterm", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, stdin=follower, env=environment, text=True)
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        seen += part
    out = process.communicate()[0]
    os.close(leader)
    return seen.decode(), out


def test_a_terminal_has_one_line_and_standard_output_is_left_alone():
    drawn, out = in_terminal([sys.executable, "-c", SCRIPT])
    assert out.splitlines() == ["before", "after"]
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    lines = [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]
    bars = [line for line in lines if "reading ratings" in line]
    assert any("3/4" in line for line in bars)
    assert sum(line == "warning: odd" for line in lines) == 4
    assert max(map(len, lines)) <= 60
