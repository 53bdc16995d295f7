"""The model that ships: it is opened by its name, draws what it was trained on, and knows unseen molecules."""

from __future__ import annotations

from pathlib import Path

import pytest

import vaehub
from vaehub.cli.app import main
from vaehub.errors import UsageError
from vaehub_molecules import LatentSpace
from vaehub_molecules.use.reconstruct import reconstruct

FOLDER = Path(vaehub.__file__).parents[1] / "plugins/molecules/vaehub_molecules/models/drugs"
UNSEEN = ["CC(=O)Nc1ccc(O)cc1", "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc([C@H](C)C(=O)O)cc1", "C[NH+](C)CCc1c[nH]c2ccccc12"]


@pytest.fixture(scope="module")
def drugs():
    return LatentSpace(vaehub.load("molecules/drugs"))


def test_it_predicts_what_its_card_says_and_is_small(drugs):
    assert drugs.property_names == ("qed", "logp", "sa", "tpsa", "mw", "hbd", "hba", "rotatable")
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 25e6
    assert (FOLDER / "MODEL.md").read_text().startswith("# molecules/drugs")


def test_draws_are_built_like_the_training_molecules(drugs):
    drawn = [smiles for smiles in drugs.molecules(drugs.prior(200, 0), drugs.decoder.temperature) if smiles]
    likeness = drugs.codec.profile.likeness(drawn)
    assert len(set(drawn)) > 190
    assert likeness.known_rings > 0.85
    assert likeness.mean_distance < 0.3
    assert sum("+" in smiles or "@" in smiles for smiles in drawn) < 40  # its prior is fitted to MOSES, which has neither


def test_it_reads_charges_and_stereo_and_gives_back_drugs_nearly(drugs):
    assert reconstruct(drugs, UNSEEN).similarity.mean() > 0.5


def test_a_name_that_is_nearly_right_is_asked_about():
    with pytest.raises(UsageError, match="did you mean 'molecules/drugs'"):
        vaehub.load("molecules/drug")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_search_without_a_run_uses_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("leads.smi").write_text("CC(=O)Nc1ccc(O)cc1\n")
    assert main(["molecules", "optimize", "--start", "leads.smi", "--objective", "qed", "--budget", "20", "-o", "best"]) == 0
    assert "20 calls" in capsys.readouterr().out
    assert Path("best/report.html").exists()


def test_neighbours_of_a_model_without_its_data_ask_for_a_file(capsys):
    assert main(["molecules", "neighbours", "molecules/drugs", "CCO"]) == 2
    assert "name a file of molecules to search: --among FILE" in capsys.readouterr().err
