"""What is known of the items (genre, text) as the start of their rows in a table."""

from __future__ import annotations

import torch
from torch import Tensor

from vaehub import Data
from vaehub_recommender.interactions import InteractionFacts


@torch.no_grad()
def start_from_features(table: Tensor, data: Data) -> None:
    """Replace the rows of a table (I, H) by a random projection of the items' features (I, F), of the same size; items without keep theirs."""
    facts = data.facts
    if not isinstance(facts, InteractionFacts) or facts.item_features is None:
        return
    features = facts.item_features
    projected = features.to(table) @ torch.randn(features.shape[1], table.shape[1], dtype=table.dtype)
    known = projected.abs().sum(1) > 0
    size = projected[known].square().mean().sqrt().clamp(min=1e-12)
    table[known] = 0.5**0.5 * (table[known] + projected[known] * table.square().mean().sqrt() / size)
