"""A model is one safetensors file whose header is JSON, and loading one executes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vaehub.base import Json
from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write

FORMAT = "vaehub/2"
MAX_BYTES = 8 * 2**30  # a VAE is megabytes; more than this is not read


def save_model(path: Path, weights: dict[str, Tensor], header: Json) -> None:
    """Weights and everything needed to rebuild the model in one safetensors file."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    metadata = {"format": FORMAT} | {key: json.dumps(value, sort_keys=True) for key, value in header.items()}
    atomic_write(path, save(tensors, metadata))


def load_model(path: Path) -> tuple[dict[str, Tensor], Json]:
    """(weights, header) of a model file. Raises UsageError where the file is missing, damaged or no model of ours."""
    if not path.is_file():
        raise UsageError(f"{path}: no model file here; is this the folder of a finished run?")
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size:,} bytes is more than a model may have ({MAX_BYTES:,})")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"{path}: damaged or not a safetensors file ({error}); use another copy, or train again") from error
    return weights, read_header(path, metadata)


def read_header(path: Path, metadata: dict[str, str]) -> Json:
    """The JSON of a model file's header."""
    if metadata.get("format") != FORMAT:
        raise UsageError(
            f"{path}: format {metadata.get('format')!r}, expected {FORMAT!r}; it was not written by this version of vaehub"
        )
    try:
        return {key: json.loads(value) for key, value in metadata.items() if key != "format"}
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: damaged header ({error}); use another copy, or train again") from error
