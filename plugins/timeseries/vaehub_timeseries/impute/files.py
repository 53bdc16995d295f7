"""A fitted imputer as a folder: the model's own files, and one of safetensors whose header is JSON. Loading one executes nothing."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vaehub.errors import UsageError
from vaehub.files.model_file import load_model, save_model
from vaehub.run import load as load_run
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.frames import Schema
from vaehub_timeseries.impute.fitted import Fitted, Options, adopted
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.rehearsal import Rehearsed
from vaehub_timeseries.model.experts import Experts
from vaehub_timeseries.scale import Scaler

if TYPE_CHECKING:
    from vaehub_timeseries.impute.imputer import Imputer

NAME, MODEL = "imputer.safetensors", "model"


def save(imputer: Imputer, folder: Path) -> None:
    """Write the model first, then the imputer that refers to it."""
    fitted = imputer.fitted_
    if fitted.model is not None:
        fitted.model.save(folder / MODEL)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in vars(fitted.past).items()}
    save_model(folder / NAME, tensors, {"imputer": header(imputer)})


def header(imputer: Imputer) -> dict[str, Any]:
    """All but the arrays, as JSON."""
    fitted = imputer.fitted_
    return {
        "params": imputer.get_params(),
        "options": asdict(fitted.options),
        "schema": fitted.schema.to_json(),
        "scaler": fitted.scaler.to_json(),
        "known": fitted.known.tolist(),
        "linear": fitted.linear.state(),
        "seen": sorted(fitted.seen),
        "features": getattr(imputer, "feature_names_in_", np.array([])).tolist(),
        "width": imputer.n_features_in_,
        "model": fitted.model is not None,
    }


def load(kind: type[Imputer], folder: Path) -> Imputer:
    """The imputer that `save` wrote, or one around a run of `vaehub train`. Raises UsageError for what is neither."""
    file = folder / NAME
    if not folder.exists():
        raise UsageError(f"{folder}: no such folder; give one that Imputer.save or `vaehub train` wrote")
    if not file.exists():
        return of_run(kind, folder)
    tensors, head = load_model(file)
    try:
        return restored(kind, folder, tensors, head["imputer"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: damaged ({type(error).__name__}: {error}); use another copy, or fit again") from error


def restored(kind: type[Imputer], folder: Path, tensors: dict[str, torch.Tensor], head: dict[str, Any]) -> Imputer:
    """The imputer from what was read."""
    params: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in head["params"].items()}
    imputer = kind(**params)
    past = Rehearsed(*(tensors[field.name].numpy() for field in fields(Rehearsed)))
    model = Experts.load(folder / MODEL) if head["model"] else None
    known, linear = np.array(head["known"], dtype=bool), LinearExpert.restore(head["linear"])
    schema, scaler = Schema.from_json(head["schema"]), Scaler.from_json(head["scaler"])
    fitted = Fitted(schema, scaler, known, linear, model, past, frozenset(head["seen"]), Options(**head["options"]))
    return imputer.restore(fitted, head["features"], int(head["width"]))


def of_run(kind: type[Imputer], folder: Path) -> Imputer:
    """The imputer around a run of `vaehub train`. Raises UsageError for one that was not trained on a table of series."""
    run = load_run(folder)
    codec = run.codec
    if not isinstance(codec, SeriesCodec):
        raise UsageError(
            f"{folder}: a run with domain {run.config.domain.name}; give one with domain timeseries, or a saved Imputer"
        )
    if codec.schema is None or codec.scaler is None:
        raise UsageError(f"{folder}: this run was trained on arrays and knows no columns; give one that was trained on a table")
    return adopt(kind, codec.schema, codec.scaler, Experts.of_run(run))


def adopt(kind: type[Imputer], schema: Schema, scaler: Scaler, model: Experts) -> Imputer:
    """An imputer around a model that was trained elsewhere."""
    imputer = kind(**asdict(schema.reading), causal=model.causal)
    names = [label for label in schema.dtypes if isinstance(label, str)]
    fitted = adopted(schema, scaler, model, Options(causal=model.causal))
    return imputer.restore(fitted, names if len(names) == len(schema.dtypes) else [], len(schema.dtypes))
