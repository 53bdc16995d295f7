"""What a grammar cannot make true: that drawn molecules are built like those trained on."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rdkit.Chem import MolFromSmiles, RenumberAtoms

import vaehub
from vaehub.errors import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub_molecules.checks import profile_of
from vaehub_molecules.chem.ring_systems import ring_systems, ring_systems_of
from vaehub_molecules.domains.likeness import Likeness
from vaehub_molecules.domains.profile import TrainingProfile

DRUGS = ["CC(=O)Nc1ccc(O)cc1", "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "NC(=O)c1cccnc1", "CCN1CCNCC1", "CCOC(C)=O"]
CAGES = [
    "C1=CC=CCCCCC1CC1=CC=C1",
    "OC1C2CC3CC(C2)CC1CCC3CCCCCCCCCCCCI",
    "N1C=CC=CC=CC=CC1CCCCCCCCCCBr",
    "C1CC2CC1CCCCCCCC2CCCCCCCCCCCCC",
]


@pytest.fixture(scope="module")
def profile():
    return TrainingProfile.of(
        [*DRUGS, *(f"{'C' * n}Oc1ccccc1" for n in range(1, 7)), *(f"{'C' * n}Nc1cccnc1" for n in range(1, 7))]
    )


@pytest.mark.parametrize(
    ("smiles", "systems"),
    [
        ("CCO", []),
        ("Cc1ccccc1-c1ccncc1", ["c1ccccc1", "c1ccncc1"]),
        ("C1CC2(C1)CCC2", ["C1CC2(C1)CCC2"]),  # rings that share an atom are one
        ("c1ccc2ccccc2c1", ["c1ccc2ccccc2c1"]),
        ("CC1CCCCC1=O", ["O=C1CCCCC1"]),  # what is double-bonded belongs to it
        ("C[n+]1ccccc1", ["[n+1]1ccccc1"]),
    ],
)
def test_ring_systems(smiles, systems):
    assert sorted(ring_systems_of(smiles)) == systems


def test_hydrogens_substituents_and_order_make_no_difference():
    assert ring_systems_of("c1c[nH]cn1") == ring_systems_of("Cn1ccnc1") == ring_systems_of("Cc1ncc[nH]1")
    mol = MolFromSmiles("O=C(Nc1ccc2[nH]cnc2c1)C1CCCN1C(=O)c1ccco1")
    backwards = RenumberAtoms(mol, list(range(mol.GetNumAtoms()))[::-1])
    assert len(ring_systems(mol)) == 3
    assert ring_systems(mol) == ring_systems(backwards)


def test_the_share_of_unseen_molecules_is_what_each_would_be_if_left_out():
    smiles = ["CCO", "Cc1ccccc1", "Nc1ccccc1", "C1CC1", "C1CCC1", "c1ccc(C2CCC2)cc1"]
    left_out = [TrainingProfile.of([*smiles[:i], *smiles[i + 1 :]]).likeness([s]).known_rings for i, s in enumerate(smiles)]
    assert TrainingProfile.of(smiles).unseen_share == pytest.approx(np.mean(left_out)) == pytest.approx(5 / 6)


def test_distances_are_in_standard_deviations():
    even = TrainingProfile.of(["C" * n for n in range(1, 101)])  # weights at equal distances
    halves = even.quantiles["mw"]
    assert halves.std() == pytest.approx(14.027 * np.sqrt(100**2 / 12), rel=0.02)
    assert even.distance("mw", halves + 2 * halves.std()) == pytest.approx(2)
    assert even.distance("mw", halves) == 0
    assert even.likeness(["C" * n for n in range(1, 101)]).distances["mw"] == pytest.approx(0, abs=0.02)


def test_molecules_like_those_trained_on_are_not_warned_of(profile):
    found = profile.likeness([*DRUGS, "COc1ccccc1", "CCNc1cccnc1"])
    assert found.known_rings == 1
    assert found.warning() == ""


def test_valid_garbage_is_warned_of(profile):
    found = profile.likeness(CAGES * 10)
    assert found.known_rings == 0
    assert min(found.distances["mw"], found.distances["logp"]) > 1
    assert found.unknown[0] in "".join(found.line() + found.warning())
    assert "100% have ring systems that no training molecule has" in found.warning()
    assert "far from training molecules in weight, logP" in found.warning()


def test_a_few_molecules_prove_nothing():
    assert Likeness(1, 0.0, 0.95, {"mw": 2.0}, ("C1=CC=C1",)).warning() == ""
    assert Likeness(16, 0.5, 0.95, {"mw": 1.1}, ("C1=CC=C1",)).warning().count(";") == 1


def test_nothing_valid(profile):
    nothing = profile.likeness([])
    assert nothing.line() == "known ring systems and W1: no valid molecule to measure"
    assert nothing.known_rings == 0
    assert np.isfinite(nothing.mean_distance)


def test_a_profile_travels_in_json(profile):
    again = TrainingProfile.restore(json.loads(json.dumps(profile.state())))
    assert again.likeness(DRUGS + CAGES).line() == profile.likeness(DRUGS + CAGES).line()


@pytest.mark.parametrize(
    "damage",
    [
        {"unseen_share": 2},
        {"ring_systems": 5},
        {"quantiles": {}},
        {"quantiles": {"mw": [2.0, 1.0], "logp": [0.0], "qed": [0.0], "sa": [0.0]}},
        {"quantiles": {"mw": [], "logp": [0.0], "qed": [0.0], "sa": [0.0]}},
    ],
)
def test_a_damaged_profile_is_refused(profile, damage):
    with pytest.raises((ValueError, KeyError, UsageError)):
        TrainingProfile.restore(profile.state() | damage)


def test_samples_are_described_by_a_loaded_model_without_its_data(run, space):
    loaded = vaehub.load(run.path)
    first, second = loaded.codec.described(space.domain.train["smiles"].tolist()[:100]).splitlines()
    assert first.startswith("100 drawn, 100 valid (100.0%)")
    assert second.startswith("known ring systems 100.0% (unseen molecules ")
    with pytest.warns(UserWarning, match="valid, but not like those trained on: 100% have ring systems"):
        assert "known ring systems 0.0%" in loaded.codec.described(CAGES * 10)


def test_a_model_saved_before_profiles_loads_and_counts(run, tmp_path):
    weights, header = load_model(run.path / "model.safetensors")
    codec = {name: value for name, value in header["codec"].items() if name != "profile"}
    save_model(tmp_path / "old.safetensors", weights, header | {"codec": codec})
    old = vaehub.load(tmp_path / "old.safetensors")
    assert old.codec.profile is None
    assert old.codec.described(CAGES) == "4 drawn, 4 valid (100.0%), 4 unique (100.0%), 4 novel (100.0%)"
    assert "profile" not in old.codec.to_json()
    assert profile_of(old).state() == run.codec.profile.state()  # the doctor has the training data
