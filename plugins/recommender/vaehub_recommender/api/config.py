"""The config of a recommender: the shipped one, a user's, and what is changed in it by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vaehub import Config, load_config
from vaehub_recommender.tables import Columns

HYBRID: dict[str, Any] = {  # configs/recommender.yaml
    "domain": {"name": "recommender", "history": True},
    "latent": 200,
    "encoder": "recvae",
    "posterior": "diag_normal",
    "decoder": {"name": "linear", "penalty": 100, "dropout": 0.5, "base": {"name": "catalogue", "hidden": []}},
    "likelihood": "implicit_multinomial",
    "prior": "standard_normal",
    "objective": {"name": "recvae", "gamma": 0.0035, "decoder_epochs": 0},
    "optimizer": {"lr": 2e-3, "schedule": "cosine"},
    "train": {
        "epochs": 100,
        "batch_size": 500,
        "eval_batch_size": 500,
        "monitor": "val_ndcg",
        "validate_every": 10,
        "score_rows": 0,
        "seed": 0,
    },
    "trainer": {"precision": "bf16-mixed"},
}


def recommender_config(given: Any, options: Mapping[str, Any], columns: Columns) -> Config:
    """The config that is `given` (a file, a name or a mapping; None: the shipped hybrid) with options such as {"train.epochs": 5} or latent=100."""
    named = {name: value for name, value in asdict(columns).items() if value is not None}
    return load_config(HYBRID if given is None else given, options, domain=named)
