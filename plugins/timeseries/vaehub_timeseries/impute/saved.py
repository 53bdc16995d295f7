"""A fitted imputer as a folder: files of safetensors whose headers are JSON. Loading one executes nothing."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaehub import UsageError, files
from vaehub import load as load_run
from vaehub_timeseries.codec import SeriesCodec
from vaehub_timeseries.frames import Schema
from vaehub_timeseries.frames.generated import Calendar
from vaehub_timeseries.generation.generator import Generator
from vaehub_timeseries.impute.fitted import FitOptions, Fitted, fitted_elsewhere
from vaehub_timeseries.impute.held_out import HeldOut
from vaehub_timeseries.impute.linear import LinearExpert
from vaehub_timeseries.marginals.bounds import Pair, checked_bounds
from vaehub_timeseries.model.experts import PROCESS, VAE, Experts
from vaehub_timeseries.scale import Scaler

NAME, MODEL = "imputer.safetensors", "model"  # models of vaehub 0.1 had the experts in a folder of their own
GENERATOR = "generator."  # in front of the names of the tensors that new series are drawn by
REMEDY = "use another copy, or fit again"


@dataclass(frozen=True)
class SavedImputer:
    """A fitted imputer as its folder holds it.

    params: the options of its constructor; feature_names: of its columns, where all are text, else none; width: how many columns;
    indicated: the columns that get an indicator.
    """

    params: dict[str, Any]
    fitted: Fitted
    feature_names: list[str]
    width: int
    indicated: list[Hashable] = field(default_factory=list)


def save_imputer(saved: SavedImputer, folder: Path) -> None:
    """Write the folder whole or not at all, in place of an imputer that is there."""
    fitted = saved.fitted
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in fitted.held_out._asdict().items()}
    if fitted.generator is not None:
        tensors |= {GENERATOR + name: tensor for name, tensor in fitted.generator.to_tensors().items()}
    with files.atomic_folder(folder, (NAME, PROCESS, VAE)) as temporary:
        if fitted.model is not None:
            fitted.model.save(temporary)
        files.save_model(temporary / NAME, tensors, {"imputer": header(saved)})


def header(saved: SavedImputer) -> dict[str, Any]:
    """All but the arrays, as JSON."""
    fitted = saved.fitted
    return {
        "params": {name: to_json_value(value) for name, value in saved.params.items() if name != "bounds"},
        "options": {name: to_json_value(value) for name, value in vars(fitted.options).items() if name != "bounds"},
        "bounds": packed_bounds(fitted.options.bounds),
        "calendar": None if fitted.calendar is None else fitted.calendar.to_json(),
        "schema": fitted.schema.to_json(),
        "scaler": fitted.scaler.to_json(),
        "known": fitted.modelled.tolist(),
        "linear": fitted.linear.state(),
        "seen": sorted(fitted.trained_on),
        "features": saved.feature_names,
        "width": saved.width,
        "model": fitted.model is not None,
        "indicated": to_json_value(saved.indicated),
    }


def load_imputer(folder: Path) -> SavedImputer:
    """What `save_imputer` wrote, or an imputer around a run of `vaehub train`. Raises UsageError for what is neither."""
    files.restore_folder(folder)
    file = folder / NAME
    if not folder.exists():
        raise UsageError(f"{folder}: no such folder; give one that Imputer.save or `vaehub train` wrote")
    if not file.exists():
        return from_run(folder)
    tensors, head = files.load_model(file)
    with files.guarded(file, REMEDY):
        return from_file(folder, tensors, files.validated_json(dict[str, Any], head["imputer"]))


def from_file(folder: Path, tensors: dict[str, torch.Tensor], head: dict[str, Any]) -> SavedImputer:
    """What the file holds. Raises ValueError, KeyError or TypeError where it is damaged."""
    held_out = HeldOut.restored({name: tensor.numpy() for name, tensor in tensors.items()})
    model = Experts.load(folder / MODEL if (folder / MODEL).is_dir() else folder) if head["model"] else None
    modelled = np.array(files.validated_json(list[bool], head["known"]))
    schema, scaler = Schema.from_json(head["schema"]), Scaler.from_json(head["scaler"])
    linear = LinearExpert.restore(head["linear"], scaler.take(modelled) if len(modelled) == len(scaler.mean) else None)
    if not (len(modelled) == len(schema.channels) == len(scaler.mean) and int(modelled.sum()) == len(linear.step)):
        raise ValueError(
            f"{len(schema.channels)} channels, but {len(modelled)}, {len(scaler.mean)} and {len(linear.step)} of them modelled"
        )
    trained_on = frozenset(files.validated_json(list[str], head["seen"]))
    bounds = unpacked_bounds(head.get("bounds"))
    options = FitOptions(**{name: from_json_value(value) for name, value in head["options"].items()}, bounds=bounds)
    drawing = {name.removeprefix(GENERATOR): tensor for name, tensor in tensors.items() if name.startswith(GENERATOR)}
    generator = Generator.from_tensors(drawing) if drawing else None
    calendar = None if head.get("calendar") is None else Calendar.from_json(head["calendar"])
    fitted = Fitted(schema, scaler, modelled, linear, model, held_out, trained_on, options, generator, calendar)
    params = {name: from_json_value(value) for name, value in head["params"].items()} | {"bounds": bounds}
    names, width = files.validated_json(list[str], head["features"]), files.validated_json(int, head["width"])
    indicated = [files.unpack(label) for label in files.validated_json(list[Any], head.get("indicated", []))]
    return SavedImputer(params, fitted, names, width, indicated)


def packed_bounds(bounds: dict[Hashable, Pair] | Pair | None) -> Any:
    """Checked bounds as JSON, None for what is infinite: a pair for all columns, or a list of [column, pair]."""
    if bounds is None:
        return None
    if isinstance(bounds, dict):
        return {"columns": [[files.pack(column, "column"), packed_bounds(pair)] for column, pair in bounds.items()]}
    return [end if np.isfinite(end) else None for end in bounds]


def unpacked_bounds(packed: Any) -> Any:
    """The bounds whose `packed_bounds` these are. Raises UsageError, KeyError or TypeError where they are damaged."""
    if isinstance(packed, dict):
        return checked_bounds({files.unpack(column): pair for column, pair in packed["columns"]})
    return checked_bounds(packed)


def to_json_value(value: Any) -> Any:
    """A parameter as JSON: labels with their types, the path of a config as text."""
    if isinstance(value, list | tuple):
        return [files.pack(label, "column") for label in value]
    return str(value) if isinstance(value, Path) else value


def from_json_value(value: Any) -> Any:
    """The parameter whose `to_json_value` this is."""
    return tuple(files.unpack(label) for label in value) if isinstance(value, list) else value


def from_run(folder: Path) -> SavedImputer:
    """The imputer around a run of `vaehub train`. Raises UsageError for one that was not trained on a table of series."""
    run = load_run(folder)
    codec = run.codec
    if not isinstance(codec, SeriesCodec):
        raise UsageError(
            f"{folder}: a run with domain {run.config.domain.name}; give one with domain timeseries, or a saved Imputer"
        )
    if codec.schema is None or codec.scaler is None:
        raise UsageError(f"{folder}: this run was trained on arrays and knows no columns; give one that was trained on a table")
    return from_model(codec.schema, codec.scaler, Experts.of_run(run))


def from_model(schema: Schema, scaler: Scaler, model: Experts) -> SavedImputer:
    """An imputer around a model that was trained elsewhere, with no held-out cells yet."""
    params = {**asdict(schema.reading), "causal": model.causal}
    names = [label for label in schema.dtypes if isinstance(label, str)]
    fitted = fitted_elsewhere(schema, scaler, model, FitOptions(causal=model.causal))
    return SavedImputer(params, fitted, names if len(names) == len(schema.dtypes) else [], len(schema.dtypes))
