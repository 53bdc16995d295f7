"""Lightning's own state for resuming, written like every other file and checked before it is believed."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.plugins.io import CheckpointIO
from torch import Tensor

from vaehub.base import Json
from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write
from vaehub.hints import reason


class AtomicCheckpoints(CheckpointIO):
    """Lightning's own state for resuming a run: held as bytes until `write`, and read with weights_only=True.

    `check` raises ValueError, KeyError or TypeError where a state that was read does not fit the run.
    """

    def __init__(self, check: Callable[[Json], None] = lambda state: None) -> None:
        self.check = check
        self.held: tuple[Path, bytes] | None = None

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Hold `checkpoint` as it is now, for `write`."""
        buffer = BytesIO()
        torch.save(checkpoint, buffer)
        self.held = Path(path), buffer.getvalue()

    def write(self) -> None:
        """Write the latest state whole or not at all."""
        if self.held is not None:
            atomic_write(*self.held)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        """Read tensors and plain values only. Raises UsageError where the file is damaged."""
        try:
            state: dict[str, Any] = torch.load(path, map_location=map_location or "cpu", weights_only=True)
            self.check(state)
        except Exception as error:
            raise cannot_resume(path, error) from error
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


def cannot_resume(path: object, error: Exception) -> UsageError:
    """What to say of a state that cannot be taken up."""
    return UsageError(f"{path}: cannot resume from it ({reason(error)[:200]}); start again with --force")


def check_state(state: Json, module: LightningModule, epochs: int) -> None:
    """Raise where `state` is not that of a run with these weights, after one of its epochs: Lightning takes up much that is damaged.

    `epochs`: how many the run is to have.
    """
    weights: dict[str, Tensor] = state["state_dict"]
    for name, own in module.state_dict().items():
        require(weights[name].shape == own.shape, f"{name} has another shape")
        require(not own.is_floating_point() or bool(weights[name].isfinite().all()), f"{name} is not finite")
    require(len(weights) == len(module.state_dict()), "it has other weights")
    epoch, step = state["epoch"], state["global_step"]
    require(type(epoch) is int and type(step) is int and 0 <= epoch < epochs and step >= 1, f"epoch {epoch}, step {step}")
    done = state["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    rows = state["callbacks"]["History"]["rows"]
    require(done == len(rows) == epoch + 1, f"epoch {epoch}, but {done} epochs done and {len(rows)} written down")
    require(rows[-1]["step"] == step, f"step {step}, but {rows[-1]['step']} was written down")
    require(type(state["callbacks"]["Files"]["best"]) is float, "no best figure")
    require(len(state["lr_schedulers"]) == 1 and state["lr_schedulers"][0]["last_epoch"] == step, "another schedule")
    check_optimizer(state["optimizer_states"], list(module.parameters()))


def check_optimizer(states: list[Json], parameters: list[torch.nn.Parameter]) -> None:
    """Raise where the optimiser's state is not one of these parameters."""
    require(len(states) == 1, f"{len(states)} optimisers instead of 1")
    moments, groups = states[0]["state"], states[0]["param_groups"]
    require(len(groups) == 1 and groups[0]["params"] == list(range(len(parameters))), "other parameters are optimised")
    require(bool(moments), "the optimiser has no moments")
    for number, moment in moments.items():
        for tensor in moment.values():
            fits = tensor.dim() == 0 or tensor.shape == parameters[number].shape
            require(fits and bool(tensor.isfinite().all()), f"the optimiser's moments of parameter {number} do not fit")


def require(condition: bool, message: str) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError(message)
