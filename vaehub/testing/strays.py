"""Finds, on a CPU, what would fail on a GPU: a tensor that is made without a device and meets those of the model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

MAKERS = {
    *(torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.ones, torch.rand, torch.randint, torch.randn),
    *(torch.randperm, torch.zeros, torch.tensor, torch.from_numpy),
}
MOVERS = {
    Tensor.to,
    Tensor.type_as,
    Tensor.__getitem__,
    Tensor.cpu,
    torch.as_tensor,
    Tensor.copy_,
}  # each may be given tensors of two devices


class Strays(TorchFunctionMode):
    """Raises AssertionError where a tensor (of one dimension or more) that was made on the default device meets another one."""

    def __init__(self) -> None:
        super().__init__()
        self.strays = WeakIdKeyDictionary()  # tensors that are on the default device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = list(tensors((args, kwargs)))
        stray = [t for t in given if t in self.strays]
        out = func(*args, **kwargs)
        if func in MAKERS:
            found = [] if kwargs.get("device") is not None else list(tensors(out))
        elif func in MOVERS:
            found = list(tensors(out)) if func is Tensor.__getitem__ and args[0] in self.strays else []
        else:
            mixed = len(stray) < len(given) and any(t.dim() for t in stray)
            assert not mixed, (
                f"{getattr(func, '__name__', func)} mixes a tensor of shape {tuple(stray[0].shape)} on the default device"
            )
            found = list(tensors(out)) if stray and len(stray) == len(given) else []
        self.strays.update(dict.fromkeys(found, True))
        return out


def tensors(nested: Any) -> Any:
    """All tensors in nested tuples, lists and mappings."""
    if isinstance(nested, Tensor):
        yield nested
    elif isinstance(nested, tuple | list):
        for each in nested:
            yield from tensors(each)
    elif isinstance(nested, dict):
        yield from tensors(list(nested.values()))
