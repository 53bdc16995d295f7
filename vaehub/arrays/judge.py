"""What the domain says of its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import torch

from vaehub.arrays.codec import ArrayCodec
from vaehub.evaluation.judge import Judge

if TYPE_CHECKING:
    from vaehub.trained import TrainedModel


@final
class ArraysJudge(Judge):
    """The units of the bound."""

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """log_scale: elbo - log_scale and nll + log_scale are in the units of the data, where the rows are standardised."""
        assert isinstance(run.codec, ArrayCodec)  # it is registered for no other domain
        layout, data = run.codec.layout, run.data(split)
        if layout.sd is None:
            return {}
        return {"log_scale": float(layout.log_scale(data[torch.arange(len(data))].mask, len(data)).mean())}
