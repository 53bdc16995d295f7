"""`vaehub molecules optimize` from the command line to the files, with a real model."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from vaehub.cli.app import main
from vaehub_molecules.chem.properties import PROPERTIES
from vaehub_molecules.search import Constraints

LEAD = "CC(=O)Nc1ccccc1"
OWN = """
import math, os, time

def moody(smiles):
    if "N" in smiles:
        raise ValueError("no nitrogen")
    return math.nan if "F" in smiles else float(len(smiles))

def slow(smiles):
    time.sleep(0.03)
    with open("log", "a") as file:
        file.write(f"{os.getpid()} {smiles}\\n")
    return float(len(smiles))
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with objectives and leads of the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "own_objective", raising=False)
    (tmp_path / "own_objective.py").write_text(OWN)
    (tmp_path / "leads.smi").write_text(f"{LEAD}\n")
    return tmp_path


@pytest.fixture
def search(run, molecules_file, here, capsys):
    """The command with a small budget: exit code, output, and what went wrong or was warned of, without lines of progress."""

    def command(*words, out="out", budget=40):
        given = [str(run.path), "-o", out, "--budget", str(budget), "--pool", str(molecules_file), "--workers", "0", *words]
        code = main(["molecules", "optimize", *given])
        message = capsys.readouterr()
        return code, message.out, "".join(line for line in message.err.splitlines(True) if not line.endswith(" …\n"))

    return command


def trace(out="out"):
    return pd.read_csv(f"{out}/trace.csv", keep_default_na=False, na_values={"score": [""]})


def test_leads_are_improved_within_the_limits(search, here):
    limits = ["--similarity", "0.3", "--max-heavy", "12"]
    code, out, err = search("--objective", "qed", "--start", "leads.smi", *limits)
    assert (code, err) == (0, "")
    calls = trace()
    assert calls.smiles[0] == LEAD
    assert calls.smiles.is_unique
    assert len(calls) == 40
    within = Constraints(similarity=0.3, max_heavy=12).with_leads([LEAD])
    assert not any(map(within.violation, calls.smiles))
    assert {path.name for path in here.joinpath("out").iterdir()} == {
        *("trace.csv", "best.csv", "best.sdf", "hits.csv", "hits.sdf", "hits.parquet"),
        *("provenance.json", "report.html", "calls.jsonl"),
    }  # fmt: skip
    best = pd.read_csv("out/best.csv").iloc[0]
    assert best.score == pytest.approx(calls.score.max()) == pytest.approx(qed(best.smiles), abs=1e-6)
    assert out.splitlines()[0].startswith("40 calls in ")
    assert out.splitlines()[1] == f"best {best.score:.6g}: {best.smiles}"
    assert out.splitlines()[-1] == "out/report.html"
    assert best.smiles in here.joinpath("out/report.html").read_text()


def qed(smiles):
    from rdkit.Chem import MolFromSmiles

    return PROPERTIES["qed"](MolFromSmiles(smiles))


def test_an_objective_that_fails_at_times_costs_its_calls(search):
    code, out, err = search("--objective", "own_objective:moody")
    assert (code, err) == (0, "")
    calls = trace()
    nitrogen = calls.smiles.str.contains("N")
    assert set(calls.error[nitrogen]) == {"ValueError: no nitrogen"}
    assert set(calls.error[~nitrogen & calls.smiles.str.contains("F")]) <= {"gave nan"}
    assert calls.score[calls.error == ""].notna().all()
    assert calls.score[calls.error != ""].isna().all()
    assert f", {(calls.error != '').sum()} of them failed" in out


def test_several_objectives_give_a_front(search):
    code, out, err = search("--objective", "qed", "--objective", "logp")
    assert (code, err) == (0, "")
    front, calls = pd.read_csv("out/front.csv"), trace()
    assert front.qed.max() == calls.qed.max()
    assert front.logp.max() == calls.logp.max()
    assert "molecules on the front; it covers " in out
    best, page = pd.read_csv("out/best.csv"), Path("out/report.html").read_text()
    assert sorted(best.smiles[best.front == 1]) == sorted(front.smiles)
    assert f"best in all together: {best.smiles[0]} (qed {best.qed[0]:.6g}, logp {best.logp[0]:.6g})" in out
    assert all(f"highest {name}" in page for name in ("qed", "logp"))
    assert re.search(r"call \d+, by \w+, front 1", page)
    assert "AUC" not in out + page


def test_the_command_on_the_page_has_the_weights(search):
    assert search("--objective", "qed", "--objective", "logp", "--weight", "1", "--weight", "2.5", budget=10)[0] == 0
    page = Path("out/report.html").read_text()
    assert re.search("--objective qed --objective logp --weight 1 --weight 2.5 --pool [^ ]*/small.smi --budget 10 ", page)


def test_a_lead_outside_the_vocabulary_is_scored_beside_one_within(search, here):
    here.joinpath("leads.smi").write_text(f"C[Si](C)(C)C\n{LEAD}\n")
    code, _, err = search("--objective", "qed", "--start", "leads.smi", budget=12)
    assert code == 0
    assert err.splitlines() == [
        "warning: start: the model cannot read C[Si](C)(C)C: it is scored, but nothing is proposed around it"
    ]
    assert trace().smiles[:2].tolist() == ["C[Si](C)(C)C", LEAD]


@pytest.mark.parametrize(
    ("words", "lead", "line"),
    [
        (["--objective", "qed", "--scaffold", "[Se]"], LEAD, "scaffold='[Se]': "),
        (["--objective", "qed"], "C[Si](C)(C)C", "C[Si](C)(C)C"),
        (["--objective", "qed"], f"{LEAD}\nC1CC", "leads.smi: line 2: "),
        (["--objective", "qed", "--max-heavy", "0"], LEAD, "max_heavy=0: must be from 1 to 1000"),
        (["--objective", "qedd"], LEAD, "qed"),
        (["--objective", "qed", "--cond", "qed=1"], LEAD, "run: the model has no condition"),
        (["--objective", "qed", "--combine", "pareto", "--weight", "1"], LEAD, "of a Pareto front there are none"),
        (["--objective", "mw:450..200"], LEAD, "450..200: a range has a low end"),
        (["--objective", "cmd:absent {smiles_file} {out_file}"], LEAD, "there is no program 'absent'"),
        (["--objective", "qed", "--forbid", "c1cc"], LEAD, "forbid='c1cc': is no SMARTS"),
        (["--objective", "own_objective:absent"], LEAD, "'own_objective:absent' cannot be imported"),
        (["--objective", "qed", "--method", "hybird"], LEAD, "'hybird' is not one of 'hybrid'"),
        (["--objective", "qed", "--method", "gradient"], LEAD, "the model predicts logp, heavy, not qed"),
    ],
)
def test_what_cannot_be_searched_is_one_line(search, here, words, lead, line):
    here.joinpath("leads.smi").write_text(f"{lead}\n")
    code, out, err = search(*words, "--start", "leads.smi")
    assert (code, out) == (2, "")
    (message,) = err.strip().splitlines()
    assert message.startswith("error: ")
    assert line in message


def test_other_options_do_not_go_on_in_the_same_folder(search):
    assert search("--objective", "qed", budget=10)[0] == 0
    code, out, err = search("--objective", "qed", "--seed", "1", budget=10)
    assert (code, out) == (2, "")
    assert "was made with seed=0, now 1" in err
    assert len(err.strip().splitlines()) == 1


def test_a_finished_search_goes_on_with_a_larger_budget_only(search, here):
    words = ["--objective", "own_objective:slow", "--objective", "qed"]
    assert search(*words, budget=10)[0] == 0
    first = trace()
    code, out, err = search(*words, budget=16)
    assert (code, err) == (0, "")
    assert out.startswith("16 calls in ")
    called = [smiles for _, smiles in logged(here)]
    assert called == trace().smiles.tolist()
    assert called[:10] == first.smiles.tolist()
    code, out, err = search(*words, budget=12)
    assert (code, out) == (2, "")
    assert "was made with budget=16, now 12 (budget may be larger than before, not smaller)" in err


def logged(here):
    """Process and molecule of every call that was made."""
    log = here / "log"
    return [tuple(line.split()) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.slow
def test_a_killed_search_goes_on(search, run, molecules_file, here):
    words = ["--objective", "own_objective:slow", "--pool", str(molecules_file), "--budget", "60"]
    given = ["molecules", "optimize", str(run.path), "-o", "killed", "--workers", "2", *words]
    process = subprocess.Popen([sys.executable, "-m", "vaehub", *given])
    while len(logged(here)) < 15 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    gone([int(pid) for pid, _ in logged(here)])
    before = [smiles for _, smiles in logged(here)]
    assert len(before) < 60
    assert search(*words, out="killed", budget=60)[0] == 0
    every = [smiles for _, smiles in logged(here)]
    assert len(set(every)) == 60
    assert len(every) <= 66  # what two workers were at when they lost their parent, and answers that it had not read
    assert search(*words, out="whole", budget=60)[0] == 0
    assert trace("killed").drop(columns="time").equals(trace("whole").drop(columns="time"))


def left_of(mark):
    """Processes with this text among their arguments, save those that wait to be buried."""
    found = subprocess.run(["ps", "-ewwo", "stat=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in found if mark in line and not line.startswith("Z")]


def calls_in(folder):
    """Answers that a search has written down so far."""
    path = folder / "calls.jsonl"
    return path.read_text().count('"answer"') if path.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("objective", "workers"), [("qed", 0), ("own_objective:slow", 2)])
def test_a_signal_ends_a_search_that_can_go_on(search, run, molecules_file, here, number, objective, workers):
    """Also after RDKit has put its own handler of Ctrl-C in place, and with what the objective's workers started."""
    out = here / f"{number.name}-{workers}"
    words = ["--objective", objective, "--pool", str(molecules_file)]
    given = ["molecules", "optimize", str(run.path), "-o", str(out), "--workers", str(workers), *words, "--budget", "150"]
    process = subprocess.Popen([sys.executable, "-m", "vaehub", *given], stderr=subprocess.PIPE, text=True, process_group=0)
    end = time.monotonic() + 120
    while calls_in(out) < 15 and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=10)
    assert process.returncode in {signal.SIGINT: [130], signal.SIGTERM: [143, -signal.SIGTERM]}[number]
    assert "Traceback" not in err
    gone_by_mark(str(out))
    assert 15 <= calls_in(out) < 150
    assert search(*words, out=str(out), budget=150)[0] == 0
    assert calls_in(out) == len(trace(out)) == 150


def gone_by_mark(mark):
    """Wait until nothing is left that has this among its arguments."""
    end = time.monotonic() + 10
    while found := left_of(mark):
        assert time.monotonic() < end, f"still running: {found}"
        time.sleep(0.02)


def gone(processes):
    """Wait until workers whose parent was killed have ended."""
    end = time.monotonic() + 30
    while left := [process for process in set(processes) if runs(process)]:
        assert time.monotonic() < end, f"workers {left} outlive their parent"
        time.sleep(0.02)


def runs(process):
    """Whether there is such a process that is not merely waiting to be buried."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_script_needs_no_main_and_a_lambda_will_do(run, molecules_file, here):
    here.joinpath("script.py").write_text(
        f"import vaehub\nfrom vaehub_molecules import optimize\nrun = vaehub.load({str(run.path)!r})\n"
        f"found = optimize(run, lambda smiles: len(smiles), budget=12, pool={str(molecules_file)!r}, workers=2)\n"
    )
    found = runpy.run_path("script.py", run_name="__main__")["found"]
    assert found.trace.score.tolist() == [float(len(smiles)) for smiles in found.trace.smiles]
    assert len(found.trace) == 12
