"""What makes a job the same as before: digests of content, never of the bytes of a file, which a second saving may change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vaehub.base import Json
from vaehub.jobs.definitions import definitions_of
from vaehub.jobs.functions import code_of

if TYPE_CHECKING:
    from torch import Tensor


def digest(parts: Iterable[bytes | str]) -> str:
    """Twelve hex digits over the parts in order, whatever their lengths.

    Arguments:
        parts: bytes and texts.

    >>> digest(["a", "bc"]) == digest(["ab", "c"])
    False
    """
    out = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        out.update(len(content).to_bytes(8, "little") + content)
    return out.hexdigest()[:12]


def digest_of_model(config: Json, weights: Mapping[str, Tensor]) -> str:
    """A model by what it computes: its config and its weights, whatever file they lie in.

    Arguments:
        config: of the run, in JSON types.
        weights: tensors by name.

    >>> import torch
    >>> one, other = (digest_of_model({"latent": 2}, {"w": torch.tensor([x])}) for x in (1.0, 2.0))
    >>> one == other, len(one)
    (False, 12)
    """
    import torch

    parts: list[bytes | str] = [json.dumps(config, sort_keys=True)]
    for name, tensor in sorted(weights.items()):
        parts += [f"{name} {tensor.dtype} {tuple(tensor.shape)}"]
        parts += [tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()]
    return digest(parts)


def digest_of_code(function: Callable[..., Any]) -> str:
    """A function by its source and that of all of the user's code which it uses.

    Also by the numbers and texts that this reads, and by the statements that make other things which it reads, such as a compiled pattern.
    What files of data hold is not seen.

    Arguments:
        function: of Python, or a method, a partial or an object that can be called.

    >>> digest_of_code(abs) == digest_of_code(abs), digest_of_code(abs) == digest_of_code(len)
    (True, False)
    """
    return digest(code_of(function, set()) + definitions_of(function))
