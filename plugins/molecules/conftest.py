"""A small trained model for the examples in docstrings that need one, under the names `run` and `space`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def example_run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of a few hundred small molecules after one epoch."""
    import vaehub
    from vaehub_molecules.domains.smiles import Smiles

    network = {"name": "gru", "embedding": 8, "width": 16}
    return vaehub.train(
        {
            "domain": {"name": "smiles", **Smiles.example(Path(tmp_path_factory.mktemp("example")))},
            "encoder": network,
            "decoder": network,
            "likelihood": "categorical",
            "latent": 4,
            "train": {"epochs": 1, "score_rows": 0},
        },
        out=None,
    )


@pytest.fixture(autouse=True)
def _example_model(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    """Give the model to the examples that mention it, and to nothing else."""
    if isinstance(request.node, pytest.DoctestItem) and any("space" in line.source for line in request.node.dtest.examples):
        from vaehub_molecules.use.latent_space import LatentSpace

        run = request.getfixturevalue("example_run")
        doctest_namespace.update(run=run, space=LatentSpace(run))
