"""The measures of MOSES, each on molecules small enough to know the answer."""

import math
import warnings
from hashlib import sha256

import numpy as np
import pytest
from rdkit.Chem import MolFromSmiles

from vaehub.errors import UsageError
from vaehub_molecules.metrics import Reference, evaluate
from vaehub_molecules.metrics import similarity as similarity_module
from vaehub_molecules.metrics.fcd import Moments, frechet, moments
from vaehub_molecules.metrics.features import FeatureSet, fragments, scaffold
from vaehub_molecules.metrics.filters import has_pattern, passes_filters, patterns
from vaehub_molecules.metrics.similarity import cosine, internal_diversity, nearest_similarity

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "O=C(Nc1ccccc1)c1ccc(F)cc1",
    "CC(=O)Nc1ccc(O)cc1",
]
SAMPLES = [*DRUGS[:3], DRUGS[0], "C1CC", "", "OC(=O)c1ccccc1O", "CCOC(=O)c1ccc(N)cc1"]


@pytest.fixture(scope="module")
def figures():
    return evaluate(SAMPLES, {DRUGS[0], DRUGS[1]}, test=DRUGS)


def test_counts(figures):
    assert figures["validity"] == 6 / 8
    assert figures["uniqueness"] == 5 / 6
    assert figures["novelty"] == 3 / 5
    assert not [name for name in figures if "@" in name]  # fewer than a thousand were drawn


def test_uniqueness_at_a_thousand_is_of_the_first_thousand_valid():
    got = evaluate(["C1"] * 2 + ["C"] * 500 + ["CC"] * 600, set())
    assert got["uniqueness@1k"] == 2 / 1000
    assert "uniqueness@10k" not in got
    assert "FCD" not in got
    assert "novelty" not in got  # of what was trained on nothing is known


def test_samples_like_the_test_set_are_perfect():
    got = evaluate(DRUGS, DRUGS, test=DRUGS)
    assert [got[name] for name in ("SNN", "Frag", "Scaf", "novelty", "logP W1")] == pytest.approx([1, 1, 1, 0, 0])
    assert got["FCD"] == pytest.approx(0, abs=1e-4)


def test_nothing_valid_and_nothing_at_all():
    assert evaluate(["C1CC", ""], DRUGS) == {"validity": 0}
    with pytest.raises(UsageError, match="no samples"):
        evaluate([], DRUGS)
    with pytest.raises(UsageError, match="none of the 1 molecules to compare with"):
        evaluate(DRUGS, DRUGS, test=["C1CC"])


def test_a_file_that_is_no_statistics_of_moses(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        evaluate(DRUGS, DRUGS, statistics=tmp_path / "test_stats.npz")
    np.savez(tmp_path / "x.npz", stats=np.zeros(3))
    with pytest.raises(UsageError, match="checksum"):
        Reference.official(tmp_path / "x.npz")


def test_the_statistics_of_moses_are_read_as_they_are_written(figures, tmp_path, monkeypatch):
    """A file of their form; the two real ones are read by benchmarks/molecules/metrics_parity.py."""
    known = Reference.of(DRUGS)
    stats = {name: {"values": values.tolist()} for name, values in known.values.items()} | {
        "FCD": {"mu": known.moments.mean, "sigma": known.moments.covariance},
        "SNN": {"fps": np.unpackbits(known.prints, axis=1)},
        "Frag": {"frag": known.fragments},
        "Scaf": {"scaf": known.scaffolds},
    }
    path = tmp_path / "test_stats.npz"
    np.savez(path, stats=np.array(stats, dtype=object))
    monkeypatch.setattr("vaehub_molecules.metrics.reference.OFFICIAL", {sha256(path.read_bytes()).hexdigest()})
    assert evaluate(SAMPLES, {DRUGS[0], DRUGS[1]}, statistics=path) == pytest.approx(figures)


def test_diversity_and_nearest_by_hand(monkeypatch):
    flags = np.random.default_rng(0).random((7, 64)) < 0.3
    packed = np.packbits(flags, axis=1)
    full = (flags[:, None] & flags).sum(2) / (flags[:, None] | flags).sum(2)
    monkeypatch.setattr(similarity_module, "block_slices", lambda n: [slice(i, min(i + 3, n)) for i in range(0, n, 3)])
    assert internal_diversity(packed) == pytest.approx((1 - full.mean(), 1 - np.sqrt((full**2).mean(1)).mean()), abs=1e-6)
    assert nearest_similarity(packed[:4], packed[3:]) == pytest.approx(full[:4, 3:].max(1).mean(), abs=1e-6)


def test_cosine_of_counts():
    assert cosine({"a": 3, "b": 4}, {"b": 2, "c": 9}) == pytest.approx(8 / (5 * math.sqrt(85)))
    assert math.isnan(cosine({}, {"a": 1}))


def test_fragments_and_scaffolds():
    assert sorted(fragments(MolFromSmiles("CC(=O)Nc1ccccc1"))) == ["[1*]C(C)=O", "[16*]c1ccccc1", "[5*]N[5*]"]
    assert scaffold(MolFromSmiles("O=C(Nc1ccccc1)c1ccc(F)cc1")) == "O=C(Nc1ccccc1)c1ccccc1"
    assert scaffold(MolFromSmiles("CCc1ccccc1")) == ""  # a single ring


@pytest.mark.parametrize(
    ("smiles", "passed"),
    [
        ("CC(=O)Nc1ccc(O)cc1", True),
        ("C1CCCCCCC1", False),  # ring of eight
        ("C[N+](C)(C)C", False),  # charge
        ("CI", False),  # element
        ("C=CC#N", False),  # MCF1
        ("O=C1CSC(=S)N1", False),  # PAINS: rhodanine
    ],
)
def test_filters(smiles, passed):
    assert passes_filters(MolFromSmiles(smiles)) is passed


def test_the_screen_by_bits_changes_nothing():
    from rdkit.Chem import AddHs

    with_hydrogens = [AddHs(MolFromSmiles(s)) for s in [*DRUGS, "O=C1CSC(=S)N1", "C=CC#N", "CN(C)c1ccc(N=Nc2ccccc2)cc1"]]
    tried = [any(mol.HasSubstructMatch(query) for query in patterns().queries) for mol in with_hydrogens]
    assert [has_pattern(mol) for mol in with_hydrogens] == tried
    assert len(patterns().queries) == 502
    assert 0 < sum(tried) < len(tried)


def test_frechet_distance_of_gaussians():
    one = Moments(np.array([1.0, 0.0]), np.diag([4.0, 1.0]))
    two = Moments(np.array([0.0, 0.0]), np.diag([1.0, 1.0]))
    assert frechet(one, two) == pytest.approx(2)  # 1 + (2 - 1)²
    assert math.isnan(frechet(one, None))
    assert moments(["C"]) is None


def test_fcd_is_that_of_fcd_torch(figures):
    fcd_torch = pytest.importorskip("fcd_torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses what numpy and scipy are about to drop
        theirs = fcd_torch.FCD()(DRUGS, FeatureSet.of(SAMPLES).smiles)
    assert figures["FCD"] == pytest.approx(theirs, abs=1e-3)


def test_without_fcd_torch_the_rest_is_there(monkeypatch):
    monkeypatch.setattr("vaehub_molecules.metrics.fcd.find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="FCD is left out"):
        got = evaluate(DRUGS, DRUGS, test=DRUGS)
    assert math.isnan(got["FCD"])
    assert got["SNN"] == pytest.approx(1)


def test_what_may_hang_a_parser_is_not_parsed():
    assert len(FeatureSet.of(["C" * 10_000, "((" * 500, "C\0", "CC"])) == 1


def test_processes_change_nothing(monkeypatch):
    monkeypatch.setattr("vaehub_molecules.chem.parallel.PER_WORKER", 2)
    alone, shared = FeatureSet.of(SAMPLES, workers=1), FeatureSet.of(SAMPLES, workers=2)
    assert shared.smiles == alone.smiles
    assert shared.fragments == alone.fragments
    np.testing.assert_array_equal(shared.prints, alone.prints)
