"""A fitted imputer as a folder: files of safetensors whose headers are JSON. Loading one executes nothing."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_folder, put_back
from vaehub.files.checked import checked
from vaehub.files.codecs import pack, unpack
from vaehub.files.guard import guarded
from vaehub.files.model_file import load_model, save_model
from vaehub.run import load as load_run
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.frames import Schema
from vaehub_timeseries.impute.fitted import Fitted, Options, adopted
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.impute.rehearsal import Rehearsed
from vaehub_timeseries.model.experts import PROCESS, VAE, Experts
from vaehub_timeseries.scale import Scaler

if TYPE_CHECKING:
    from vaehub_timeseries.impute.imputer import Imputer

NAME, MODEL = "imputer.safetensors", "model"  # models of vaehub 0.1 had the experts in a folder of their own
REMEDY = "use another copy, or fit again"


def save(imputer: Imputer, folder: Path) -> None:
    """Write the folder whole or not at all, in place of an imputer that is there."""
    fitted = imputer.fitted_
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in vars(fitted.past).items()}
    with atomic_folder(folder, (NAME, PROCESS, VAE)) as temporary:
        if fitted.model is not None:
            fitted.model.save(temporary)
        save_model(temporary / NAME, tensors, {"imputer": header(imputer)})


def header(imputer: Imputer) -> dict[str, Any]:
    """All but the arrays, as JSON."""
    fitted = imputer.fitted_
    return {
        "params": {name: closed(value) for name, value in imputer.get_params().items()},
        "options": {name: closed(value) for name, value in asdict(fitted.options).items()},
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
    put_back(folder)
    file = folder / NAME
    if not folder.exists():
        raise UsageError(f"{folder}: no such folder; give one that Imputer.save or `vaehub train` wrote")
    if not file.exists():
        return of_run(kind, folder)
    tensors, head = load_model(file)
    with guarded(file, REMEDY):
        return restored(kind, folder, tensors, checked(dict[str, Any], head["imputer"]))


def restored(kind: type[Imputer], folder: Path, tensors: dict[str, torch.Tensor], head: dict[str, Any]) -> Imputer:
    """The imputer from what was read."""
    imputer = kind(**{name: opened(value) for name, value in head["params"].items()})
    past = Rehearsed(*(tensors[field.name].numpy() for field in fields(Rehearsed)))
    model = Experts.load(folder / MODEL if (folder / MODEL).is_dir() else folder) if head["model"] else None
    known, linear = np.array(checked(list[bool], head["known"])), LinearExpert.restore(head["linear"])
    schema, scaler = Schema.from_json(head["schema"]), Scaler.from_json(head["scaler"])
    if not len(known) == len(schema.channels) == len(scaler.mean) == len(linear.step):
        raise ValueError(
            f"{len(schema.channels)} channels, but {len(known)}, {len(scaler.mean)} and {len(linear.step)} of them known"
        )
    seen = frozenset(checked(list[str], head["seen"]))
    fitted = Fitted(schema, scaler, known, linear, model, past, seen, Options(**head["options"]))
    return imputer.restore(fitted, checked(list[str], head["features"]), checked(int, head["width"]))


def closed(value: Any) -> Any:
    """A parameter as JSON: labels with their types, the path of a config as text."""
    if isinstance(value, list | tuple):
        return [pack(label, "column") for label in value]
    return str(value) if isinstance(value, Path) else value


def opened(value: Any) -> Any:
    """What `closed` closed."""
    return tuple(unpack(label) for label in value) if isinstance(value, list) else value


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
