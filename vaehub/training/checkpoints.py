"""Lightning's own state for resuming, written like every other file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from vaehub.errors import UsageError
from vaehub.files.atomic import atomic_write


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
