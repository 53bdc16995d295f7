"""Files that survive a crash: a model is one safetensors file whose header is JSON, and loading one executes nothing."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vaehub.base import Json
from vaehub.errors import UsageError

FORMAT = "vaehub/1"
MAX_BYTES = 8 * 2**30  # a VAE is megabytes; more than this is not read


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that becomes `path` when all went well: temp file in the same folder, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temp = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temp).chmod(0o644)
        os.replace(temp, path)
    except BaseException:
        Path(temp).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def atomic_write(path: Path, content: bytes) -> None:
    """Write all of `content` or nothing."""
    with atomic_file(path) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_parts(folder: Path) -> None:
    """Delete what a killed process was still writing under `folder`."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)


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


class AtomicCheckpoints(CheckpointIO):
    """Lightning's own state for resuming a run, written by `atomic_write` and read with weights_only=True."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write `checkpoint` whole or not at all."""
        buffer = BytesIO()
        torch.save(checkpoint, buffer)
        atomic_write(Path(path), buffer.getvalue())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        """Read tensors and plain values only."""
        try:
            state: dict[str, Any] = torch.load(path, map_location=map_location or "cpu", weights_only=True)
        except Exception as error:
            raise UsageError(f"{path}: cannot resume from it ({type(error).__name__}); start again with --force") from error
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)
