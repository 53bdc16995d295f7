"""The config of a recommender: the shipped one, a user's, and what is changed in it by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vaehub import Config, UsageError, load_config
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

CLOSED_FORM: dict[str, Any] = {  # configs/recommender_ease.yaml and recommender_knn.yaml but for the decoder
    "domain": {"name": "recommender", "history": True},
    "latent": 1,
    "encoder": {"name": "bag", "hidden": [1]},
    "posterior": "diag_normal",
    "likelihood": "implicit_multinomial",
    "prior": "standard_normal",
    "objective": "elbo",
    "train": {"epochs": 1, "batch_size": 5000, "eval_batch_size": 500, "monitor": "val_ndcg", "score_rows": 0},
}


MODEL_OPTIONS = ("latent", "encoder", "posterior", "decoder", "likelihood", "prior", "objective")
SHORT_NAMES = ("ease", "knn", "mult_dae", "mult_vae", "recvae", "vamp")  # of shipped configs, recommender_ease and so on


def recommender_config(given: Any, options: Mapping[str, Any], columns: Columns, half_life: float | None = None) -> Config:
    """The config that is `given` (a file, a name or a mapping; None: the shipped hybrid) with options such as {"train.epochs": 5} or latent=100."""
    options_of_fit = asdict(columns) | {"half_life": half_life}
    named = {name: value for name, value in options_of_fit.items() if value is not None and name != "transform"}
    if columns.transform is not None:
        how = columns.transform
        named |= {"weight_transform": how.kind, "weight_alpha": how.alpha, "weight_percentile": how.percentile}
    return load_config(HYBRID if given is None else full_name(given), options, domain=named)


def full_name(given: Any) -> Any:
    """What is given, and for "ease", "knn" or "recvae" the whole name of that shipped config."""
    short = isinstance(given, str) and given in SHORT_NAMES and not Path(given).exists()
    return f"recommender_{given}" if short else given


def chooses(given: Any, options: Mapping[str, Any], time_limit: float | None) -> bool:
    """Whether the model is left open: no config is given, and no option that says what the model is.

    Raises UsageError for a time limit where it is not.
    """
    said = next((name for name in options if name.partition(".")[0] in MODEL_OPTIONS), None)
    if given is None and said is None:
        return True
    if time_limit is not None:
        what = f"the option {said}" if given is None else f"config={given!r}" if isinstance(given, str) else "a config"
        raise UsageError(f"time_limit: bounds the search for a model, and {what} says which it is; leave one of them out")
    return False
