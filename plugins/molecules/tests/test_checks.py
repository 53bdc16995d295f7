"""The doctor sees what a grammar cannot make true: whether molecules come back and are built like those trained on."""

import pytest
from rdkit import Chem

from vaehub.evaluation.doctor import Checkup, examine
from vaehub_molecules import checks
from vaehub_molecules.checks import has_odd_ring
from vaehub_molecules.domains.likeness import Likeness


def test_rings_of_unusual_sizes_are_seen():
    assert not has_odd_ring(Chem.MolFromSmiles("c1ccc2[nH]ccc2c1"))
    assert has_odd_ring(Chem.MolFromSmiles("C1CC1"))
    assert has_odd_ring(Chem.MolFromSmiles("C1CCCCCCCC1"))


def test_a_model_that_writes_as_if_it_was_hardly_trained_is_not_called_well(run, monkeypatch):
    checks.sampled_smiles.cache_clear()
    monkeypatch.setattr(run.vae.decoder, "temperature", 4.0)
    diagnosis = examine(run)
    checks.sampled_smiles.cache_clear()
    assert len(diagnosis.of_domain) == 5
    assert "of the domain" in diagnosis.verdict
    assert {"no reconstruction", "odd rings", "unknown ring systems", "odd properties"} & {
        finding.name for finding in diagnosis.findings
    }


@pytest.mark.parametrize(
    ("known", "distance", "at_fault"),
    [(0.9, 2.9, True), (0.4, 0.5, True), (0.45, 2.6, False), (0.3, 3.5, False)],
    ids=["rings", "properties", "both bad", "codes worse"],
)
def test_the_prior_is_at_fault_where_codes_of_molecules_spell_better_ones(run, monkeypatch, known, distance, at_fault):
    drawn = Likeness(200, 0.4, 0.95, {"mw": 3.0}, ("C1=CC=C1",))
    monkeypatch.setattr(checks, "sampled_likeness", lambda run: drawn)
    monkeypatch.setattr(checks, "decoded_likeness", lambda c, profile: Likeness(200, known, 0.95, {"mw": distance}, ()))
    finding = checks.prior_at_fault(Checkup(run))
    assert (finding is not None) is at_fault
    assert finding is None or "known ring systems 40.0%" in finding.evidence
