"""The doctor sees what a grammar cannot make true: whether molecules come back and are built like those trained on."""

from rdkit import Chem

from vaehub.evaluation.doctor import examine
from vaehub_molecules.checks import has_odd_ring


def test_rings_of_unusual_sizes_are_seen():
    assert not has_odd_ring(Chem.MolFromSmiles("c1ccc2[nH]ccc2c1"))
    assert has_odd_ring(Chem.MolFromSmiles("C1CC1"))
    assert has_odd_ring(Chem.MolFromSmiles("C1CCCCCCCC1"))


def test_a_model_that_was_hardly_trained_is_not_called_well(run):
    diagnosis = examine(run)
    assert len(diagnosis.of_domain) == 5
    assert "of the domain" in diagnosis.verdict
    assert {"no reconstruction", "odd rings", "unknown ring systems", "odd properties"} & {
        finding.name for finding in diagnosis.findings
    }
