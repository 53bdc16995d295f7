"""Objectives that take many molecules at once: functions and external programs, which are stopped, tried again, and never counted twice."""

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit.Chem import MolFromSmiles

from vaehub.errors import UsageError
from vaehub_molecules.oracles import batch, load_objective
from vaehub_molecules.oracles.transforms import Window
from vaehub_molecules.search import Constraints, optimize, rounds
from vaehub_molecules.search.calls import Calls
from vaehub_molecules.search.evolve import Evolve
from vaehub_molecules.search.goal import goal_of

MOLECULES = ["C", "CC", "CCC", "CCCC", "CCCCC"]
DOCK = """#!/bin/sh
# writes minus the number of characters of each SMILES, for names in the opposite order
sed -n '1!G;h;$p' "$1" | while read -r smiles name; do echo "$name -${#smiles}"; done > "$2"
echo "$(wc -l < "$1")" >> sizes
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of the user's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(name, text):
    Path(name).write_text(text)
    Path(name).chmod(0o755)
    return f"cmd:{name} {{smiles_file}} {{out_file}}"


def answers(objective, molecules=MOLECULES, **options):
    with Calls(goal_of(objective), **{"workers": 1, "seconds": 20.0} | options) as calls:
        found = dict(rounds.answers(calls, molecules))
    assert sorted(found) == list(range(len(molecules)))
    return [found[place] for place in range(len(molecules))]


def test_a_program_gets_a_batch_and_its_values_come_back_to_their_molecules(here):
    found = answers(script("dock.sh", DOCK), batch=3)
    assert [answer.values for answer in found] == [(-1.0,), (-2.0,), (-3.0,), (-4.0,), (-5.0,)]
    assert Path("sizes").read_text().split() == ["3", "2"]
    assert sorted(path.name for path in here.iterdir()) == ["dock.sh", "sizes"]


def test_a_program_may_be_minimised_with_a_transform_beside_another_objective(here):
    goal = goal_of([f"{script('dock.sh', DOCK)}:sigmoid(-1,-5)", "heavy:..3"], combination="product")
    assert goal.measured_columns == ("dock", "heavy")
    with Calls(goal, workers=1) as calls:
        found = dict(rounds.answers(calls, MOLECULES))
    assert [found[place].measured for place in range(5)] == [(-n, n) for n in map(float, range(1, 6))]
    assert found[2].values == pytest.approx((0.5**0.5,))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("echo no licence >&2; exit 3", "RuntimeError: fail.sh ended with exit code 3: no licence"),
        ("exit 0", "RuntimeError: fail.sh wrote no {out_file}: it said nothing"),
        ('echo "m7 -3" > "$2"', "RuntimeError: wrote the line 'm7 -3'; write lines of a name (m1) and a value"),
        ('printf "m1 failed\\n" > "$2"', "TypeError: gave 'failed', which is not one number"),
    ],
)
def test_a_program_that_fails_is_an_answer(here, text, error):
    (found,) = answers(script("fail.sh", f"#!/bin/sh\n{text}\n"), ["C"])
    assert found.error == error


def test_a_molecule_without_a_value_costs_the_others_nothing(here):
    found = answers(script("part.sh", '#!/bin/sh\necho once >> runs\nprintf "m1 1.5\\nm3 nan\\n" > "$2"\n'), ["C", "CC", "CCC"])
    assert [(answer.values, answer.error) for answer in found] == [((1.5,), ""), ((), "has no value"), ((), "gave nan")]
    assert Path("runs").read_text() == "once\n"


HANG = """#!/bin/sh
echo "$(wc -l < "$1")" >> sizes
if grep -q '^CC ' "$1"; then setsid sleep 602.5 & sleep 602.5; fi
while read -r smiles name; do echo "$name ${#smiles}"; done < "$1" > "$2"
"""


def test_a_batch_that_hangs_is_stopped_as_a_tree_and_tried_again_one_by_one(here):
    start = time.monotonic()
    found = answers(script("hang.sh", HANG), MOLECULES[:3], batch=3, seconds=0.7)
    assert [answer.values for answer in found] == [(1.0,), (), (3.0,)]
    assert found[1].error == "took longer than 0.7 s"
    assert Path("sizes").read_text().split() == ["3", "1", "1", "1"]
    assert time.monotonic() - start < 30
    wait_until_gone("sleep 602.5")
    assert not list(here.glob("vaehub*"))


def wait_until_gone(mark):
    end = time.monotonic() + 10
    while any(
        mark in line for line in subprocess.run(["ps", "-ewwo", "args="], capture_output=True, text=True).stdout.splitlines()
    ):
        assert time.monotonic() < end, f"{mark} is still running"
        time.sleep(0.05)


def test_without_retries_a_failed_batch_stays_failed(here):
    found = answers(script("fail.sh", "#!/bin/sh\necho once >> runs\nexit 1\n"), batch=5, retries=0)
    assert {answer.error for answer in found} == {"RuntimeError: fail.sh ended with exit code 1: it said nothing"}
    assert Path("runs").read_text() == "once\n"


@pytest.mark.parametrize("workers", [0, 2])
def test_a_function_of_many_molecules(workers):
    @batch
    def sizes(molecules):
        """How long."""
        assert isinstance(molecules, list)
        return np.array([[len(smiles)] for smiles in molecules])

    found = answers(sizes, workers=workers, batch=2)
    assert [answer.values[0] for answer in found] == [1, 2, 3, 4, 5]
    assert sizes.describe == "How long."


def test_one_molecule_that_breaks_a_batch_costs_the_others_nothing():
    @batch
    def moody(molecules):
        if "CC" in molecules:
            os._exit(3)
        return [len(smiles) for smiles in molecules]

    found = answers(moody, batch=5)
    assert [answer.values for answer in found] == [(1.0,), (), (3.0,), (4.0,), (5.0,)]
    assert found[1].error == "ended its process (with exit code 3)"


def test_too_few_values_are_no_values():
    (found,) = answers(batch(lambda molecules: []), ["C"])
    assert found.error == "ValueError: gave 0 values for 1 molecules"


def test_a_declared_function_is_found_by_its_module(here, monkeypatch):
    Path("my_batches.py").write_text(
        "from vaehub_molecules import batch\n\n@batch\ndef sizes(molecules):\n    return map(len, molecules)\n"
    )
    monkeypatch.syspath_prepend(str(here))
    found = load_objective("my_batches:sizes")
    assert (found.name, found.batched, found.score("CCO")) == ("my_batches:sizes", True, 3.0)
    assert load_objective("my_batches:sizes:..2").measured == (found,)


def test_the_content_of_the_files_that_a_command_names_belongs_to_it(here):
    Path("receptor.pdb").write_text("one")
    text = f"{script('dock.sh', DOCK)} --receptor=receptor.pdb"
    before = load_objective(text).code
    assert load_objective(text).code == before
    Path("receptor.pdb").write_text("two")
    changed = load_objective(text).code
    Path("dock.sh").write_text(DOCK + "# another\n")
    assert len({before, changed, load_objective(text).code}) == 3


LOGGED = """#!/bin/sh
cat "$1" >> log
while read -r smiles name; do echo "$name ${#smiles}"; done < "$1" > "$2"
"""


def test_a_search_by_a_program_counts_every_call_once_and_goes_on(here, space):
    objective = f"{script('dock.sh', LOGGED)}:10..12"
    options = {
        "method": Evolve(population=8, children=8),
        "pool": space.smiles[:100],
        "workers": 2,
        "batch": 4,
        "out": here / "out",
    }
    assert len(optimize(space, objective, 20, **options).trace) == 20
    result = optimize(space, objective, 30, **options)
    called = [line.split()[0] for line in Path("log").read_text().splitlines()]
    assert sorted(called) == sorted(result.trace.smiles)
    assert result.trace.dock.tolist() == [float(len(smiles)) for smiles in result.trace.smiles]
    assert result.trace.score.tolist() == [Window(10, 12)(value) for value in result.trace.dock]
    hits = pd.read_csv("out/hits.csv")
    assert sorted(hits.smiles) == sorted(called)
    assert hits.dock.tolist() == [len(smiles) for smiles in hits.smiles]
    Path("dock.sh").write_text(LOGGED + "# changed\n")
    with pytest.raises(UsageError, match="was made with code of the objective="):
        optimize(space, objective, 40, **options)


def test_a_search_decorates_a_core(space, monkeypatch):
    monkeypatch.setattr("vaehub_molecules.search.decoration.DECORATED", 40)
    limits = Constraints(scaffold="[*:1]c1ccc([*:2])cc1", max_heavy=20)
    result = optimize(space, "logp", 60, pool=space.smiles[::13], constraints=limits, workers=0)
    core = limits.core
    assert len(result.trace) == 60
    assert all(core.match(MolFromSmiles(smiles)) for smiles in result.trace.smiles)
    assert "decoration" in set(result.trace.by)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cmd:dock.sh {smiles_file}", r"\{out_file\} is missing; write it as in"),
        ("cmd:", r"\{smiles_file\} is missing"),
        ("cmd:'dock.sh {smiles_file} {out_file}", "No closing quotation"),
        ("cmd:nowhere.sh {smiles_file} {out_file}", "there is no program 'nowhere.sh'"),
        ("cmd:plain.sh {smiles_file} {out_file}", r"chmod \+x plain.sh"),
    ],
)
def test_commands_without_sense_are_refused(here, text, said):
    Path("plain.sh").write_text("#!/bin/sh\n")
    with pytest.raises(UsageError, match=said):
        load_objective(text)
