"""A run keeps its molecules: canonical, split, with their properties."""

import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest
import torch

import vaehub
from vaehub.errors import UsageError
from vaehub_molecules.domains.examples import example_molecules
from vaehub_molecules.domains.smiles import Smiles
from vaehub_molecules.report.sections import readable_test_molecules
from vaehub_molecules.use.latent_space import LatentSpace

TINY = {
    "encoder": {"name": "gru", "width": 8},
    "decoder": {"name": "gru", "width": 8},
    "likelihood": "categorical",
    "latent": 2,
    "train": {"epochs": 1, "score_rows": 0},
}


def activities(path: Path, molecules) -> str:
    """A table of molecules with a column `act`."""
    path.write_text("\n".join(["smiles,act", *(f"{smiles},{i % 7 + 0.5}" for i, smiles in enumerate(molecules))]))
    return str(path)


def smiles_of(run, split) -> list[str]:
    return list(run.data(split).facts.smiles)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on a sample of a sorted file, which has changed since."""
    folder = tmp_path_factory.mktemp("kept")
    table = activities(folder / "acts.csv", sorted(example_molecules(), key=len))
    domain = {"name": "smiles", "path": table, "properties": ["act", "logp"], "rows": 100, "val": 0.1, "test": 0.1}
    run = vaehub.train({"domain": domain, **TINY}, out=folder / "run", progress=False)
    Path(table).write_text("smiles,act\nCC,1\n")
    return run


@pytest.fixture
def copied(trained, tmp_path):
    """The folder of that run, for one test alone."""
    return Path(shutil.copytree(trained.path, tmp_path / "run"))


def test_a_loaded_run_has_its_molecules_though_the_file_has_changed(trained, copied):
    again = vaehub.load(copied)
    for split, size in (("train", 100), ("val", 13), ("test", 13)):
        assert smiles_of(again, split) == smiles_of(trained, split)
        assert len(smiles_of(again, split)) == size
    here, there = (model.data("train")[torch.arange(100)].y for model in (trained, again))
    assert torch.equal(here, there)
    assert again.data("test")[torch.arange(13)].y.isfinite().all()


def test_what_a_report_shows_needs_no_file(trained, copied, monkeypatch):
    monkeypatch.setattr(Smiles, "read_frame", lambda self, split: pytest.fail("the file was read again"))
    again = vaehub.load(copied)
    assert readable_test_molecules(LatentSpace(again)) == smiles_of(trained, "test")


def test_a_run_that_goes_on_keeps_its_molecules(trained, copied):
    before = smiles_of(trained, "val")
    more = vaehub.train(trained.config.to_dict(), ["train.epochs=2"], out=copied, resume=True, progress=False)
    assert smiles_of(more, "val") == smiles_of(vaehub.load(copied), "val") == before


def test_a_run_without_kept_molecules_reads_its_file_and_is_not_judged_by_what_it_has_learnt(trained, copied):
    activities(Path(trained.domain.path), example_molecules())
    shutil.rmtree(copied / "molecules")
    again = vaehub.load(copied)
    again.domain.seed = 1  # as if the split were another
    assert set(again.domain.frame("test")["smiles"]) & set(smiles_of(trained, "train"))
    assert not set(smiles_of(again, "test")) & set(smiles_of(trained, "train"))


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"x": [1.0]}), pd.DataFrame({"smiles": ["CC", None]}), pd.DataFrame({"smiles": ["CC"], "act": ["high"]})],
)
def test_kept_molecules_that_are_damaged_are_refused_in_one_line(copied, frame):
    frame.to_parquet(copied / "molecules/test.parquet")
    with pytest.raises(UsageError, match=r"test\.parquet: is not what training wrote .*; delete its folder"):
        vaehub.load(copied).data("test")
    (copied / "molecules/test.parquet").write_bytes(b"PAR1nothing")
    with pytest.raises(UsageError, match=r"test\.parquet"):
        vaehub.load(copied).data("test")


def test_so_many_rows_are_a_sample_of_the_file(tmp_path):
    molecules = sorted(example_molecules(), key=len)
    (tmp_path / "sorted.smi").write_text("\n".join(molecules))
    lengths = pd.Series(molecules).str.len()
    domain = Smiles(path=str(tmp_path / "sorted.smi"), rows=80, val=0.2, test=0.2)
    for split in ("train", "val", "test"):
        found = domain.frame(split)["smiles"].str.len()
        assert abs(found.mean() - lengths.mean()) < 3 * lengths.std() / len(found) ** 0.5
    assert len(domain.frame("train")) == 80
    assert domain.molecules.read < 150


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["" for _ in range(20)], "'act' is unknown for all"),
        (["3" for _ in range(20)], "'act' is 3 for all training molecules; nothing can be learnt of it"),
        (["5,3" for _ in range(20)], r"a\.csv: column 'act': none of its 20 values is a number"),
    ],
)
@pytest.mark.parametrize("use", ["properties", "condition"])
def test_a_property_that_says_nothing_is_refused(tmp_path, values, message, use):
    lines = [f'{smiles},"{value}"' for smiles, value in zip(example_molecules(), values, strict=False)]
    (tmp_path / "a.csv").write_text("\n".join(["smiles,act", *lines]))
    with pytest.raises(UsageError, match=message):
        Smiles(path=str(tmp_path / "a.csv"), **{use: ["act"]}).codec  # noqa: B018


def test_conditions_that_are_unknown_are_counted(tmp_path):
    lines = [f"{smiles},{i % 5 if i % 2 else ''}" for i, smiles in enumerate(example_molecules())]
    (tmp_path / "a.csv").write_text("\n".join(["smiles,act", *lines]))
    domain = Smiles(path=str(tmp_path / "a.csv"), condition=["act"])
    unknown = int(domain.frame("train")["act"].isna().sum())
    with pytest.warns(UserWarning, match=f"'act' is unknown for {unknown} of {len(domain.train)} training molecules, which are"):
        domain.codec  # noqa: B018


def test_what_is_unknown_or_contradictory_is_told_once_in_training(tmp_path):
    lines = [f"{smiles},{value}" for value in ("1", "9", ">10") for smiles in example_molecules()[:30]]
    (tmp_path / "a.csv").write_text(
        "\n".join(["smiles,act,other", *(f"{line},{i}.5" for i, line in enumerate(lines)), "CO,2,0.5"])
    )
    domain = Smiles(path=str(tmp_path / "a.csv"), properties=["act"])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        domain.codec  # noqa: B018
        domain.data("val")
    told = [str(warning.message) for warning in seen]
    assert len(told) == 2
    assert "column 'act': 30 of 91 values (33.0%) are no numbers" in told[0]
    assert "a.csv: 30 molecules with more than one act" in told[1]
    assert "1 and 9); the median is kept" in told[1]
