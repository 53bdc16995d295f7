"""The grammar of the command line, for every command of the engine and of the plugins: help, examples, names of options, completion."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer

from vaehub.cli import COMMANDS
from vaehub.cli.app import main
from vaehub.cli.tree import application
from vaehub.host.registry import registry

ALL = [*COMMANDS, *registry().commands]
GROUPS = sorted({key.split()[0] for key in registry().commands})


def command(name):
    """A command as typer has it, with a context to parse words in."""
    root = typer.main.get_command(application(name.split()))
    context = root.make_context("vaehub", [], resilient_parsing=True)
    for word in name.split():
        found = root.get_command(context, word)
        context = found.make_context(word, [], parent=context, resilient_parsing=True)
        root = found
    return root, context


def help_of(name, capsys):
    assert main([*name.split(), "-h"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ALL)
def test_every_help_has_an_example_that_the_command_understands(name, capsys):
    found = re.search(r"Example: vaehub (.*?)\n\n", help_of(name, capsys), re.S)
    assert found, "no example"
    words = shlex.split(" ".join(found[1].split()).partition(" > ")[0])
    asked, words = " ".join(words[: len(name.split())]), words[len(name.split()) :]
    assert asked == name or registry().commands[asked].target == registry().commands[name].target
    found, context = command(name)
    values, rest, _ = found.make_parser(context).parse_args(args=words)
    assert not rest
    required = [p.name for p in found.params if p.required]
    assert [name for name in required if not values.get(name)] == []


@pytest.mark.parametrize("name", ALL)
def test_options_are_called_alike_everywhere(name):
    for parameter in command(name)[0].params:
        names = {*parameter.opts, *parameter.secondary_opts}
        for short, long in (("-o", "--output"), ("-n", "--number"), ("-h", "--help")):
            assert (short in names) == (long in names), f"{name}: {names}"
        assert parameter.param_type_name == "argument" or any(word.startswith("--") for word in names), f"{name}: {names}"
        assert parameter.param_type_name == "argument" or parameter.help or "--help" in names, f"{name}: {names} has no help"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_prints_its_help(group, capsys):
    assert main([group]) == 0
    bare = capsys.readouterr().out
    assert bare == help_of(group, capsys)
    assert all(key.split()[1] in bare for key in registry().commands if key.split()[0] == group)


def test_every_group_of_an_installed_plugin_says_what_it_is_for():
    assert set(GROUPS) <= set(registry().groups)


@pytest.mark.parametrize("columns", ["60", "200"])
def test_summaries_are_never_cut(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    for name in (None, *GROUPS):
        assert main([*([name] if name else []), "--help"]) == 0
        assert "..." not in capsys.readouterr().out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["train"], "vaehub train"),
        (["trian"], "vaehub"),
        (["evaluate", "--splt", "x"], "vaehub evaluate"),
        (["timeseries", "impute"], "vaehub timeseries impute"),
        (["timeseries", "imptue"], "vaehub timeseries"),
    ],
)
def test_a_wrong_word_names_the_help_that_explains_it(words, asked, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.endswith(f"(see {asked} --help)\n")


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["evaluate", "RUN", "--split", "validation"], "'validation' is not one of 'train', 'val', 'test'"),
        (["recommender", "evaluate", "RUN", "--protocol", "weak"], "'weak'"),
        (["molecules", "optimize", "RUN", "--objective", "qed", "-o", "best", "--method", "magic"], "'magic'"),
        (["timeseries", "impute", "a.csv", "-o", "b.csv", "--aggregate", "sum"], "'sum'"),
    ],
)
def test_a_word_out_of_a_list_is_refused_before_torch_is_imported(words, refused, tmp_path):
    (tmp_path / "RUN").mkdir()
    (tmp_path / "RUN" / "model.safetensors").touch()
    (tmp_path / "a.csv").touch()
    assert refused in without_torch(words, tmp_path)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["sample", "runs/nosuch"], "runs/nosuch: no such run"),
        (["report", "."], ".: no model file here"),
        (["score", "m.safetensors", "nope.npy", "-o", "x.csv"], "nope.npy: no such file"),
        (["score", "m.safetensors", "m.safetensors", "-o", "x.xls"], "x.xls: no known suffix; give one of .csv"),
        (["decode", "m.safetensors", "m.safetensors", "-o", "x.npy"], "m.safetensors: no known suffix; give one of .npy"),
        (["sample", "m.safetensors", "-o", "m.safetensors/x.npy"], "m.safetensors is a file, not a folder"),
        (["train", "mnsit"], "no config called 'mnsit': did you mean 'mnist'?"),
        (["train", "mnist", "latent=x"], "latent: should be a valid integer"),
    ],
)
def test_a_wrong_path_is_told_before_torch_is_imported(words, refused, tmp_path):
    (tmp_path / "m.safetensors").touch()
    told = without_torch(words, tmp_path, torch=words[0] != "train")  # parts are classes of torch
    assert refused in told


def without_torch(words, folder, torch=True):
    """What a command says before it ends with code 2, torch and Lightning not imported."""
    banned = {"torch", "pytorch_lightning"} if torch else {"pytorch_lightning"}
    show = f"print(*({banned!r} & set(sys.modules)), file=sys.stdout)"
    code = f"import sys; from vaehub.cli.app import main; code = main({words!r}); {show}; sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stdout.strip()) == (2, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def complete(shell, **environment):
    """What the completion of a shell gets."""
    done = subprocess.run(
        [sys.executable, "-m", "vaehub"],
        env=os.environ | {"_VAEHUB_COMPLETE": f"complete_{shell}", **environment},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_bash_completes_commands_options_words_and_configs():
    assert "evaluate" in complete("bash", COMP_WORDS="vaehub ev", COMP_CWORD="1").split()
    assert "--noise" in complete("bash", COMP_WORDS="vaehub sample --", COMP_CWORD="2").split()
    assert complete("bash", COMP_WORDS="vaehub evaluate --split ", COMP_CWORD="3").split() == ["train", "val", "test"]
    assert {"mnist", "mnist_cvae"} <= set(complete("bash", COMP_WORDS="vaehub train mn", COMP_CWORD="2").split())
    assert complete("bash", COMP_WORDS="vaehub molecules opt", COMP_CWORD="2").split() == ["optimize"]


def test_zsh_completes_commands_and_words():
    assert '"evaluate"' in complete("zsh", _TYPER_COMPLETE_ARGS="vaehub ev")
    assert '"val"' in complete("zsh", _TYPER_COMPLETE_ARGS="vaehub evaluate --split ")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_completion_of_a_shell_can_be_shown(shell):
    environment = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # else: the shell that started the tests
    command = [sys.executable, "-m", "vaehub", "--show-completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0
    assert "_VAEHUB_COMPLETE" in done.stdout
