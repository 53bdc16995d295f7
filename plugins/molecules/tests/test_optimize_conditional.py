"""A search with a model that writes molecules to order."""

import pytest

import vaehub
from vaehub.errors import UsageError
from vaehub_molecules.search import optimize
from vaehub_molecules.search.evolve import Evolve
from vaehub_molecules.search.optimize import space_of


@pytest.fixture(scope="module")
def to_order(molecules_file, tmp_path_factory):
    """A model that is conditioned on logP."""
    network = {"name": "gru", "embedding": 16, "width": 48}
    domain = {"name": "smiles", "path": str(molecules_file), "condition": ["logp"]}
    parts = {
        "encoder": network,
        "decoder": network,
        "likelihood": "categorical",
        "latent": 8,
        "train": {"epochs": 4, "score_rows": 0},
    }
    return vaehub.train({"domain": domain, **parts}, out=tmp_path_factory.mktemp("runs") / "to_order")


@pytest.mark.filterwarnings("ignore")
def test_it_is_asked_for_its_condition(to_order, molecules_file, tmp_path):
    method, pool = Evolve(population=8, children=8), str(molecules_file)
    result = optimize(to_order, "logp", 30, method, pool=pool, workers=0, cond=["logp=4"], out=tmp_path / "best")
    assert len(result.trace) == 30
    assert {"around", "cross"} & set(result.trace.by)
    with pytest.raises(UsageError, match="was made with condition="):
        optimize(to_order, "logp", 30, method, pool=pool, workers=0, cond=[2], out=tmp_path / "best")


def test_codes_are_read_under_the_condition(to_order):
    space = space_of(to_order, [4.0])
    z = space.prior(5, seed=0)
    given = space.codec.condition(["logp=4"]).expand(5, -1)
    assert space.strings(z) == space_of(to_order, [0]).strings(z, cond=given)


def test_the_condition_must_fit_the_model(to_order):
    with pytest.raises(UsageError, match="run: the model is conditional: say which"):
        optimize(to_order, "qed", 10)
    with pytest.raises(UsageError, match="'qed' is no condition"):
        optimize(to_order, "qed", 10, cond=["qed=1"])
