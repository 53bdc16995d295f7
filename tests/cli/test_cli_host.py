"""The command line as a host: commands of plugins, exit codes, listings and help; it needs no trained run."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaehub.cli import COMMANDS
from vaehub.cli.app import main
from vaehub.cli.common import condition, draw_table
from vaehub.host.registry import registry


@pytest.fixture
def fails(capsys):
    """Run a command that must end in one line of error; gives that line."""

    def run(*words, code=2):
        assert main([str(word) for word in words]) == code
        told = capsys.readouterr()
        assert told.out == ""
        assert "Traceback" not in told.err
        lines = told.err.strip().splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        return lines[0]

    return run


@pytest.fixture
def works(capsys):
    """Run a command that must succeed; gives what it printed."""

    def run(*words):
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        assert (code, told.err) == (0, "")
        return told.out

    return run


PLUGIN = '''
import os
from vaehub.errors import RunFailed, UsageError
from vaehub import hookimpl

@hookimpl
def vaehub_commands():
    names = ["greet", "count", "lose", "mend", "crash", "leave", "stop", "full"]
    return {f"demo {name}": f":{name}" for name in names} | {"demo broken": "no_such_module_at_all:run"}

def greet(name: str, loud: bool = False) -> None:
    """Say hello."""
    print(name.upper() if loud else name)

def count() -> int:
    return 5

def lose(): raise RunFailed("the loss is nan")
def mend(): raise UsageError("give more rows")
def crash(): raise ZeroDivisionError("deep inside")
def leave(): raise SystemExit(4)
def stop(): raise KeyboardInterrupt
def full(): raise OSError(28, "No space left on device", "x.bin")
'''


@pytest.fixture
def demo(tmp_path):
    """Options that bring the plugin above; the registry is as it was afterwards."""
    (tmp_path / "demo.py").write_text(PLUGIN)
    yield ["--plugin", str(tmp_path / "demo.py")]
    plugins = [plugin for plugin in registry().plugins if plugin.name != "demo.py"]
    registry().__init__(plugins)


def test_commands_of_plugins(demo, works):
    assert works("demo", "greet", "Ada", "--loud", *demo) == "ADA\n"
    assert works(*demo, "demo", "count") == ""
    listing = works("demo", "--help", *demo)
    assert "Say hello." in listing
    assert "cannot be used: 'demo broken'" in " ".join(listing.split())
    assert "demo" in works("--help", *demo)


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("lose", 1, "error: the loss is nan"),
        ("mend", 2, "error: give more rows"),
        ("crash", 1, "error: ZeroDivisionError: deep inside (re-run with --debug to see where)"),
        ("full", 2, "error: x.bin: No space left on device; free some space, or write elsewhere"),
        ("broken", 2, "error: 'demo broken' of plugin demo.py"),
        ("grete", 2, "error: No such command 'grete'"),
    ],
)
def test_exit_codes(demo, fails, name, code, said):
    assert fails("demo", name, *demo, code=code).startswith(said)


def test_a_command_may_choose_its_exit_code(demo):
    assert main(["demo", "leave", *demo]) == 4


def test_interrupting_is_no_traceback(demo, capsys):
    assert main(["demo", "stop", *demo]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_debug_shows_the_traceback(demo, capsys):
    assert main(["demo", "crash", "--debug", *demo]) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert 'raise ZeroDivisionError("deep inside")' in told
    assert told.splitlines()[-1].startswith("error: ZeroDivisionError")


def test_plugins_are_listed(demo, works):
    found = {plugin["name"]: plugin for plugin in json.loads(works("plugins", "--json", *demo))}
    assert found["builtin"]["status"] == "ok"
    assert "decoder/mlp" in found["builtin"]["components"]
    assert "demo greet" in found["demo.py"]["commands"]
    header, *rows = works("plugins").splitlines()
    assert header.split() == ["name", "version", "parts", "commands", "status"]
    assert any(row.startswith("builtin") for row in rows)


def test_new_and_check_are_mounted(monkeypatch, works, capsys, tmp_path):
    scaffold = ModuleType("vaehub.host.scaffold")
    scaffold.create = lambda name, dir: dir / name
    monkeypatch.setitem(sys.modules, "vaehub.host.scaffold", scaffold)
    assert works("new", "birds", "-o", tmp_path) == f"{tmp_path}/birds\n"

    from vaehub.testing import Result

    results = [Result("finite", "decoder/a", "ok", ""), Result("causal", "decoder/a", "skipped", "not autoregressive")]
    monkeypatch.setattr("vaehub.testing.check", lambda name: results)
    assert works("check", "birds").splitlines()[-1] == "2 checks, 0 failed"
    results.append(Result("masked", "decoder/a", "failed", "differs by 3"))
    assert main(["check", "birds"]) == 1
    assert "differs by 3" in capsys.readouterr().out


def test_every_command_has_help(works):
    for name in COMMANDS:
        text = works(name, "--help")
        assert "--plugin FILE" in text
        assert "--debug" in text


def test_no_arguments_show_the_commands(works):
    text = works()
    assert all(name in text for name in COMMANDS)


def test_a_reader_that_goes_away_is_no_error():
    code = "import sys; from vaehub.cli.app import main; sys.stdin.read(); sys.exit(main(['plugins']))"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""


def test_conditions():
    assert condition(None) is None
    assert condition("7") == [7]
    assert condition("0.5, -1e-3,red") == [0.5, -1e-3, "red"]


def test_tables_on_a_terminal(capsys):
    draw_table(("name", "value"), [("a[b]", "1")])
    assert "a[b]" in capsys.readouterr().out


WORDS = [
    "evaluate",
    "sample",
    "encode",
    "decode",
    "plugins",
    "report",
    "nope",
    "--json",
    "-o",
    "--seed",
    "-1",
    "--plugin",
    "",
    "--",
    "-n",
]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=5))
def test_any_words_end_in_an_exit_code(tmp_path_factory, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.getbasetemp())
        assert main(words) in (0, 2)
