"""Rows of numbers in any form: what the model sees of them, and what comes back."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

import vaehub
from vaehub.arrays.codec import ArrayCodec
from vaehub.arrays.domain import Arrays
from vaehub.arrays.files import write_file
from vaehub.base import Spec
from vaehub.cli.app import main
from vaehub.model.likelihoods import Normal, Poisson

FAST = {
    "latent": 2,
    "encoder": {"name": "mlp", "hidden": [16]},
    "decoder": {"name": "mlp", "hidden": [16]},
    "train": {"epochs": 2},
}
NORMAL = FAST | {"likelihood": "normal"}


def line(rows=200, columns=4):
    """Rows about a line, far from 0, in float64."""
    noise = np.random.default_rng(0)
    return 1000 + 50 * noise.normal(size=(rows, 1)) * np.arange(1, columns + 1) + noise.normal(size=(rows, columns))


def trained(data, config=NORMAL, **options):
    return vaehub.train(config, data=data, progress=False, **options)


def seen(data, **options):
    """The rows of all splits as the model sees them, in the order of `data`, with the domain."""
    domain = Arrays(**options)
    domain.hold(data)
    return domain.rows.rows, domain


X = line()
FORMS = {
    "big endian": X.astype(">f8"),
    "float32": X.astype(np.float32),
    "not contiguous": np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "column major": np.asfortranarray(X),
    "tensor": torch.from_numpy(X),
    "with gradient": torch.from_numpy(X).requires_grad_(),
    "lists": X.tolist(),
    "objects": X.astype(object),
    "frame": pd.DataFrame(X, columns=list("abcd")),
    "mapping": {"x": X},
    "long double": X.astype(np.longdouble),
    "nullable": pd.DataFrame(X, columns=list("abcd")).convert_dtypes(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_numbers_is_the_same_to_the_model(form):
    batch, domain = seen(FORMS[form], standardise=True)
    train = domain.parts["train"]
    right = (X - X[train].mean(0)) / X[train].std(0)
    assert np.allclose(batch.x, right, atol=1e-4)
    assert batch.x.dtype == torch.float32
    assert batch.mask is None


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "uint64", "float16", "bfloat16"])
def test_small_and_whole_numbers_keep_their_values(dtype):
    x = np.arange(24).reshape(12, 2) % 2
    given = torch.from_numpy(x).bfloat16() if dtype == "bfloat16" else x.astype(dtype)
    batch, domain = seen(given)
    assert batch.x.tolist() == x.tolist()
    assert domain.codec.present(batch.x).dtype == np.float32


def test_rows_of_any_shape_come_back_in_their_own_units_and_precision():
    x = line(60, 6).reshape(60, 3, 2)
    run = trained(x)
    assert run.spec == Spec((3, 2))
    assert run.encode(x).shape == (60, 2)
    again = run.reconstruct(x)
    assert again.shape == x.shape
    assert again.dtype == np.float64
    assert abs(again.mean() - x.mean()) < 2 * x.std()
    assert abs(run.sample(50, noise=True).mean() - x.mean()) < 2 * x.std()


def test_missing_cells_are_masked_and_an_empty_or_constant_column_does_no_harm():
    x = line()
    x[3, 1] = np.nan
    x[:, 2] = np.nan
    x[:, 3] = 0.1
    batch, _ = seen(x, standardise=True)
    assert batch.mask is not None
    assert not batch.mask[3, 1]
    assert not batch.mask[:, 2].any()
    assert batch.mask.sum() == 2 * 200 + 199
    assert bool(batch.x.isfinite().all())
    assert batch.x[:, 3].abs().max() < 1e-6
    run = trained(x)
    again = run.reconstruct(x)
    assert np.isnan(again[:, 2]).all()
    assert np.isfinite(np.delete(again, 2, 1)).all()
    assert np.isfinite(run.encode(x)).all()
    assert np.isfinite(run.evaluate(samples=2)["nll"])


def test_a_mask_beside_the_rows_hides_them_whatever_they_hold():
    x = line()
    hidden = x.copy()
    hidden[:, 0] = np.inf
    mask = np.ones_like(x, dtype=np.int8)
    mask[:, 0] = 0
    batch, _ = seen({"x": hidden, "mask": mask}, standardise=True)
    with_nan, _ = seen(np.where(mask, x, np.nan), standardise=True)
    assert torch.equal(batch.x, with_nan.x)
    assert torch.equal(batch.mask, with_nan.mask)


def test_only_likelihoods_of_real_numbers_are_standardised_unless_the_user_decides():
    counts = np.random.default_rng(0).poisson(3.0, size=(100, 3))
    spec = Spec((3,))
    for likelihood, choice, mean in ((Normal(spec), None, 0.0), (Poisson(spec), None, 3.0), (Normal(spec), False, 3.0)):
        domain = Arrays(standardise=choice)
        domain.hold(counts)
        domain.scale_for(likelihood)
        assert abs(float(domain.data("train").rows.x.mean()) - mean) < 0.3
    run = trained(counts, FAST | {"likelihood": "poisson"})
    assert run.reconstruct(counts).min() >= 0


def test_the_bound_in_data_units_is_less_by_the_log_of_the_scale():
    x = line()
    wide = trained(x).evaluate(samples=4)
    narrow = trained(x / 10).evaluate(samples=4)
    assert np.isclose(wide["elbo"], narrow["elbo"], atol=1e-3)
    assert np.isclose(wide["log_scale"] - narrow["log_scale"], 4 * np.log(10), atol=1e-3)


def test_splits_are_disjoint_whole_and_a_function_of_the_seed():
    _, domain = seen(line(100))
    parts = domain.parts
    assert {name: len(index) for name, index in parts.items()} == {"train": 80, "val": 10, "test": 10}
    assert sorted(np.concatenate(list(parts.values()))) == list(range(100))
    assert np.array_equal(parts["val"], seen(line(100))[1].parts["val"])
    assert not np.array_equal(parts["val"], seen(line(100), seed=1)[1].parts["val"])
    assert {name: len(index) for name, index in seen(line(3))[1].parts.items()} == {"train": 1, "val": 1, "test": 1}


def test_a_named_split_is_kept():
    names = np.array(["train"] * 5 + ["val"] * 3 + ["test"] * 2)
    _, domain = seen({"x": line(10), "split": names})
    assert [domain.parts[name].tolist() for name in ("train", "val", "test")] == [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]


def test_a_table_gives_columns_labels_and_a_condition_and_takes_them_back_by_name():
    frame = pd.DataFrame(line(60), columns=list("abcd"))
    frame["kind"] = np.where(frame.a > 1000, "high", "low")
    config = NORMAL | {"domain": {"name": "arrays", "labels": "kind", "cond": ["d"]}}
    run = trained(frame, config)
    assert run.spec == Spec((3,), cond=1)
    assert list(run.codec.classes) == ["high", "low"]
    codes = run.encode(frame)
    assert np.array_equal(codes, run.encode(frame[["d", "c", "kind", "b", "a"]]))
    assert np.array_equal(codes, run.encode(frame[["a", "b", "c"]].to_numpy(), frame[["d"]].to_numpy()))
    with pytest.raises(vaehub.UsageError, match="no column 'b'"):
        run.encode(frame.drop(columns="b"))
    with pytest.raises(vaehub.UsageError, match="is conditional"):
        run.encode(frame[["a", "b", "c"]])


def conditional(seed=0):
    """Rows that follow a condition far from 0, and a condition that is constant."""
    frame = pd.DataFrame(line(120), columns=list("abcd"))
    frame["dose"] = 1e6 + 1e3 * np.random.default_rng(seed).normal(size=120)
    frame["unit"] = 7.0
    frame["a"] += 0.1 * (frame.dose - 1e6)
    return frame, NORMAL | {"domain": {"name": "arrays", "cond": ["dose", "unit"]}}


def test_conditions_are_standardised_as_the_rows_are_and_given_in_their_own_units(tmp_path):
    frame, config = conditional()
    domain = Arrays(cond=["dose", "unit"], standardise=True)
    domain.hold(frame)
    train = domain.parts["train"]
    dose = frame.dose.to_numpy()
    right = (dose - dose[train].mean()) / dose[train].std()
    assert np.allclose(domain.rows.rows.cond[:, 0], right, atol=1e-5)
    assert not domain.rows.rows.cond[:, 1].any()
    run = trained(frame, config, out=tmp_path / "run")
    x, cond = frame[list("abcd")], frame[["dose", "unit"]].to_numpy()
    for opened in (run, vaehub.load(tmp_path / "run")):
        codes = opened.encode(frame)
        assert np.array_equal(codes, opened.encode(x, cond))
        assert np.allclose(opened.encode(x[:1], [dose[0], 7.0]), codes[:1], atol=1e-6)
        assert np.array_equal(opened.decode(codes, cond), opened.reconstruct(frame))
        walk = opened.interpolate(x.to_numpy()[0], x.to_numpy()[1], 3, cond=[dose[0], 7.0])
        assert np.allclose(walk[0], opened.reconstruct(frame)[0])
        assert np.allclose(opened.sample(2, cond=cond[:2])[0], opened.sample(2, cond=[dose[0], 7.0])[0], rtol=1e-6)
    left = frame.copy()
    left.loc[3, "dose"] = np.nan
    with pytest.raises(vaehub.UsageError, match="cond: row 3, column 'dose' is missing or infinite"):
        run.encode(left)


def test_conditions_stay_as_they_are_where_the_rows_do():
    frame, _ = conditional()
    batch, domain = seen(frame, cond=["dose", "unit"], standardise=False)
    assert np.allclose(batch.cond, frame[["dose", "unit"]])
    assert domain.codec.condition([1e6, 7]).tolist() == [1e6, 7]


@pytest.mark.parametrize("kind", ["csr_array", "csc_matrix", "coo_array", "torch coo", "torch csr"])
def test_sparse_matrices_stay_sparse_and_keep_their_zeros(kind):
    counts = np.random.default_rng(0).poisson(0.3, size=(50, 6))
    if kind.startswith("torch"):
        given = torch.from_numpy(counts).to_sparse() if kind == "torch coo" else torch.from_numpy(counts).to_sparse_csr()
    else:
        given = getattr(scipy.sparse, kind)(counts)
    batch, _ = seen(given)
    assert batch.x.layout is torch.sparse_csr
    assert batch.x.to_dense().tolist() == counts.tolist()
    run = trained(given, FAST | {"likelihood": "poisson"})
    assert np.allclose(run.encode(given), run.encode(counts), atol=1e-6)


FILES = {
    ".npy": lambda x, path: np.save(path, x),
    ".npz": lambda x, path: np.savez(path, x=x),
    ".csv": lambda x, path: pd.DataFrame(x, columns=list("abcd")).to_csv(path, index=False),
    ".csv.gz": lambda x, path: pd.DataFrame(x, columns=list("abcd")).to_csv(path, index=False),
    ".CSV": lambda x, path: np.savetxt(path, x, delimiter=","),
    ".tsv": lambda x, path: pd.DataFrame(x, columns=list("abcd")).to_csv(path, sep="\t"),  # with an index, which is no feature
    ".feather": lambda x, path: pd.DataFrame(x, columns=list("abcd")).to_feather(path),
    ".parquet": lambda x, path: pd.DataFrame(x, columns=list("abcd")).to_parquet(path),
}


@pytest.mark.parametrize("suffix", FILES)
def test_files_are_read_like_memory_and_written_with_their_names(suffix, tmp_path):
    path, out = tmp_path / f"x{suffix}", tmp_path / f"out{suffix}"
    x = line()
    x[0, 0] = np.nan
    FILES[suffix](x, path)
    batch, domain = seen(path, standardise=True)
    right, _ = seen(x, standardise=True)
    assert torch.allclose(batch.x, right.x, atol=1e-5)
    assert torch.equal(batch.mask, right.mask)
    domain.codec.write(torch.from_numpy(x), out)
    again = domain.codec.read(out)
    assert torch.allclose(again.rows.x, batch.x, atol=1e-5)
    assert domain.codec.layout.columns == (() if suffix in (".npy", ".npz", ".CSV") else tuple("abcd"))


def test_the_command_line_trains_on_a_table_and_gives_what_python_gives(tmp_path, capsys):
    table, run, config = tmp_path / "x.csv", tmp_path / "run", tmp_path / "arrays.yaml"
    pd.DataFrame(line(), columns=list("abcd")).to_csv(table, index=False)
    config.write_text(json.dumps(NORMAL | {"domain": "arrays"}))
    assert main(["train", str(config), f"domain.path={table}", "--out", str(run)]) == 0
    opened = vaehub.load(run)
    for command in ("encode", "reconstruct", "score"):
        assert main([command, str(run), str(table), "-o", str(tmp_path / f"{command}.csv")]) == 0
    assert main(["sample", str(run), "-n", "5", "-o", str(tmp_path / "sample.csv")]) == 0
    frame = pd.read_csv(table)
    assert np.allclose(pd.read_csv(tmp_path / "encode.csv"), opened.encode(frame))
    assert np.allclose(pd.read_csv(tmp_path / "reconstruct.csv"), opened.reconstruct(frame))
    assert np.allclose(pd.read_csv(tmp_path / "score.csv"), opened.score(frame))
    sample = pd.read_csv(tmp_path / "sample.csv")
    assert list(sample.columns) == list("abcd")
    assert np.allclose(sample, opened.sample(5))
    assert main(["evaluate", str(run), "--samples", "2"]) == 0
    assert "log_scale" in capsys.readouterr().out


def test_a_saved_model_needs_no_rows(tmp_path):
    x = line()
    run = trained(x, out=tmp_path / "run")
    loaded = vaehub.load(tmp_path / "run")
    assert np.array_equal(loaded.encode(x), run.encode(x))
    assert np.array_equal(loaded.sample(3), run.sample(3))
    with pytest.raises(vaehub.UsageError, match=r"domain\.path: which rows\?"):
        loaded.data("test")


WRONG = {
    "one dimension": (np.zeros(9), r"x: expected rows .* shape \(9,\); use x\.reshape"),
    "text": (np.array([["a"]]), "x: expected real numbers"),
    "complex": (np.zeros((9, 2), complex), "x: expected real numbers, got complex128"),
    "dates": (np.zeros((9, 2), "M8[s]"), "x: expected real numbers"),
    "ragged": ([[1, 2], [3]], "x: expected an array of numbers of one shape"),
    "one row": (np.zeros((1, 2)), "1 rows are too few"),
    "nothing": (np.zeros((0, 2)), "0 rows are too few"),
    "infinite": (pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, np.inf, 3]}), "x: row 1, column 'b' is infinite"),
    "words in columns": (
        pd.DataFrame({"a": [1, 2], "city": ["x", "y"], "day": ["p", "q"]}),
        "columns 'city', 'day' hold no numbers",
    ),
    "same names": (pd.DataFrame(np.zeros((3, 2)), columns=["a", "a"]), "2 columns and only 1 names"),
    "unknown key": ({"x": X, "maks": X}, "did you mean 'mask'"),
    "no x": ({"mask": X}, "x is missing"),
    "labels of another length": ({"x": X, "labels": [0, 1]}, r"labels: shape \(2,\) does not go with the 200 rows"),
    "mask of another shape": ({"x": X, "mask": np.ones((7, 9))}, r"mask: shape \(7, 9\)"),
    "mask of numbers": ({"x": X, "mask": np.full(X.shape, 0.5)}, "mask: expected True or 1"),
    "unknown split": ({"x": X, "split": ["train", "valid"] * 100}, "split: 'valid' is none of train, val, test"),
    "no validation rows": ({"x": X, "split": ["train"] * 200}, "the val split is empty"),
    "missing file": ("nowhere.csv", "nowhere.csv: no such file"),
    "unknown suffix": ("x.docx", r"x\.docx: no known suffix; give one of \.npy, \.npz, \.csv, "),
    "too large": (np.linspace(0, 1e300, 40).reshape(20, 2), "too large to be standardised"),
    "outside the support": (np.full((20, 2), -3.0), r"normal|bernoulli"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_learnt_from_is_said_in_one_line(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given, message = WRONG[case]
    config = FAST if case == "outside the support" else NORMAL
    with pytest.raises(vaehub.UsageError, match=message) as error:
        trained(given, config)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_damaged_files_are_named(tmp_path):
    for name in ("x.npy", "x.npz", "x.parquet", "x.csv"):
        (tmp_path / name).write_bytes(b"" if name == "x.csv" else b"nonsense")
        with pytest.raises(vaehub.UsageError, match=rf"{name}: (damaged|is empty)"):
            trained(tmp_path / name)
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(vaehub.UsageError, match=r"p\.csv: is a pipe"):
        trained(tmp_path / "p.csv")
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(vaehub.UsageError, match=r"o\.npy"):
        trained(tmp_path / "o.npy")


def test_data_goes_with_the_domain_arrays_alone(small):
    with pytest.raises(vaehub.UsageError, match="data: goes with the domain arrays, and the config names toy"):
        vaehub.train(small(), data=X)
    with pytest.raises(vaehub.UsageError, match="domain: is required"):
        vaehub.train(NORMAL)


@pytest.mark.parametrize("damage", [{"cond_mean": [1.0]}, {"dtype": "int"}, {"mean": [1.0]}, {"columns": ["a"]}, {"cond": 3}])
def test_a_damaged_header_is_refused(damage):
    _, domain = seen(X, standardise=True)
    with pytest.raises(vaehub.UsageError, match="damaged"):
        ArrayCodec.from_json(domain.codec.spec, domain.codec.to_json() | damage)


def test_the_header_is_json_and_gives_back_the_same_layout():
    x = line()
    x[:, 1] = np.nan
    _, domain = seen(pd.DataFrame(x, columns=list("abcd")), standardise=True)
    other = ArrayCodec.from_json(domain.codec.spec, json.loads(json.dumps(domain.codec.to_json(), allow_nan=False)))
    z = torch.ones(2, 4)
    assert np.array_equal(other.present(z), domain.codec.present(z), equal_nan=True)
    assert other.layout.columns == tuple("abcd")


@pytest.mark.parametrize("name", ["x.NPZ", "x.Npy", "x.CSV"])
def test_rows_are_written_under_the_very_name_that_was_given(tmp_path, name):
    write_file(np.ones((3, 2)), tmp_path / name, ("a", "b"))
    assert [path.name for path in tmp_path.iterdir()] == [name]
