"""The command line: every command on a small run, and how each kind of error ends."""

from __future__ import annotations

import errno
import hashlib
import json
import os

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import vaehub
from vaehub.cli.app import main
from vaehub.cli.use import read_codes
from vaehub.host.registry import registry

CONFIG = """
domain: {name: toy, rows: 100}
encoder: {name: mlp, hidden: [8]}
decoder: {name: mlp, hidden: [8]}
train: {epochs: 1, batch_size: 50}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a config, a file of rows and a trained run."""
    path = tmp_path_factory.mktemp("cli")
    (path / "toy.yaml").write_text(CONFIG)
    np.save(path / "rows.npy", (load_digits().images[:6, None] > 7).astype(np.float32))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert main(["train", "toy.yaml", "latent=3"]) == 0
    return path


@pytest.fixture
def here(folder, monkeypatch):
    """The tests below are run inside that folder."""
    monkeypatch.chdir(folder)
    return folder


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


def test_train_says_how_good_the_model_is_and_where_the_report_is(here, capsys):
    assert main(["train", "toy.yaml", "--out", "other/run", "train.epochs=2"]) == 0
    *_, elbo, report = capsys.readouterr().out.splitlines()
    assert elbo.startswith("validation ELBO: -")
    assert elbo.endswith(" nats per row")
    assert report == "other/run/report.html"
    assert (here / report).stat().st_size > 1000


def test_a_warning_while_training_is_a_line_of_plain_words(here, capsys):
    assert main(["train", "toy.yaml", "likelihood=continuous_bernoulli", "--out", "other/warned"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "without end" in line]
    assert len(said) == 1
    assert said[0].startswith("warning: likelihood: ")


def test_the_default_folder_is_named_after_the_config(here):
    assert (here / "runs/toy/model.safetensors").is_file()


def test_a_run_is_never_overwritten_unasked(here, fails):
    def state():
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (here / "runs/toy").rglob("*") if path.is_file()}

    before = state()
    assert "already holds a run; go on with --resume, replace it with --force" in fails("train", "toy.yaml")
    assert state() == before


def test_evaluate(here, works):
    figures = json.loads(works("evaluate", "runs/toy", "--samples", 4, "--json"))
    assert figures["split"] == "test"
    assert figures["elbo"] == pytest.approx(figures["log_px"] - figures["kl"], abs=1e-3)
    assert len(figures["kl_per_dim"]) == 3
    table = works("evaluate", "runs/toy", "--split", "val", "--samples", 4)
    assert "split" in table
    assert f"{'samples':14}4" in table


def test_doctor(here, works):
    findings = json.loads(works("doctor", "runs/toy", "--json"))
    assert all({"name", "severity", "evidence", "advice"} <= set(finding) for finding in findings)
    text = works("doctor", "runs/toy")
    assert all(finding["name"] in text for finding in findings)
    assert text


def test_report(here, works):
    assert works("report", "runs/toy") == "runs/toy/report.html\n"


def test_score(here, works):
    works("score", "runs/toy", "rows.npy", "-o", "scores.parquet", "--samples", 4)
    works("score", "runs/toy", "rows.npy", "-o", "scores.csv", "--samples", 4)
    table = pd.read_parquet("scores.parquet")
    assert len(table) == 6
    assert {"elbo_score", "percentile"} <= set(table)
    pd.testing.assert_frame_equal(table, pd.read_csv("scores.csv"), check_dtype=False)


def test_sample_follows_the_seed(here, works):
    for seed in (1, 1, 2):
        assert works("sample", "runs/toy", "-n", 5, "--seed", seed, "-o", f"drawn/{seed}.npy") == f"drawn/{seed}.npy\n"
        np.save(f"copy{seed}.npy", np.load(f"drawn/{seed}.npy"))
    one, two = np.load("drawn/1.npy"), np.load("drawn/2.npy")
    assert one.shape == (5, 1, 8, 8)
    assert (one == np.load("copy1.npy")).all()
    assert not np.allclose(one, two)


def test_samples_go_to_the_run_folder_unless_told_otherwise(here, works):
    assert works("sample", "runs/toy", "-n", 2, "--noise") == "runs/toy/samples.npy\n"
    assert set(np.unique(np.load("runs/toy/samples.npy"))) <= {0.0, 1.0}


def test_a_condition_can_be_given_for_rows_that_have_none(here, works, fails):
    assert main(["train", "toy.yaml", "domain.classes=true", "--out", "runs/conditional"]) == 0
    works("encode", "runs/conditional", "rows.npy", "--cond", 3, "-o", "three.npy")
    works("encode", "runs/conditional", "rows.npy", "--cond", 4, "-o", "four.npy")
    assert not np.allclose(np.load("three.npy"), np.load("four.npy"))
    works("interpolate", "runs/conditional", "rows.npy", "--cond", 3, "-o", "between.npy")
    works("score", "runs/conditional", "rows.npy", "--cond", 3, "-o", "scores.csv")
    assert "give cond" in fails("reconstruct", "runs/conditional", "rows.npy", "-o", "again.npy")
    assert "expects" in fails("encode", "runs/conditional", "three.npy", "--cond", 3, "-o", "x.npy")


@pytest.mark.parametrize("suffix", ["npy", "csv", "CSV.gz", "tsv", "parquet", "feather"])
def test_encode_then_decode_is_reconstruct(here, works, suffix):
    works("encode", "runs/toy", "rows.npy", "-o", f"z.{suffix}")
    works("decode", "runs/toy", f"z.{suffix}", "-o", "decoded.npy")
    works("reconstruct", "runs/toy", "rows.npy", "-o", "again.npy")
    assert np.load("decoded.npy").shape == (6, 1, 8, 8)
    np.testing.assert_allclose(np.load("decoded.npy"), np.load("again.npy"), atol=1e-5)


def test_interpolate_begins_and_ends_at_the_rows(here, works):
    works("interpolate", "runs/toy", "rows.npy", "--from", 4, "--to", 2, "--steps", 5, "-o", "walk.npy")
    works("reconstruct", "runs/toy", "rows.npy", "-o", "again.npy")
    walk, rows = np.load("walk.npy"), np.load("again.npy")
    assert len(walk) == 5
    np.testing.assert_allclose(walk[[0, -1]], rows[[4, 2]], atol=1e-5)


@pytest.mark.parametrize("suffix", ["npy", "csv", "parquet"])
def test_codes_from_the_command_line_are_python_s_bit_for_bit(here, works, suffix):
    run, rows = vaehub.load("runs/toy"), np.load("rows.npy")
    works("encode", "runs/toy", "rows.npy", "-o", f"bits.{suffix}")
    works("decode", "runs/toy", f"bits.{suffix}", "-o", "bits_x.npy")
    z = run.encode(rows)
    assert np.array_equal(read_codes(here / f"bits.{suffix}").astype(np.float32), z)
    assert np.array_equal(np.load("bits_x.npy"), run.decode(z))


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<i4", "|u1", "<f4"])
def test_codes_of_every_kind_of_number_are_decoded_as_python_does(here, works, dtype):
    z = (np.random.default_rng(0).normal(size=(4, 3)) * 3).astype(dtype)
    np.save("kind.npy", z)
    pd.DataFrame(z.astype(np.float64)).to_csv("kind.csv", index=False)
    expected = vaehub.load("runs/toy").decode(z.astype(z.dtype.newbyteorder("=")))
    for name in ("kind.npy", "kind.csv"):
        works("decode", "runs/toy", name, "-o", "kind_x.npy")
        assert np.array_equal(np.load("kind_x.npy"), expected)


def test_codes_that_are_no_table_are_refused_in_little_time_and_memory(here, fails):
    os.mkfifo("pipe.npy")
    (here / "huge.npy").write_bytes(np.lib.format.magic(1, 0) + huge_header())
    (here / "zero.csv").symlink_to("/dev/zero")
    for name, expected in (
        ("pipe.npy", "pipe.npy: is a pipe"),
        ("huge.npy", "huge.npy: damaged"),
        ("zero.csv", "zero.csv: is a device"),
    ):
        assert expected in fails("decode", "runs/toy", name, "-o", "x.npy")


def huge_header() -> bytes:
    """Of an .npy of 800 GB."""
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }".ljust(117) + "\n"
    return len(text).to_bytes(2, "little") + text.encode()


def test_a_model_file_alone_is_a_run(here, works):
    assert works("sample", "runs/toy/model.safetensors", "-n", 1, "-o", "one.npy")


MISTAKES = [
    ("train", "nope.yaml", "cannot read the config nope.yaml: no such file; check the path; did you mean 'toy.yaml'?"),
    ("train", "toy.yaml", "latent=0", "latent: should be greater than or equal to 1, not 0"),
    ("train", "toy.yaml", "decoder=mpl", "no decoder called 'mpl': did you mean 'mlp'?"),
    ("train", "toy.yaml", "latent", "override 'latent': write it as key=value"),
    ("train", "toy.yaml", "--resum", "No such option: --resum"),
    ("train", "Missing argument 'CONFIG'"),
    ("tarin", "No such command 'tarin'"),
    ("evaluate", "nope", "nope: no such run"),
    ("evaluate", "runs/toy", "--samples", "0", "Invalid value for '--samples'"),
    ("evaluate", "runs/toy", "--samples", "x", "Invalid value for '--samples'"),
    ("encode", "runs/toy", "rows.npy", "Missing option '--output'"),
    ("sample", "runs/toy", "--cond", "7", "-o", "x.npy", "this model takes no condition"),
    ("sample", "runs/toy", "-n", "0", "-o", "x.npy", "Invalid value for '-n'"),
    ("sample", "toy.yaml", "-o", "x.npy", "not a safetensors file"),
    ("sample", "runs/toy", "-o", "toy.yaml/x.npy", "toy.yaml"),
    (
        "score",
        "runs/toy",
        "rows.npy",
        "-o",
        "x.xls",
        "x.xls: no known suffix; give one of .csv, .tsv, .txt, .parquet, .feather, .arrow",
    ),
    ("reconstruct", "runs/toy", "rows.npy", "-o", "./rows.npy", "rows.npy: is the input itself, which would be lost"),
    ("decode", "runs/toy", "z.csv", "-o", "z.csv", "z.csv: is the input itself"),
    ("score", "runs/toy", "scores.csv", "-o", "scores.csv", "scores.csv: is the input itself"),
    ("interpolate", "runs/toy", "rows.npy", "-o", "rows.npy", "replace it with --force"),
    ("score", "runs/toy", "nope.npy", "-o", "x.csv", "nope.npy: no such file; check the path"),
    (
        "encode",
        "runs/toy",
        "rows.npy",
        "-o",
        "x",
        "x: no known suffix; give one of .npy, .csv, .tsv, .txt, .parquet, .feather, .arrow",
    ),
    ("decode", "runs/toy", "nope.csv", "-o", "x.npy", "nope.csv: no such file; check the path"),
    (
        "decode",
        "runs/toy",
        "toy.yaml",
        "-o",
        "x.npy",
        "toy.yaml: no known suffix; give one of .npy, .csv, .tsv, .txt, .parquet, .feather, .arrow",
    ),
    ("decode", "runs/toy", "words.csv", "-o", "x.npy", "words.csv: holds no table of numbers"),
    ("decode", "runs/toy", "pickle.npy", "-o", "x.npy", "pickle.npy: holds Python objects"),
    ("decode", "runs/toy", "wide.npy", "-o", "x.npy", "z has shape (2, 7); this model expects (N, 3)"),
    ("interpolate", "runs/toy", "rows.npy", "--to", "6", "-o", "x.npy", "rows.npy: has no row 6, only rows 0 to 5"),
    ("interpolate", "runs/toy", "rows.npy", "--steps", "1", "-o", "x.npy", "Invalid value for '--steps'"),
    ("plugins", "--plugin", "--plugin: give the path of a Python file"),
    ("plugins", "--plugin", "nope.py", "cannot read the plugin file nope.py: no such file"),
    ("plugins", "--plugin=toy.yaml", "the plugin file toy.yaml cannot be used"),
]


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: " ".join(case[:-1]))
def test_a_mistake_is_one_line_and_exit_code_2(here, fails, case):
    (here / "words.csv").write_text("a,b\nx,y\n")
    np.save(here / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(here / "wide.npy", np.zeros((2, 7)))
    for name in ("z.csv", "scores.csv"):
        (here / name).write_text("z0,z1,z2\n1,2,3\n")
    *words, expected = case
    assert expected in fails(*words)
    assert not (here / "x.npy").exists()


def test_several_mistakes_in_a_config_are_a_list(here, capsys):
    assert main(["train", "toy.yaml", "latent=0", "train.epoch=3"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == "error: toy.yaml: 2 errors"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space left on device; free some space, or write elsewhere"),
        (errno.EACCES, "Permission denied; change the permission, or choose another path"),
    ],
)
def test_a_failed_write_keeps_the_file_that_was_there(here, fails, monkeypatch, number, said):
    (here / "kept.npy").write_text("precious")

    def broken(self, x, path):
        path.write_text("half")
        raise OSError(number, "No space left on device" if number == errno.ENOSPC else "Permission denied", str(path))

    monkeypatch.setattr(registry().load("domain", "toy").codec_type, "write", broken)
    assert said in fails("sample", "runs/toy", "-o", "kept.npy")
    assert (here / "kept.npy").read_text() == "precious"
    assert not list(here.glob(".part-*"))
