"""A module made again from a model file: no more memory and time than the file accounts for, however its header reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from vaehub.errors import UsageError
from vaehub.files.guard import guarded
from vaehub.files.model_file import REMEDY, ModelFile

M = TypeVar("M", bound=nn.Module)
SLACK = 4  # how often a part may make its weights while it is built (a default that is replaced, a mask beside each)
FREE_BYTES = 64 << 20  # for small files
PARTS, FREE_PARTS = 16, 1000  # modules and parameters for every weight of the file, and for small files
OPERATIONS, FREE_OPERATIONS = 500, 10_000  # of torch for every weight of the file, and for small files
FREE_BUFFERS = 1 << 30  # bytes of what a model computes when it is built and does not save


class Oversized(UsageError):
    """The header describes a larger model than the file holds."""


def rebuilt(file: ModelFile, build: Callable[[], M], apart: str = "\0") -> tuple[M, dict[str, Tensor]]:
    """A module with the weights of a file.

    It is built on the meta device first, where tensors have shapes and no bytes, and compared with the file before memory is taken.
    A part that reads numbers while it is built (the masks of a flow) cannot be built there: it is built for real at once, and every
    tensor that it asks for is measured first.

    Arguments:
        file: the model file.
        build: makes the module.
        apart: how the names of weights begin that belong to something else.

    Returns:
        The module, and the weights that are not its own, by their names without `apart`.

    Raises:
        UsageError: file and header do not fit, or weights are not finite.
    """
    own = replace(file, kinds={name: kind for name, kind in file.kinds.items() if not name.startswith(apart)})
    with guarded(file.path, REMEDY):
        module = None if fits_on_meta(own, build) else built_within(own, build)
        weights = file.weights()
        module = build().to(dtype=precision_of(own)) if module is None else module
        module.load_state_dict({name: weights[name] for name in own.kinds})
        require_numbers(module)
        return module, {name.removeprefix(apart): tensor for name, tensor in weights.items() if name not in own.kinds}


def fits_on_meta(file: ModelFile, build: Callable[[], nn.Module]) -> bool:
    """Whether the module fits the file; False where it cannot be built on the meta device. Raises UsageError where it does not fit."""
    try:
        with registrations_within(file), Operations(file), torch.device("meta"):
            module = build().to(dtype=precision_of(file))
    except Oversized:
        raise
    except Exception:  # a part's own refusal is told when it is built for real
        return False
    compare(module, file)
    return True


def built_within(file: ModelFile, build: Callable[[], M]) -> M:
    """The module, built for real, while no tensor is made that is larger than the file accounts for."""
    with registrations_within(file), Operations(file, measured=True):
        module = build().to(dtype=precision_of(file))
    compare(module, file)
    return module


def compare(module: nn.Module, file: ModelFile) -> None:
    """Raise UsageError where a module's weights differ from the file's in name, dtype or shape, or it computes far more than it saves."""
    own = {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in module.state_dict().items()}
    wrong = sorted(name for name in own.keys() | file.kinds.keys() if own.get(name) != file.kinds.get(name))
    if wrong:
        raise UsageError(
            f"{file.path}: {len(wrong)} weights do not fit the model that its header describes "
            f"({wrong[0]}: {described(file.kinds.get(wrong[0]))} in the file, {described(own.get(wrong[0]))} in the model); {REMEDY}"
        )
    if sum(buffer.nbytes for name, buffer in module.named_buffers() if name not in own) > max(FREE_BUFFERS, most_bytes(file)):
        raise Oversized(f"{file.path}: the model that its header describes is far larger than its weights; {REMEDY}")


def described(kind: tuple[torch.dtype, tuple[int, ...]] | None) -> str:
    """Dtype and shape of a weight, for messages."""
    return "absent" if kind is None else f"{str(kind[0]).removeprefix('torch.')} {tuple(kind[1])}"


def precision_of(file: ModelFile) -> torch.dtype | None:
    """The dtype of all real weights, where they have one in common: a model is loaded in the precision that it was saved in."""
    found = {dtype for dtype, _ in file.kinds.values() if dtype.is_floating_point}
    return found.pop() if len(found) == 1 else None


def require_numbers(module: nn.Module) -> None:
    """Raise UsageError that names a weight with NaN or infinity in it, or a buffer with NaN: a bound that is kept may be infinite."""
    learnt = {name for name, _ in module.named_parameters()}
    for name, tensor in module.state_dict().items():
        if not bool((tensor.isfinite() if name in learnt else ~tensor.isnan()).all()):
            raise UsageError(f"weight {name} holds values that are not finite; {REMEDY}")


def most_bytes(file: ModelFile) -> int:
    """How many bytes the weights of a model may take while it is built."""
    return max(FREE_BYTES, SLACK * file.size)


@contextmanager
def registrations_within(file: ModelFile) -> Iterator[None]:
    """Inside, no more parameters and modules are registered than the file accounts for: a header may say a billion layers."""
    most, here, made = FREE_PARTS + PARTS * len(file.kinds), threading.get_ident(), [0]

    def count(module: nn.Module, name: str, value: object) -> None:
        made[0] += threading.get_ident() == here
        if made[0] > most:
            raise Oversized(
                f"{file.path}: its header describes a model of far more parts than the {len(file.kinds)} weights; {REMEDY}"
            )

    handles = [hooks.register_module_parameter_registration_hook(count), hooks.register_module_module_registration_hook(count)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Operations(TorchDispatchMode):
    """Inside, a part may do only so many operations, and none whose result is larger than the file accounts for where they are measured.

    Each is measured on the meta device before it is done.
    """

    def __init__(self, file: ModelFile, measured: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.file, self.measured, self.left = file, measured, FREE_OPERATIONS + OPERATIONS * len(file.kinds)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: torch would import its whole compiler to skip it, which takes as long as importing torch itself."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs, self.left = kwargs or {}, self.left - 1
        if self.left < 0:
            raise Oversized(f"{self.file.path}: the model that its header describes takes far too long to build; {REMEDY}")
        largest = max((tensor.nbytes for tensor in results(func, args, kwargs)), default=0) if self.measured else 0
        if largest > most_bytes(self.file):
            raise Oversized(
                f"{self.file.path}: its header describes a tensor of {largest:,} bytes, the file is smaller; {REMEDY}"
            )
        return func(*args, **kwargs)


def results(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """What an operation will give, without numbers; nothing where that depends on numbers, and is no larger than what it is given."""
    bare = {name: value for name, value in kwargs.items() if not isinstance(value, torch.Generator)}
    if "device" in bare or not any(isinstance(value, Tensor) for value in args):
        bare["device"] = torch.device("meta")
    try:
        out = func(*tree_map_only(Tensor, lambda t: t.to("meta"), args), **tree_map_only(Tensor, lambda t: t.to("meta"), bare))
    except (NotImplementedError, RuntimeError, TypeError):
        return []
    found = out if isinstance(out, tuple | list) else (out,)
    return [tensor for tensor in found if isinstance(tensor, Tensor)]
