"""RDKit writes nothing to a terminal: what is wrong with a molecule is said by the plugin, in one line."""

from contextlib import suppress
from random import Random

import pytest
from rdkit import RDLogger
from rdkit.Chem import MolFromSmiles

from vaehub.errors import UsageError
from vaehub_molecules.chem import drawing, fingerprints, properties
from vaehub_molecules.chem.canonical import canonical_or_empty
from vaehub_molecules.chem.policy import Policy
from vaehub_molecules.chem.rdkit_log import silence_rdkit
from vaehub_molecules.graphs import cross, mutate
from vaehub_molecules.metrics.features import features_of
from vaehub_molecules.oracles import oracle
from vaehub_molecules.oracles.terms import pattern
from vaehub_molecules.search import Constraints
from vaehub_molecules.tokens import Kekule

ASPIRIN, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "Cn1cnc2c1c(=O)n(C)c(=O)n2C"


@pytest.fixture
def loud():
    """RDKit as it is in a new process."""
    RDLogger.EnableLog("rdApp.*")
    silence_rdkit.cache_clear()
    yield
    silence_rdkit.cache_clear()
    silence_rdkit()


DOORS = {
    "a formula": lambda: oracle("isomers:C7H8X2"),
    "a target": lambda: oracle("similarity:CC("),
    "a valence": lambda: oracle("median:CC,C(C)(C)(C)(C)C"),
    "a score": lambda: oracle("qed").score("C1CC"),
    "a query": lambda: pattern("c1cc("),
    "a scaffold": lambda: Constraints(scaffold="c1cc("),
    "an element": lambda: Constraints(elements=("Xx",)),
    "an element of a policy": lambda: Policy(elements=("Xx",)),
    "fingerprints": lambda: fingerprints.fingerprints(["CC("]),
    "properties": lambda: properties.property_table(["CC("], ["mw"]),
    "a picture": lambda: drawing.svg("CC("),
    "a grid": lambda: drawing.grid_svg(["CC("]),
    "measures": lambda: features_of("CC("),
    "canonical": lambda: canonical_or_empty(["c1cccc1"]),
    "Kekulé": lambda: Kekule().split("CC("),
    "mutation": lambda: [mutate(MolFromSmiles(ASPIRIN), Random(seed)) for seed in range(20)],
    "crossover": lambda: [cross(MolFromSmiles(ASPIRIN), MolFromSmiles(CAFFEINE), Random(seed)) for seed in range(5)],
}


@pytest.mark.parametrize("door", DOORS)
def test_rdkit_says_nothing_itself(door, loud, capfd):
    with suppress(UsageError, ValueError):
        DOORS[door]()
    assert capfd.readouterr() == ("", "")


def test_otherwise_it_would(loud, capfd):
    MolFromSmiles("CC(")
    assert "Parse Error" in capfd.readouterr().err
