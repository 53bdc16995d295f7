"""A model is one safetensors file whose header is JSON. Loading one executes nothing, and a file that was changed is refused."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub.files.guard import MAX_BYTES, guarded, regular_file, shortened
from vaehub.files.validated import Json

FORMAT = "vaehub/3"
BEFORE = ("vaehub/1", "vaehub/2")  # had a key of metadata for every entry, in any order, and no digest
KEY = "vaehub"  # the only key of metadata: safetensors writes several in random order
REMEDY = "use another copy, or train again"
DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "C64": torch.complex64,
}


class Kind(NamedTuple):
    """What a file says of a tensor before it is read."""

    dtype: torch.dtype
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile:
    """A model file whose header was read: what it says of the model, and of its tensors."""

    path: Path
    header: Json
    digest: str | None  # None in files of the formats before
    kinds: Mapping[str, Kind]

    @property
    def size(self) -> int:
        """Bytes of all tensors."""
        return sum(math.prod(kind.shape) * kind.dtype.itemsize for kind in self.kinds.values())

    def weights(self) -> dict[str, Tensor]:
        """All tensors by name.

        Raises:
            UsageError: they or the header are not those that were saved.
        """
        with guarded(self.path, REMEDY), safe_open(self.path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in self.kinds}
        if self.digest not in (None, digest(weights, self.header)):
            raise UsageError(f"{self.path}: damaged (its SHA-256 is not that of what was saved); {REMEDY}")
        return weights


def save_model(path: Path, weights: Mapping[str, Tensor], header: Json) -> None:
    """Weights and everything needed to rebuild the model in one safetensors file; the same model gives the same bytes.

    Arguments:
        path: where to write it, whole or not at all.
        weights: tensors by name.
        header: all else that is known of the model, in JSON types.

    Raises:
        OSError: the place cannot be written to; it names the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(Path(folder, "m.safetensors"), {"w": torch.ones(2)}, {"latent": 1})
    ...     load_model(Path(folder, "m.safetensors"))
    ({'w': tensor([1., 1.])}, {'latent': 1})
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    content = {"format": FORMAT, "header": header, "sha256": digest(tensors, header)}
    atomic_write(path, save(tensors, {KEY: canonical(content)}))


def load_model(path: Path) -> tuple[dict[str, Tensor], Json]:
    """What `save_model` wrote.

    Arguments:
        path: of a model file.

    Returns:
        Weights by name, and the header.

    Raises:
        UsageError: the file is missing, damaged or no model of ours.

    >>> load_model(Path("no.safetensors"))
    Traceback (most recent call last):
    vaehub.errors.UsageError: no.safetensors: no model file here; is this the folder of a finished run?
    """
    file = open_model(path)
    return file.weights(), file.header


def open_model(path: Path) -> ModelFile:
    """A model file, of which only the header is read.

    Arguments:
        path: of a model file.

    Raises:
        UsageError: the file is missing, damaged or no model of ours.
    """
    if not path.exists():
        raise UsageError(f"{path}: no model file here; is this the folder of a finished run?")
    with guarded(regular_file(path, MAX_BYTES), REMEDY):
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                kinds = {name: kind_of(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise UsageError(f"{path}: damaged or not a safetensors file ({shortened(str(error))}); {REMEDY}") from error
        return ModelFile(path, *content_of(path, metadata), kinds=kinds)


def kind_of(part: Any) -> Kind:
    """Dtype and shape of a tensor that is not read."""
    return Kind(DTYPES[part.get_dtype()], tuple(part.get_shape()))


def content_of(path: Path, metadata: Mapping[str, str]) -> tuple[Json, str | None]:
    """(header, digest) from a file's metadata."""
    if metadata.get("format") in BEFORE:
        return {key: json.loads(value) for key, value in metadata.items() if key != "format"}, None
    content = json.loads(metadata[KEY]) if KEY in metadata else metadata
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else content
        raise UsageError(f"{path}: format {found!r}, expected {FORMAT!r}; it was not written by this version of vaehub")
    header, sha256 = content["header"], content["sha256"]
    if not isinstance(header, dict) or not isinstance(sha256, str):
        raise ValueError("its header is no object of JSON")
    return header, sha256


def canonical(value: Any) -> str:
    """The one way in which a JSON value is written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(tensors: Mapping[str, Tensor], header: Json) -> str:
    """SHA-256 over the header and the names, dtypes, shapes and bytes of all tensors, in the order of their names."""
    out = hashlib.sha256(canonical(header).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        out.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = (
            tensor.reshape(-1) if tensor.numel() > 1 else tensor.new_empty(tensor.numel()).copy_(tensor.reshape(-1))
        )  # of stride 1
        out.update(flat.view(torch.uint8).numpy().data)
    return out.hexdigest()
