"""Fingerprints, similarities, neighbours and properties."""

import numpy as np
import pytest
from rdkit import DataStructs
from rdkit.Chem import MolFromSmiles
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

from vaehub.errors import UsageError
from vaehub_molecules.chem import fingerprints as module
from vaehub_molecules.chem.fingerprints import fingerprints, nearest, tanimoto
from vaehub_molecules.chem.properties import PROPERTIES, property_table

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CCCCCCCCCCCC",
    "CCCCCCCCCCCCCCCC",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc1nccc(-c2cn(C)c3ccccc23)n1",
    "C",
    "O=C(O)c1ccccc1O",
]


def by_rdkit(counts, size, radius=2):
    generator = GetMorganGenerator(radius=radius, fpSize=size)
    prints = [(generator.GetCountFingerprint if counts else generator.GetFingerprint)(MolFromSmiles(s)) for s in SMILES]
    return np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize(("size", "radius"), [(2048, 2), (64, 3)])  # most columns of 64 are full
def test_similarity_is_that_of_rdkit(counts, size, radius):
    prints = fingerprints(SMILES, radius=radius, size=size, counts=counts)
    assert prints.dtype == np.uint8
    assert prints.shape == (len(SMILES), size)
    np.testing.assert_allclose(tanimoto(prints, prints), by_rdkit(counts, size, radius), atol=1e-6)


def test_similarity_of_any_counts():
    draw = np.random.default_rng(0)
    a, b = draw.poisson(0.3, (40, 600)), draw.poisson(0.3, (30, 600)) * draw.integers(1, 9)
    low, high = (pick(a[:, None], b[None]).sum(2) for pick in (np.minimum, np.maximum))
    np.testing.assert_allclose(tanimoto(a, b), low / high, rtol=1e-6)


def test_nothing_is_like_nothing():
    empty, some = np.zeros((1, 8), np.uint8), np.eye(8, dtype=np.uint8)[:1]
    assert tanimoto(empty, empty).item() == 1
    assert tanimoto(empty, some).item() == 0
    assert tanimoto(empty[:0], some).shape == (0, 1)


def test_neighbours_are_the_same_however_they_are_split(monkeypatch):
    prints = fingerprints(SMILES)
    monkeypatch.setattr(module, "BLOCK", 3)
    rows, alike = nearest(prints, prints, 3)
    full = tanimoto(prints, prints)
    assert rows[:, 0].tolist() == list(range(len(SMILES)))
    np.testing.assert_array_equal(alike, -np.sort(-full, axis=1)[:, :3])
    np.testing.assert_array_equal(np.take_along_axis(full, rows, 1), alike)
    assert rows[SMILES.index("O=C(O)c1ccccc1O")][1] == 0


def test_neighbours_need_a_k_that_exists():
    prints = fingerprints(SMILES[:2])
    for k in (0, 3):
        with pytest.raises(ValueError, match=f"k={k} of 2"):
            nearest(prints, prints, k)
    assert nearest(prints[:0], prints, 2)[0].shape == (0, 2)


def test_a_molecule_that_is_none():
    with pytest.raises(ValueError, match="C1CC"):
        fingerprints(["CC", "C1CC"])


def test_properties_of_aspirin():
    got = property_table(["CC(=O)Oc1ccccc1C(=O)O", "C1CC"])
    assert list(got) == list(PROPERTIES)
    assert got.loc[1].isna().all()
    known = {"mw": 180.159, "logp": 1.3101, "tpsa": 63.60, "qed": 0.5501, "sa": 1.58, "heavy": 13, "rings": 1, "hbd": 1, "hba": 3}
    assert {name: got.loc[0, name] for name in known} == pytest.approx(known, abs=6e-3)


def test_penalised_logp_counts_the_ring_that_is_too_large():
    small, large = property_table(["C1CCCCC1", "C1CCCCCCC1"])[["logp", "sa", "penalised_logp", "plogp_jtvae"]].to_numpy()
    assert small[2] == pytest.approx(small[0] - small[1])
    assert large[2] == pytest.approx(large[0] - large[1] - 2)
    assert large[3] == pytest.approx(large[0] - large[1])


def test_penalised_logp_is_normalised_as_in_the_tables():
    """The best of ZINC250k has 4.52 in "Junction Tree Variational Autoencoder" (Jin et al., 2018)."""
    smiles = "CCCCCCCC/C=C\\CCCCCCCC(=O)O"  # not of ZINC: by hand from its three terms
    row = property_table([smiles]).loc[0]
    by_hand = (row.logp - 2.4570953) / 1.4343244 - (row.sa - 3.0525811) / 0.8335207 + 0.0485697 / 0.2860212
    assert row.penalised_logp_normalised == pytest.approx(by_hand, abs=1e-5)


def test_a_property_that_does_not_exist():
    with pytest.raises(UsageError, match="did you mean 'logp'"):
        property_table(["C"], ["logP"])
